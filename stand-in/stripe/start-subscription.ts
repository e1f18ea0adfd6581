import { periodEnd } from '../lib/periods.ts';
import type { World } from '../world.ts';
import { addInvoice, type BillLine } from './add-invoice.ts';
import { buildSubscription } from './build-subscription.ts';
import { emit } from './events.ts';
import { payInvoice } from './invoices.ts';
import {
  idOf,
  type Invoice,
  type LineItem,
  type PaymentMethod,
  type Subscription,
  type SubscriptionItem,
} from './wire.ts';

type Start = {
  customerId: string;
  method: PaymentMethod;
  lines: LineItem[];
  metadata: Record<string, string>;
};

/** Begins a subscription with its first bill, which is paid at once. */
export function startSubscription(
  world: World,
  { customerId, method, lines, metadata }: Start,
): { subscription: Subscription; invoice: Invoice } {
  const line = lines[0];
  const price = line?.price;
  if (!price) throw new Error('a subscription needs a price');
  const now = world.seconds();
  const { interval = 'month', interval_count: count = 1 } = price.recurring ?? {};
  const subscription = buildSubscription(world, {
    customerId,
    methodId: method.id,
    price,
    quantity: line.quantity ?? 1,
    metadata,
    periodEnd: periodEnd(now, now, interval, count),
  });
  world.state.stripe.subscriptions[subscription.id] = subscription;
  world.state.stripe.subscriptionSecrets[subscription.id] = { declines: false, pendingProrations: [] };
  emit(world, 'customer.subscription.created', subscription);
  const invoice = addInvoice(world, subscription, {
    reason: 'subscription_create',
    lines: [periodLine(world, itemOf(subscription))],
  });
  payInvoice(world, invoice, { methodId: method.id, declines: false });
  subscription.status = 'active';
  emit(world, 'customer.subscription.updated', subscription, { status: 'incomplete' });
  return { subscription, invoice };
}

/** The line of a bill for the period that an item is in. */
export function periodLine(world: World, item: SubscriptionItem): BillLine {
  const { price } = item;
  const name = world.state.stripe.products[idOf(price.product) ?? '']?.name ?? 'Subscription';
  const amount = (price.unit_amount ?? 0) * (item.quantity ?? 1);
  return {
    item,
    amount,
    description: `${item.quantity ?? 1} × ${name}`,
    start: item.current_period_start,
    end: item.current_period_end,
    isProration: false,
  };
}

/** The one item of a subscription; the stand-in knows no others. */
export function itemOf(subscription: Subscription): SubscriptionItem {
  const item = subscription.items.data[0];
  if (item === undefined) throw new Error(`the subscription ${subscription.id} has no item`);
  return item;
}
