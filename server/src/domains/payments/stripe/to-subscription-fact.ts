import type { SubscriptionFact } from '../fact.ts';
import { readOwnId, readReference, toIsoTime } from './metadata.ts';
import type { StripeSubscription } from './shapes.ts';

const subscriptionStatuses: Record<string, SubscriptionFact['status']> = {
  incomplete: 'incomplete',
  trialing: 'active',
  active: 'active',
  past_due: 'past_due',
  unpaid: 'past_due',
  paused: 'past_due',
  canceled: 'ended',
  incomplete_expired: 'ended',
};

/**
 * How a subscription stands as of `asOf`; its period is the one of its first item, of which ours have no
 * second. Null for one without items, or in a state that Stripe did not have when this was written.
 */
export function toSubscriptionFact(subscription: StripeSubscription, asOf: Date): SubscriptionFact | null {
  const [item] = subscription.items.data;
  const status = subscriptionStatuses[subscription.status];
  if (item === undefined || status === undefined) return null;
  return {
    kind: 'subscription',
    providerSubscriptionId: subscription.id,
    subscriptionId: readOwnId(subscription.metadata, 'subscriptionId'),
    status,
    providerPriceId: item.price.id,
    periodStart: toIsoTime(item.current_period_start),
    periodEnd: toIsoTime(item.current_period_end),
    cancelsAtPeriodEnd: subscription.cancel_at_period_end || subscription.cancel_at !== null,
    customerId: readReference(subscription.customer),
    asOf: asOf.toISOString(),
  };
}
