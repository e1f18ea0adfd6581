import type { World } from '../world.ts';
import type { Body } from './body.ts';
import { newPayPalId, timeOf } from './events.ts';
import { optional, payerOf } from './orders.ts';
import { PayPalRefusal, type Link } from './refusal.ts';
import { bill } from './bill-subscription.ts';
import { findPlan, findSubscription, setStatus, subscriptionSecretsOf, tellOf } from './find-subscription.ts';
import type { Subscription } from './state.ts';

/** POST /v1/billing/subscriptions */
export function createSubscription(world: World, body: Body): Subscription {
  const plan = findPlan(world, body.needText('plan_id', 50));
  const context = body.part('application_context');
  const subscriber = body.part('subscriber');
  const id = `I-${newPayPalId(world, 12)}`;
  const now = timeOf(world);
  const subscription: Subscription = {
    id,
    status: 'APPROVAL_PENDING',
    status_update_time: now,
    plan_id: plan.id,
    plan_overridden: false,
    quantity: body.text('quantity') ?? '1',
    ...optional('custom_id', body.text('custom_id', 127)),
    start_time: now,
    subscriber: optional('email_address', subscriber.text('email_address')),
    create_time: now,
    update_time: now,
    links: [approveLink(world, id), { href: selfOf(world, id), rel: 'self', method: 'GET' }],
  };
  world.state.paypal.subscriptions[id] = subscription;
  world.state.paypal.subscriptionSecrets[id] = {
    returnUrl: context.text('return_url', 4000) ?? `${world.url}/control`,
    cancelUrl: context.text('cancel_url', 4000) ?? `${world.url}/control`,
    declines: false,
    anchor: now,
    revisedPlanId: null,
  };
  tellOf(world, subscription, 'CREATED');
  return subscription;
}

function approveLink(world: World, id: string): Link {
  return { href: `${world.url}/pay/paypal/${id}`, rel: 'approve', method: 'GET' };
}

function selfOf(world: World, id: string): string {
  return `${world.url}/v1/billing/subscriptions/${id}`;
}

/** The customer agrees: a new subscription begins with its first payment, a changed one has its new plan. */
export function approveSubscription(world: World, subscription: Subscription): void {
  const secrets = subscriptionSecretsOf(world, subscription);
  if (secrets.revisedPlanId !== null) {
    subscription.plan_id = secrets.revisedPlanId;
    secrets.revisedPlanId = null;
    subscription.update_time = timeOf(world);
    tellOf(world, subscription, 'UPDATED');
    return;
  }
  if (subscription.status !== 'APPROVAL_PENDING') return;
  const payer = payerOf(world, subscription.subscriber.email_address ?? null);
  const now = timeOf(world);
  subscription.subscriber = {
    email_address: payer.email_address,
    payer_id: payer.payer_id,
    name: payer.name,
  };
  subscription.start_time = now;
  secrets.anchor = now;
  setStatus(world, subscription, 'ACTIVE');
  const sale = bill(world, subscription);
  tellOf(world, subscription, 'ACTIVATED');
  sale.tell();
}

/** POST /v1/billing/subscriptions/:id/revise: the customer has to agree first */
export function reviseSubscription(world: World, id: string, body: Body): object {
  const subscription = findSubscription(world, id);
  const plan = findPlan(world, body.needText('plan_id', 50));
  if (subscription.status !== 'ACTIVE') {
    throw PayPalRefusal.unprocessable(
      'INVALID_STATUS_FOR_REVISE',
      'Only active subscriptions can be revised.',
    );
  }
  if (plan.product_id !== findPlan(world, subscription.plan_id).product_id) {
    throw PayPalRefusal.unprocessable('INVALID_PLAN_FOR_REVISE', 'The plan must belong to the same product.');
  }
  const secrets = subscriptionSecretsOf(world, subscription);
  const context = body.part('application_context');
  secrets.revisedPlanId = plan.id;
  secrets.returnUrl = context.text('return_url', 4000) ?? secrets.returnUrl;
  secrets.cancelUrl = context.text('cancel_url', 4000) ?? secrets.cancelUrl;
  return {
    plan_id: plan.id,
    plan_overridden: false,
    links: [approveLink(world, id), { href: selfOf(world, id), rel: 'self', method: 'GET' }],
  };
}

const targets = {
  cancel: { to: 'CANCELLED', from: ['ACTIVE', 'SUSPENDED'] },
  suspend: { to: 'SUSPENDED', from: ['ACTIVE'] },
  activate: { to: 'ACTIVE', from: ['SUSPENDED'] },
} as const;

/** POST /v1/billing/subscriptions/:id/cancel, /suspend and /activate */
export function moveSubscription(world: World, id: string, step: keyof typeof targets): void {
  const subscription = findSubscription(world, id);
  const { to, from } = targets[step];
  if (!from.some((status) => status === subscription.status)) {
    throw PayPalRefusal.unprocessable(
      'SUBSCRIPTION_STATUS_INVALID',
      `Invalid subscription status for ${step} action; subscription status should be ${from.join(' or ').toLowerCase()}.`,
    );
  }
  setStatus(world, subscription, to);
  if (step === 'cancel') delete subscription.billing_info?.next_billing_time;
  if (step === 'activate' && subscription.billing_info) subscription.billing_info.failed_payments_count = 0;
  tellOf(world, subscription, to === 'ACTIVE' ? 'ACTIVATED' : to);
}
