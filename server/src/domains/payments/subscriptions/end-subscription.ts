import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { endLeftTest } from './end-left-test.ts';
import { liveStatuses, readRow, type Subscription } from './find-subscription.ts';
import { leaveCheckout } from './leave-checkout.ts';
import { readAfterRefusal } from './read-after-refusal.ts';

/**
 * Ends a subscription at its provider, whoever wants it: with the period that has been paid for or, with
 * `isAtOnce`, for good and without another try of a bill that is open: the plan goes, and the credits stay
 * until the end of what was paid. One that waits in its checkout is closed, unless it has just been paid;
 * what is left from test mode ends here. One that has ended already, or ends with its period, stays as it is.
 * Throws `payments.subscription_state`, and what the provider throws: `payments.provider_refused` when a
 * checkout cannot be ended, since it is being paid.
 */
export async function endSubscription(
  ctx: Ctx,
  subscription: Subscription,
  { isAtOnce = false }: { isAtOnce?: boolean } = {},
): Promise<void> {
  if (isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  if (subscription.status !== 'opening') return endLiving(ctx, subscription, isAtOnce);
  const status = await leaveCheckout(ctx, subscription);
  if (status === 'opening') throw new AppError('payments.provider_refused');
  // One that was paid while it was left goes on to the end of what was paid for, like any other.
  if (!liveStatuses.includes(status)) return;
  await endLiving(ctx, await ctx.db.asService((tx) => readRow(tx, subscription.id)), isAtOnce);
}

async function endLiving(ctx: Ctx, subscription: Subscription, isAtOnce: boolean): Promise<void> {
  const { providerSubscriptionId, status, cancelsAtPeriodEnd } = subscription;
  if (status === 'ended' || (cancelsAtPeriodEnd && !isAtOnce)) return;
  try {
    await setCancels(ctx, subscription, { cancels: true, isAtOnce });
  } catch (error) {
    if (providerSubscriptionId === null) throw error;
    const provider = providerOf(ctx, subscription);
    const fact = await readAfterRefusal(ctx, provider, { providerSubscriptionId, error });
    if (fact?.status !== 'ended') throw error;
  }
}

/**
 * Has a subscription end, see `endSubscription`, or takes that back. Throws `payments.subscription_state`,
 * and what the provider throws: `payments.not_supported` where it cannot be taken back.
 */
export async function setCancels(
  ctx: Ctx,
  subscription: Subscription,
  change: { cancels: boolean; isAtOnce?: boolean },
): Promise<void> {
  const { providerSubscriptionId, status } = subscription;
  if (providerSubscriptionId === null || !liveStatuses.includes(status)) {
    throw new AppError('payments.subscription_state');
  }
  const provider = providerOf(ctx, subscription);
  const fact = await provider.cancelSubscription({ providerSubscriptionId, changeId: newId(ctx), ...change });
  await reachFaultPoint('subscription.cancelled');
  await ctx.payments.applyFacts(provider, [fact]);
}
