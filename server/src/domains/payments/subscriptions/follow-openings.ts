import { and, eq, inArray, isNull, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import { askAboutSubscriptions } from './ask-about-subscriptions.ts';
import { askAfterCheckout } from './ask-after-checkout.ts';
import { liveStatuses } from './find-subscription.ts';

/** So long the provider may take to tell of it by itself. */
const newsMs = 10 * 60_000;
/** How long until the provider is asked again about one that is not paid. */
const checkAgainMs = 3_600_000;

/**
 * Asks providers about subscriptions that nobody has paid for yet, as far as is known: what has come of one
 * is applied, and one whose checkout can be paid no more is closed. What a provider does not answer is asked
 * again later.
 */
export async function followOpenings(ctx: Ctx): Promise<void> {
  const condition = and(
    inArray(subscriptions.status, ['opening', ...liveStatuses]),
    // A bill may be here before the word that its subscription lives.
    or(isNull(subscriptions.paidUntil), eq(subscriptions.status, 'opening')),
    lt(subscriptions.createdAt, new Date(ctx.clock.now().getTime() - newsMs)),
  );
  const complaint = 'a provider did not say what has come of a subscription';
  await askAboutSubscriptions(ctx, { condition, againMs: checkAgainMs, complaint }, (subscription) =>
    askAfterCheckout(ctx, subscription),
  );
}
