import type { Form } from '../lib/form.ts';
import { periodEnd } from '../lib/periods.ts';
import type { World } from '../world.ts';
import { addInvoice, type BillLine } from './add-invoice.ts';
import { mergeMetadata } from './customers.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { payInvoice, voidInvoice } from './invoices.ts';
import { listParameters, pageOf } from './lists.ts';
import { planOf } from './prices.ts';
import { StripeRefusal } from './refusal.ts';
import { fits } from './sessions.ts';
import { itemOf, periodLine } from './start-subscription.ts';
import { idOf, type Price, type Subscription } from './wire.ts';

const updateParameters = [
  'items',
  'cancel_at_period_end',
  'proration_behavior',
  'proration_date',
  'payment_behavior',
  'billing_cycle_anchor',
  'metadata',
  'default_payment_method',
  'cancellation_details',
  'off_session',
  'description',
  'expand',
];

/** POST /v1/subscriptions/:id */
export function updateSubscription(world: World, form: Form, id: string): Subscription {
  form.only(...updateParameters);
  const subscription = find(world, 'subscriptions', id);
  if (subscription.status === 'canceled') {
    throw StripeRefusal.wrongState(
      'A canceled subscription can only update its cancellation_details and metadata.',
    );
  }
  const cancels = form.flag('cancel_at_period_end');
  if (cancels !== null) markForCancellation(world, subscription, cancels);
  subscription.metadata = mergeMetadata(subscription.metadata, form.table('metadata'));
  const method = form.text('default_payment_method');
  if (method !== null) {
    subscription.default_payment_method = find(world, 'paymentMethods', method, 'default_payment_method').id;
  }
  if (form.has('items')) changePrice(world, subscription, form);
  emit(world, 'customer.subscription.updated', subscription, {});
  return subscription;
}

/** Has a subscription end with its period, or go on after all. */
export function markForCancellation(world: World, subscription: Subscription, cancels: boolean): void {
  subscription.cancel_at_period_end = cancels;
  subscription.cancel_at = cancels ? itemOf(subscription).current_period_end : null;
  subscription.canceled_at = cancels ? world.seconds() : null;
  if (subscription.cancellation_details) {
    subscription.cancellation_details.reason = cancels ? 'cancellation_requested' : null;
  }
}

/**
 * Puts a subscription on another price. What the change costs is billed now (`always_invoice`, or when the
 * period begins anew), with the next bill (`create_prorations`), or not at all (`none`). With
 * `error_if_incomplete`, a change that cannot be paid does not happen.
 */
function changePrice(world: World, subscription: Subscription, form: Form): void {
  const [line, ...others] = form.parts('items');
  if (line === undefined || others.length > 0) {
    throw StripeRefusal.wrongParameter('items', 'the stand-in knows subscriptions of one item only');
  }
  line.only('id', 'price', 'quantity');
  const item = itemOf(subscription);
  if (line.needText('id') !== item.id) {
    throw StripeRefusal.missingResource('subscription_item', line.needText('id'), 'items[0][id]');
  }
  const price = find(world, 'prices', line.needText('price'), 'items[0][price]');
  const before = structuredClone(item);
  const behavior = form.choice('proration_behavior', 'create_prorations', 'always_invoice', 'none');
  const anchor = form.choice('billing_cycle_anchor', 'unchanged', 'now');
  const beginsAnew = anchor === 'now' || !hasSameInterval(item.price, price);
  const prorations = behavior === 'none' ? [] : prorate(world, subscription, { price, beginsAnew });
  if (beginsAnew) beginPeriod(world, subscription, price);
  item.price = structuredClone(price);
  item.plan = planOf(price);
  const lines = beginsAnew ? [...prorations, periodLine(world, item)] : prorations;
  if (beginsAnew || behavior === 'always_invoice') {
    const isStrict = form.text('payment_behavior') === 'error_if_incomplete';
    billChange(world, subscription, { lines, isStrict, takeBack: () => Object.assign(item, before) });
  } else keepForLater(world, subscription, lines);
}

