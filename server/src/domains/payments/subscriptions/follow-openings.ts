import { and, inArray, isNull, lt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import { askAfterCheckout } from './ask-after-checkout.ts';
import { claimSubscriptions } from './claim-subscriptions.ts';
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
  const isUnpaid = and(
    inArray(subscriptions.status, ['opening', ...liveStatuses]),
    isNull(subscriptions.paidUntil),
    lt(subscriptions.createdAt, new Date(ctx.clock.now().getTime() - newsMs)),
  );
  const unpaid = await claimSubscriptions(ctx, isUnpaid, checkAgainMs);
  await Promise.all(
    unpaid.map((subscription) =>
      askAfterCheckout(ctx, subscription).catch((error: unknown) => {
        const facts = { err: error, subscriptionId: subscription.id };
        ctx.log.warn(facts, 'a provider did not say what has come of a subscription');
      }),
    ),
  );
}
