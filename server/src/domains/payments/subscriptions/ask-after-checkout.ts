import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { subscriptions } from '../plan-tables.ts';
import type { Subscription } from './find-subscription.ts';

/** When nobody has the address of a checkout whose answer was lost, and the key of the call is forgotten. */
const neverOpenedMs = 24 * 3_600_000;

/**
 * Asks the provider what has come of the checkout of a subscription: that is applied, and one that can be
 * paid no more is closed. Throws `payments.provider_not_set_up`, and what the provider throws.
 */
export async function askAfterCheckout(ctx: Ctx, subscription: Subscription): Promise<void> {
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
