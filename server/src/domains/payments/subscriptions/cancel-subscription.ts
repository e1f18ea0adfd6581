import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { endSubscription, setCancels } from './end-subscription.ts';
import { findSubscription, readRow, type Subscription } from './find-subscription.ts';
import { readSubscription, toSubscriptionView } from './read-subscription.ts';
import type { SubscriptionView } from './schemas.ts';

/**
 * Ends the caller's subscription with the period that has been paid for, see `endSubscription`; credits and
 * plan stay until then. Again it changes nothing. Throws `auth.session_ended`, `payments.no_subscription`,
 * and what the provider throws: `payments.provider_refused` when a checkout cannot be ended, since it is
 * being paid.
 */
export async function cancelSubscription(ctx: Ctx, caller: Caller): Promise<SubscriptionView> {
  const subscription = await findOwn(ctx, caller);
  await endSubscription(ctx, subscription);
  return ctx.db.asServiceFor(caller, async (tx) =>
    toSubscriptionView(ctx, tx, await readRow(tx, subscription.id)),
  );
}

/**
 * Takes a cancellation back before the period is over. Throws `auth.session_ended`,
 * `payments.no_subscription`, `payments.subscription_state` (not cancelled), and what the provider throws:
 * `payments.not_supported` where it cannot be taken back.
 */
export async function resumeSubscription(ctx: Ctx, caller: Caller): Promise<SubscriptionView> {
  const subscription = await findOwn(ctx, caller);
  if (!subscription.cancelsAtPeriodEnd) throw new AppError('payments.subscription_state');
  await setCancels(ctx, subscription, { cancels: false });
  return readSubscription(ctx, caller);
}

async function findOwn(ctx: Ctx, caller: Caller): Promise<Subscription> {
  const subscription = await ctx.db.asServiceFor(caller, (tx) => findSubscription(tx, caller.userId));
  if (!subscription || subscription.status === 'ended') throw new AppError('payments.no_subscription');
  return subscription;
}
