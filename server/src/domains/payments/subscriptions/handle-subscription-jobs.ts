import { and, inArray, isNotNull, lt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { askAboutSubscriptions } from './ask-about-subscriptions.ts';
import { endLeftTest } from './end-left-test.ts';
import { endUnwanted } from './end-unwanted.ts';
import { liveStatuses, type Subscription } from './find-subscription.ts';
import { followOpenings } from './follow-openings.ts';

/** Providers bill the next period up to an hour after the turn; then its news should have been here. */
const overdueMs = 3 * 3_600_000;
/** How long until the provider is asked again. */
const checkAgainMs = 6 * 3_600_000;
/** Per turn; the rest is for the next one. */
const peopleMax = 500;

/**
 * Names who asks providers about subscriptions of which nothing was heard, when their period was over or
 * since they were opened, and who ends subscriptions that should not go on, and plans that nobody has paid
 * for beyond their days of grace.
 */
export function handleSubscriptionJobs(ctx: Ctx): void {
  ctx.jobs.handle('follow-subscriptions', async () => {
    await followOverdue(ctx);
    await followOpenings(ctx);
    await endUnwanted(ctx);
    await ctx.db.call('select payments.end_grace($1, $2)', [ctx.clock.now(), peopleMax]);
  });
}

/** Asks how those stand now whose period is over and of whose next one nothing was heard. */
function followOverdue(ctx: Ctx): Promise<void> {
  const condition = and(
    inArray(subscriptions.status, [...liveStatuses]),
    isNotNull(subscriptions.providerSubscriptionId),
    lt(subscriptions.periodEnd, new Date(ctx.clock.now().getTime() - overdueMs)),
  );
  const complaint = 'a provider did not say how a subscription stands';
  return askAboutSubscriptions(ctx, { condition, againMs: checkAgainMs, complaint }, (subscription) =>
    askAfter(ctx, subscription),
  );
}

/** What is left from test mode is over with its period: live keys hear of no other. */
async function askAfter(ctx: Ctx, subscription: Subscription): Promise<void> {
  const { providerSubscriptionId } = subscription;
  if (providerSubscriptionId === null) return;
  if (isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  const provider = providerOf(ctx, subscription);
  const fact = await provider.readSubscription(providerSubscriptionId);
  if (fact) await ctx.payments.applyFacts(provider, [fact]);
}
