import type { Reply } from '../lib/call.ts';
import { findPlan, findSubscription, subscriptionSecretsOf } from '../paypal/find-subscription.ts';
import { centsOf } from '../paypal/money.ts';
import { approveSubscription } from '../paypal/subscriptions.ts';
import type { Subscription } from '../paypal/state.ts';
import type { World } from '../world.ts';
import type { PageChoice } from './answer-page.ts';
import { goTo, notice } from './replies.ts';
import { renderPayPage } from './pay-page.ts';

/** Answers the page on which a subscription of PayPal's, or a change of one, is agreed to. */
export function answerSubscription(world: World, id: string, chosen: PageChoice | null): Reply {
  if (!Object.hasOwn(world.state.paypal.subscriptions, id)) {
    return notice(404, 'There is no such subscription', 'Its address may be incomplete.');
  }
  const subscription = findSubscription(world, id);
  const { returnUrl, cancelUrl, revisedPlanId } = subscriptionSecretsOf(world, subscription);
  const isOpen = subscription.status === 'APPROVAL_PENDING' || revisedPlanId !== null;
  if (!isOpen) return goTo(withIds(returnUrl, subscription));
  if (chosen === null || chosen === 'decline') {
    return { status: 200, body: renderSubscription(world, subscription, chosen === 'decline') };
  }
  if (chosen === 'cancel') return goTo(withIds(cancelUrl, subscription));
  approveSubscription(world, subscription);
  return goTo(withIds(returnUrl, subscription));
}

function renderSubscription(world: World, subscription: Subscription, wasDeclined: boolean): string {
  const { revisedPlanId } = subscriptionSecretsOf(world, subscription);
  const plan = findPlan(world, revisedPlanId ?? subscription.plan_id);
  const [cycle] = plan.billing_cycles;
  const { value = '0.00', currency_code: currency = 'EUR' } = cycle?.pricing_scheme.fixed_price ?? {};
  return renderPayPage({
    provider: 'PayPal',
    title: plan.name,
    amountCents: centsOf({ value, currency_code: currency }),
    currency,
    rhythm: `every ${cycle?.frequency.interval_unit.toLowerCase() ?? 'month'}`,
    email: subscription.subscriber.email_address ?? null,
    wasDeclined,
  });
}

function withIds(address: string, { id }: Subscription): string {
  const url = new URL(address);
  url.searchParams.set('subscription_id', id);
  return url.href;
}