function hasSameInterval(one: Price, other: Price): boolean {
  return (
    one.recurring?.interval === other.recurring?.interval &&
    one.recurring?.interval_count === other.recurring?.interval_count
  );
}

function beginPeriod(world: World, subscription: Subscription, price: Price): void {
  const item = itemOf(subscription);
  const now = world.seconds();
  const { interval = 'month', interval_count: count = 1 } = price.recurring ?? {};
  subscription.billing_cycle_anchor = now;
  item.current_period_start = now;
  item.current_period_end = periodEnd(now, now, interval, count);
}

/** What the rest of the period was paid for and is not used; and what it costs at the new price. */
function prorate(
  world: World,
  subscription: Subscription,
  { price, beginsAnew }: { price: Price; beginsAnew: boolean },
): BillLine[] {
  const item = structuredClone(itemOf(subscription));
  const start = world.seconds();
  const end = item.current_period_end;
  const share = (amount: number) =>
    Math.round((amount * (end - start)) / Math.max(1, end - item.current_period_start));
  const unused = share((item.price.unit_amount ?? 0) * (item.quantity ?? 1));
  const line = { item, start, end, isProration: true };
  const credit = { ...line, amount: -unused, description: 'Unused time' };
  if (beginsAnew) return [credit];
  const newItem = { ...item, price: structuredClone(price) };
  const amount = share((price.unit_amount ?? 0) * (item.quantity ?? 1));
  return [credit, { ...line, item: newItem, amount, description: 'Remaining time' }];
}

type Change = { lines: BillLine[]; isStrict: boolean; takeBack: () => void };

function billChange(world: World, subscription: Subscription, { lines, isStrict, takeBack }: Change): void {
  const customer = world.state.stripe.customers[idOf(subscription.customer) ?? ''];
  const balance = customer?.balance ?? 0;
  const invoice = addInvoice(world, subscription, { reason: 'subscription_update', lines });
  const declines = world.state.stripe.subscriptionSecrets[subscription.id]?.declines === true;
  const methodId = idOf(subscription.default_payment_method);
  if (payInvoice(world, invoice, { methodId, declines })) return;
  if (!isStrict) {
    subscription.status = 'past_due';
    return;
  }
  voidInvoice(world, invoice);
  takeBack();
  if (customer) customer.balance = balance;
  const message = 'Your card was declined.';
  throw new StripeRefusal(402, {
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'generic_decline',
    message,
  });
}

function keepForLater(world: World, subscription: Subscription, lines: BillLine[]): void {
  const secrets = world.state.stripe.subscriptionSecrets[subscription.id];
  secrets?.pendingProrations.push(...lines.map(({ amount, description }) => ({ amount, description })));
}

/** DELETE /v1/subscriptions/:id */
export function cancelSubscription(world: World, form: Form, id: string): Subscription {
  form.only('prorate', 'invoice_now', 'cancellation_details', 'expand');
  const subscription = find(world, 'subscriptions', id);
  if (subscription.status === 'canceled') throw StripeRefusal.missingResource('subscription', id);
  return endSubscription(world, subscription, 'cancellation_requested');
}

/** A subscription that is over. */
export function endSubscription(
  world: World,
  subscription: Subscription,
  reason: 'cancellation_requested' | 'payment_failed',
): Subscription {
  subscription.status = 'canceled';
  subscription.canceled_at ??= world.seconds();
  subscription.ended_at = world.seconds();
  if (subscription.cancellation_details) subscription.cancellation_details.reason = reason;
  emit(world, 'customer.subscription.deleted', subscription);
  return subscription;
}

/** GET /v1/subscriptions: those that are over only when they are asked for. */
export function listSubscriptions(world: World, form: Form) {
  form.only(...listParameters, 'customer', 'price', 'status');
  const status = form.text('status');
  const price = form.text('price');
  const wanted = Object.values(world.state.stripe.subscriptions).filter(
    (subscription) =>
      fits(form, 'customer', subscription.customer) &&
      (price === null || itemOf(subscription).price.id === price) &&
      (status === 'all' ||
        (status === null ? subscription.status !== 'canceled' : subscription.status === status)),
  );
  return pageOf(wanted, form, '/v1/subscriptions');
}
