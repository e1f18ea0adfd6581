import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { endLeftTest } from './end-left-test.ts';
import { findSubscription, liveStatuses, type Subscription } from './find-subscription.ts';
import { leaveCheckout } from './leave-checkout.ts';
import { readSubscription } from './read-subscription.ts';
import type { SubscriptionView } from './schemas.ts';

/**
 * Ends the caller's subscription with the period that has been paid for; credits and plan stay until then.
 * One that waits in its checkout is closed at once, unless it has just been paid, and so is what is left from
 * test mode. Again it changes nothing. Throws `auth.session_ended`, `payments.no_subscription`, and what the
 * provider throws: `payments.provider_refused` when a checkout cannot be ended, since it is being paid.
 */
export async function cancelSubscription(ctx: Ctx, caller: Caller): Promise<SubscriptionView> {
  const subscription = await findOwn(ctx, caller);
  if (subscription.status === 'opening') return closeCheckout(ctx, caller, subscription);
  if (isLeftTest(ctx, subscription)) await endLeftTest(ctx, subscription);
  else if (!subscription.cancelsAtPeriodEnd) await setCancels(ctx, subscription, true);
  return readSubscription(ctx, caller);
}

/**
 * Takes a cancellation back before the period is over. Throws `auth.session_ended`,
 * `payments.no_subscription`, `payments.subscription_state` (not cancelled), and what the provider throws:
 * `payments.not_supported` where it cannot be taken back.
 */
export async function resumeSubscription(ctx: Ctx, caller: Caller): Promise<SubscriptionView> {
  const subscription = await findOwn(ctx, caller);
  if (!subscription.cancelsAtPeriodEnd) throw new AppError('payments.subscription_state');
  await setCancels(ctx, subscription, false);
  return readSubscription(ctx, caller);
}

async function findOwn(ctx: Ctx, caller: Caller): Promise<Subscription> {
  const subscription = await ctx.db.asServiceFor(caller, (tx) => findSubscription(tx, caller.userId));
  if (!subscription || subscription.status === 'ended') throw new AppError('payments.no_subscription');
  return subscription;
}

async function setCancels(ctx: Ctx, subscription: Subscription, cancels: boolean): Promise<void> {
  const { providerSubscriptionId, status } = subscription;
  if (providerSubscriptionId === null || !liveStatuses.includes(status)) {
    throw new AppError('payments.subscription_state');
  }
  const provider = providerOf(ctx, subscription);
  const fact = await provider.cancelSubscription({ providerSubscriptionId, cancels, changeId: newId(ctx) });
  await reachFaultPoint('subscription.cancelled');
  await ctx.payments.applyFacts(provider, [fact]);
}

/** One that was paid while it was left goes on to the end of what was paid for, like any other. */
async function closeCheckout(
  ctx: Ctx,
  caller: Caller,
  subscription: Subscription,
): Promise<SubscriptionView> {
  const view = await readSubscription(ctx, caller);
  if (isLeftTest(ctx, subscription)) {
    await endLeftTest(ctx, subscription);
  } else {
    const status = await leaveCheckout(ctx, subscription);
    if (status === 'opening') throw new AppError('payments.provider_refused');
    if (liveStatuses.includes(status)) return cancelSubscription(ctx, caller);
  }
  return { ...view, status: 'ended', checkoutUrl: null };
}
