import type { Ctx } from '../../../ctx.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { abandonOpening } from './abandon-opening.ts';
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
    if (wasForgotten) await abandonOpening(ctx, subscription);
    return;
  }
  const isOver = checkoutExpiresAt !== null && checkoutExpiresAt < ctx.clock.now();
  if (isOver && isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  const provider = providerOf(ctx, subscription);
  const facts = await provider.readSubscriptionCheckout(checkoutId);
  if (facts === null) await abandonOpening(ctx, subscription);
  else await ctx.payments.applyFacts(provider, facts);
}
