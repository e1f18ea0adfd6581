import { and, asc, inArray, isNotNull, isNull, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import { liveStatuses, type Subscription } from './find-subscription.ts';

/** Providers bill the next period up to an hour after the turn; then its news should have been here. */
const overdueMs = 3 * 3_600_000;
/** How long until the provider is asked again about one that is still overdue. */
const checkAgainMs = 6 * 3_600_000;
/** Per turn; the rest is for the next one. */
const checksMax = 20;
const peopleMax = 500;

/**
 * Names who asks providers about subscriptions of which nothing was heard when their period was over, and who
 * ends plans that nobody has paid for beyond their days of grace.
 */
export function handleSubscriptionJobs(ctx: Ctx): void {
  ctx.jobs.handle('follow-subscriptions', async () => {
    const overdue = await claimOverdue(ctx);
    await Promise.all(overdue.map((subscription) => askAfter(ctx, subscription)));
    await ctx.db.call('select payments.end_grace($1, $2)', [ctx.clock.now(), peopleMax]);
  });
}

/** Those that are overdue, marked as asked after, so that another process asks after others. */
async function claimOverdue(ctx: Ctx): Promise<Subscription[]> {
  const now = ctx.clock.now();
  const overdue = and(
    inArray(subscriptions.status, [...liveStatuses]),
    isNotNull(subscriptions.providerSubscriptionId),
    lt(subscriptions.periodEnd, new Date(now.getTime() - overdueMs)),
    or(isNull(subscriptions.checkedAt), lt(subscriptions.checkedAt, new Date(now.getTime() - checkAgainMs))),
  );
  return ctx.db.asService(async (tx) => {
    const rows = await tx
      .select({ id: subscriptions.id })
      .from(subscriptions)
      .where(overdue)
      .orderBy(asc(subscriptions.periodEnd), asc(subscriptions.id))
      .limit(checksMax)
      .for('no key update', { skipLocked: true });
    if (rows.length === 0) return [];
    return tx
      .update(subscriptions)
      .set({ checkedAt: now })
      .where(
        inArray(
          subscriptions.id,
          rows.map(({ id }) => id),
        ),
      )
      .returning();
  });
}

/** Asks how a subscription stands now. What the provider does not answer is asked again later. */
async function askAfter(
  ctx: Ctx,
  { id, provider: name, providerSubscriptionId }: Subscription,
): Promise<void> {
  if (providerSubscriptionId === null) return;
  try {
    const provider = ctx.payments.provider(name);
    const fact = await provider.readSubscription(providerSubscriptionId);
    if (fact) await ctx.payments.applyFacts(provider, [fact]);
  } catch (error) {
    ctx.log.warn({ err: error, subscriptionId: id }, 'a provider did not say how a subscription stands');
  }
}
