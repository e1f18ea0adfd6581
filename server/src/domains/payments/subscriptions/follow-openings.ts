import { and, eq, inArray, isNull, lt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { subscriptions } from '../plan-tables.ts';
import { claimSubscriptions } from './claim-subscriptions.ts';
import { liveStatuses, type Subscription } from './find-subscription.ts';

/** So long the provider may take to tell of it by itself. */
const newsMs = 10 * 60_000;
/** How long until the provider is asked again about one that is not paid. */
const checkAgainMs = 3_600_000;
/** When nobody has the address of a checkout whose answer was lost, and the key of the call is forgotten. */
const neverOpenedMs = 24 * 3_600_000;

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

async function askAfterCheckout(ctx: Ctx, subscription: Subscription): Promise<void> {
  const { checkoutId, createdAt } = subscription;
  if (checkoutId === null) {
    const isOver = ctx.clock.now().getTime() - createdAt.getTime() > neverOpenedMs;
    if (isOver) await abandon(ctx, subscription);
    return;
  }
  const provider = ctx.payments.provider(subscription.provider);
  if (provider.isLive !== subscription.isLive) throw new AppError('payments.provider_not_set_up');
  const facts = await provider.readSubscriptionCheckout(checkoutId);
  if (facts === null) await abandon(ctx, subscription);
  else if (facts.length > 0) await ctx.payments.applyFacts(provider, facts);
}

/** Closes one that waits, unless something has come of it meanwhile. */
async function abandon(ctx: Ctx, { id, checkoutId }: Subscription): Promise<void> {
  const sameCheckout =
    checkoutId === null ? isNull(subscriptions.checkoutId) : eq(subscriptions.checkoutId, checkoutId);
  const waits = inArray(subscriptions.status, ['opening', 'incomplete']);
  await ctx.db.asService((tx) =>
    tx
      .update(subscriptions)
      .set({ status: 'abandoned', updatedAt: ctx.clock.now() })
      .where(and(eq(subscriptions.id, id), sameCheckout, waits)),
  );
}
