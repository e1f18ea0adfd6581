import type { World } from '../world.ts';
import { list } from './lists.ts';
import { planOf } from './prices.ts';
import type { Price, Subscription, SubscriptionItem } from './wire.ts';

/** What is the same in every subscription of the stand-in when it begins. */
const blankSubscription = {
  object: 'subscription',
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_cycle_anchor_config: null,
  billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
  billing_schedules: [],
  billing_thresholds: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
  collection_method: 'charge_automatically',
  customer_account: null,
  days_until_due: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  ended_at: null,
  invoice_settings: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' },
  },
  latest_invoice: null,
  livemode: false,
  managed_payments: null,
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: 'off',
  },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  status: 'incomplete',
  test_clock: null,
  transfer_data: null,
  trial_end: null,
  trial_settings: {
    end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' },
  },
  trial_start: null,
} satisfies Partial<Subscription>;

type Order = {
  customerId: string;
  methodId: string;
  price: Price;
  quantity: number;
  metadata: Record<string, string>;
  periodEnd: number;
};

/** A subscription that begins now, not yet paid for. */
export function buildSubscription(world: World, order: Order): Subscription {
  const id = world.newId('sub_');
  const now = world.seconds();
  return {
    ...structuredClone(blankSubscription),
    id,
    billing_cycle_anchor: now,
    created: now,
    currency: order.price.currency,
    customer: order.customerId,
    default_payment_method: order.methodId,
    items: list([buildItem(world, id, order)], false, `/v1/subscription_items?subscription=${id}`),
    metadata: order.metadata,
    start_date: now,
  };
}

function buildItem(world: World, subscriptionId: string, order: Order): SubscriptionItem {
  const now = world.seconds();
  return {
    id: world.newId('si_', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created: now,
    current_period_end: order.periodEnd,
    current_period_start: now,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: planOf(order.price),
    price: structuredClone(order.price),
    quantity: order.quantity,
    subscription: subscriptionId,
    tax_rates: [],
  };
}
