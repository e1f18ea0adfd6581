import type { Stripe } from 'stripe';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { SubscriptionFact } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { askStripe, askStripeFor } from './ask-stripe.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

type Change = Parameters<PaymentProvider['changeSubscription']>[0];
type Cancellation = Parameters<PaymentProvider['cancelSubscription']>[0];

/**
 * Puts a subscription on another price. At once: the difference for the rest of the period is billed and
 * collected in the same call, or nothing changes (`payments.provider_refused`). With the next period: only
 * between prices of one interval, since Stripe bills another interval at once; otherwise
 * `payments.not_supported`. One that stands on another price than was expected is left as it is
 * (`payments.subscription_state`): the difference would be another one.
 */
export async function changeSubscription(
  stripe: Stripe,
  clock: Clock,
  order: Change,
): Promise<{ fact: SubscriptionFact; approvalUrl: null }> {
  const { providerSubscriptionId: id, expectedPriceId, providerPriceId, changeId, isImmediate } = order;
  const now = await askStripe(() => stripe.subscriptions.retrieve(id));
  const [item] = now.items.data;
  if (item === undefined) throw new AppError('payments.provider_refused');
  // Whoever did not hear that it was done asks for the same again, under the same key.
  if (item.price.id !== expectedPriceId && item.price.id !== providerPriceId)
    throw new AppError('payments.subscription_state');
  if (!isImmediate) await assertSameInterval(stripe, item.price, providerPriceId);
  const behavior: Stripe.SubscriptionUpdateParams = isImmediate
    ? { proration_behavior: 'always_invoice', payment_behavior: 'error_if_incomplete' }
    : { proration_behavior: 'none' };
  const changed = await askStripe(() =>
    stripe.subscriptions.update(
      id,
      { ...behavior, items: [{ id: item.id, price: providerPriceId }] },
      { idempotencyKey: `obol:change:${changeId}` },
    ),
  );
  return { fact: factOf(changed, clock), approvalUrl: null };
}

/**
 * Ends a subscription with its period, or takes that back; or ends it at once, which also stops Stripe from
 * trying its open bills again.
 */
export async function cancelSubscription(
  stripe: Stripe,
  clock: Clock,
  { providerSubscriptionId: id, cancels, isAtOnce = false, changeId }: Cancellation,
): Promise<SubscriptionFact> {
  const params = { cancel_at_period_end: cancels };
  const options = { idempotencyKey: `obol:cancel:${changeId}` };
  if (cancels && isAtOnce) {
    const ended = await askStripeFor(() => stripe.subscriptions.cancel(id, {}, options));
    // Stripe knows none to cancel where it was before.
    return factOf(ended ?? (await askStripe(() => stripe.subscriptions.retrieve(id))), clock);
  }
  return factOf(await askStripe(() => stripe.subscriptions.update(id, params, options)), clock);
}

async function assertSameInterval(stripe: Stripe, current: Stripe.Price, nextId: string): Promise<void> {
  const next = await askStripe(() => stripe.prices.retrieve(nextId));
  if (current.recurring?.interval !== next.recurring?.interval) throw new AppError('payments.not_supported');
}

function factOf(subscription: Stripe.Subscription, clock: Clock): SubscriptionFact {
  const fact = toSubscriptionFact(subscription, clock.now());
  if (fact === null) throw new Error('Stripe answered with a subscription that cannot be read');
  return fact;
}
