import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { endLeftTest } from './end-left-test.ts';
import type { Subscription } from './find-subscription.ts';

/** When nobody has the address of a checkout whose answer was lost, and the key of the call is forgotten. */
const neverOpenedMs = 24 * 3_600_000;

/**
 * Asks the provider what has come of the checkout of a subscription: that is applied, and one that can be
 * paid no more is closed; so is one that is left from test mode, once its time is over. Throws
 * `payments.provider_not_set_up`, and what the provider throws.
 */
export async function askAfterCheckout(ctx: Ctx, subscription: Subscription): Promise<void> {
  const { checkoutId, checkoutExpiresAt, createdAt } = subscription;
  if (checkoutId === null) {
    const wasForgotten = ctx.clock.now().getTime() - createdAt.getTime() > neverOpenedMs;
    if (wasForgotten) await abandon(ctx, subscription);
    return;
  }
  const isOver = checkoutExpiresAt !== null && checkoutExpiresAt < ctx.clock.now();
  if (isOver && isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  const provider = providerOf(ctx, subscription);
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
