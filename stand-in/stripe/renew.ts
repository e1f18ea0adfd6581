import { periodEnd } from '../lib/periods.ts';
import type { World } from '../world.ts';
import { addInvoice, type BillLine } from './add-invoice.ts';
import { emit } from './events.ts';
import { payInvoice, subscriptionOf } from './invoices.ts';
import { itemOf, periodLine } from './start-subscription.ts';
import { endSubscription } from './subscriptions.ts';
import { idOf, type Invoice, type Subscription } from './wire.ts';

const daySeconds = 86_400;
/** A card that was declined is tried again after these times; then the subscription ends. */
const retryDays = [3, 5, 7];

/** When a subscription needs something done next, in seconds; null when nothing is. */
export function dueOf(world: World, subscription: Subscription): number | null {
  if (subscription.status === 'canceled' || subscription.status === 'incomplete') return null;
  const end = itemOf(subscription).current_period_end;
  const retry = unpaidOf(world, subscription)?.next_payment_attempt ?? Infinity;
  return Math.min(end, retry);
}

/** Does what is due: tries an unpaid bill again, ends the subscription, or bills the next period. */
export function renew(world: World, subscription: Subscription): void {
  const unpaid = unpaidOf(world, subscription);
  if (unpaid && (unpaid.next_payment_attempt ?? Infinity) <= world.seconds())
    collect(world, subscription, unpaid);
  else if (subscription.cancel_at_period_end) endSubscription(world, subscription, 'cancellation_requested');
  else beginNextPeriod(world, subscription);
}

function beginNextPeriod(world: World, subscription: Subscription): void {
  const item = itemOf(subscription);
  const { interval = 'month', interval_count: count = 1 } = item.price.recurring ?? {};
  const before = {
    current_period_start: item.current_period_start,
    current_period_end: item.current_period_end,
  };
  item.current_period_start = item.current_period_end;
  item.current_period_end = periodEnd(
    subscription.billing_cycle_anchor,
    item.current_period_start,
    interval,
    count,
  );
  const items = { ...subscription.items, data: [{ ...item, ...before }] };
  emit(world, 'customer.subscription.updated', subscription, { items });
  const lines = [...prorationsOf(world, subscription), periodLine(world, item)];
  // Stripe charges after the turn, so that no two states of a subscription are of the same second.
  world.at(new Date(world.now().getTime() + 1000), () =>
    collect(world, subscription, addInvoice(world, subscription, { reason: 'subscription_cycle', lines })),
  );
}

/** What changes within the period have cost and given back. */
function prorationsOf(world: World, subscription: Subscription): BillLine[] {
  const secrets = world.state.stripe.subscriptionSecrets[subscription.id];
  const pending = secrets?.pendingProrations.splice(0) ?? [];
  const item = itemOf(subscription);
  const now = world.seconds();
  return pending.map((line) => ({ ...line, item, start: now, end: now, isProration: true }));
}

/** Charges the card for a bill of the subscription, and lets the subscription follow. */
function collect(world: World, subscription: Subscription, invoice: Invoice): void {
  const secrets = world.state.stripe.subscriptionSecrets[subscription.id];
  const methodId = idOf(subscription.default_payment_method);
  const previous = { status: subscription.status };
  if (payInvoice(world, invoice, { methodId, declines: secrets?.declines === true })) {
    if (subscription.status === 'active') return;
    subscription.status = 'active';
    emit(world, 'customer.subscription.updated', subscription, previous);
    return;
  }
  const wait = retryDays[invoice.attempt_count - 1];
  if (wait === undefined) {
    invoice.next_payment_attempt = null;
    endSubscription(world, subscription, 'payment_failed');
    return;
  }
  invoice.next_payment_attempt = world.seconds() + wait * daySeconds;
  if (subscription.status === 'past_due') return;
  subscription.status = 'past_due';
  emit(world, 'customer.subscription.updated', subscription, previous);
}

/** The bill of a subscription that could not be charged yet; the newest, if there are several. */
function unpaidOf(world: World, subscription: Subscription): Invoice | undefined {
  return Object.values(world.state.stripe.invoices).findLast(
    (invoice) => invoice.status === 'open' && subscriptionOf(invoice) === subscription.id,
  );
}
