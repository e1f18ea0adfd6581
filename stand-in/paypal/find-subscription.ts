import type { World } from '../world.ts';
import { tell, timeOf } from './events.ts';
import { PayPalRefusal } from './refusal.ts';
import type { Plan, Subscription, SubscriptionSecrets } from './state.ts';

/** A plan by its id. */
export function findPlan(world: World, id: string): Plan {
  const { plans } = world.state.paypal;
  const plan = Object.hasOwn(plans, id) ? plans[id] : undefined;
  if (plan === undefined) throw PayPalRefusal.notFound();
  return plan;
}

/** A subscription by its id. */
export function findSubscription(world: World, id: string): Subscription {
  const { subscriptions } = world.state.paypal;
  const subscription = Object.hasOwn(subscriptions, id) ? subscriptions[id] : undefined;
  if (subscription === undefined) throw PayPalRefusal.notFound();
  return subscription;
}

/** What of a subscription its answers do not show. */
export function subscriptionSecretsOf(world: World, { id }: Subscription): SubscriptionSecrets {
  const secrets = world.state.paypal.subscriptionSecrets[id];
  if (secrets === undefined) throw new Error(`the subscription ${id} is not complete`);
  return secrets;
}

/** Puts a subscription into a state, as of now. */
export function setStatus(world: World, subscription: Subscription, status: Subscription['status']): void {
  subscription.status = status;
  subscription.status_update_time = timeOf(world);
  subscription.update_time = timeOf(world);
  if (status === 'ACTIVE') {
    subscription.links = subscription.links.filter(({ rel }) => rel !== 'approve');
  }
}

type Happening =
  'CREATED' | 'ACTIVATED' | 'UPDATED' | 'CANCELLED' | 'SUSPENDED' | 'EXPIRED' | 'PAYMENT.FAILED';

/** Says what has happened to a subscription. */
export function tellOf(world: World, subscription: Subscription, what: Happening): void {
  const summary = `Subscription ${what.toLowerCase()}`;
  tell(
    world,
    { type: `BILLING.SUBSCRIPTION.${what}`, resourceType: 'subscription', summary, version: '2.0' },
    subscription,
  );
}
