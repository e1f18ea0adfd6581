import { periodEnd } from '../lib/periods.ts';
import type { World } from '../world.ts';
import { feeOf } from './capture-payment.ts';
import { isoOf, newPayPalId, tell, timeOf } from './events.ts';
import { centsOf, moneyOf, textOf, type Money } from './money.ts';
import { optional } from './orders.ts';
import type { Plan, Sale, Subscription } from './state.ts';
import { findPlan, setStatus, subscriptionSecretsOf, tellOf } from './find-subscription.ts';

const retryMs = 5 * 86_400_000;
const units = { DAY: 'day', WEEK: 'week', MONTH: 'month', YEAR: 'year' } as const;

/** When a subscription is billed next, in milliseconds; null when it is not. */
export function nextBillingOf(subscription: Subscription): number | null {
  const next = subscription.billing_info?.next_billing_time;
  return subscription.status === 'ACTIVE' && next !== undefined ? Date.parse(next) : null;
}

/** Bills the next period. A decline is tried again, until the plan has the subscription suspended. */
export function renewSubscription(world: World, subscription: Subscription): void {
  if (!subscriptionSecretsOf(world, subscription).declines) {
    bill(world, subscription).tell();
    return;
  }
  const info = subscription.billing_info;
  if (!info) return;
  const plan = findPlan(world, subscription.plan_id);
  const retryAt = isoOf(new Date(world.now().getTime() + retryMs));
  info.failed_payments_count += 1;
  info.outstanding_balance = priceOf(plan);
  info.last_failed_payment = {
    amount: priceOf(plan),
    time: timeOf(world),
    next_payment_retry_time: retryAt,
    reason_code: 'PAYMENT_DENIED',
  };
  info.next_billing_time = retryAt;
  subscription.update_time = timeOf(world);
  tellOf(world, subscription, 'PAYMENT.FAILED');
  const { payment_failure_threshold: threshold } = plan.payment_preferences;
  if (threshold === 0 || info.failed_payments_count < threshold) return;
  setStatus(world, subscription, 'SUSPENDED');
  tellOf(world, subscription, 'SUSPENDED');
}

/** Takes the payment of a period that begins now. `tell` says so, after whatever has to be said before. */
export function bill(world: World, subscription: Subscription): { sale: Sale; tell: () => void } {
  const plan = findPlan(world, subscription.plan_id);
  const amount = priceOf(plan);
  const sale = addSale(world, subscription, amount);
  const [cycle] = plan.billing_cycles.filter(({ tenure_type: type }) => type === 'REGULAR');
  const { interval_unit: unit = 'MONTH', interval_count: count = 1 } = cycle?.frequency ?? {};
  const anchor = Date.parse(subscriptionSecretsOf(world, subscription).anchor) / 1000;
  const completed = (subscription.billing_info?.cycle_executions[0]?.cycles_completed ?? 0) + 1;
  subscription.billing_info = {
    outstanding_balance: moneyOf(0, amount.currency_code),
    cycle_executions: [
      {
        tenure_type: 'REGULAR',
        sequence: 1,
        cycles_completed: completed,
        cycles_remaining: 0,
        current_pricing_scheme_version: 1,
        total_cycles: 0,
      },
    ],
    last_payment: { amount, time: timeOf(world) },
    next_billing_time: isoOf(new Date(periodEnd(anchor, world.seconds(), units[unit], count) * 1000)),
    failed_payments_count: 0,
  };
  subscription.update_time = timeOf(world);
  const summary = `Payment completed for ${amount.currency_code} ${amount.value}`;
  return {
    sale,
    tell: () => void tell(world, { type: 'PAYMENT.SALE.COMPLETED', resourceType: 'sale', summary }, sale),
  };
}

function priceOf(plan: Plan): Money {
  const cycle = plan.billing_cycles.find(({ tenure_type: type }) => type === 'REGULAR');
  if (!cycle) throw new Error(`the plan ${plan.id} has no price`);
  return cycle.pricing_scheme.fixed_price;
}

function addSale(world: World, subscription: Subscription, amount: Money): Sale {
  const id = newPayPalId(world);
  const now = timeOf(world);
  const cents = centsOf(amount);
  const currency = amount.currency_code;
  const self = `${world.url}/v1/payments/sale/${id}`;
  const sale: Sale = {
    id,
    state: 'completed',
    amount: { total: amount.value, currency, details: { subtotal: amount.value } },
    payment_mode: 'INSTANT_TRANSFER',
    protection_eligibility: 'ELIGIBLE',
    protection_eligibility_type: 'ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE',
    transaction_fee: { value: textOf(feeOf(cents), currency), currency },
    billing_agreement_id: subscription.id,
    ...optional('custom', subscription.custom_id ?? null),
    create_time: now,
    update_time: now,
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: `${self}/refund`, rel: 'refund', method: 'POST' },
    ],
  };
  world.state.paypal.sales[id] = sale;
  world.state.paypal.movements.push({
    id,
    code: 'T0002',
    referenceId: subscription.id,
    amountCents: cents,
    currency,
    status: 'S',
    customId: subscription.custom_id ?? null,
    invoiceId: null,
    at: now,
  });
  return sale;
}

/** GET /v1/billing/subscriptions/:id/transactions */
export function listPayments(world: World, id: string, query: URLSearchParams) {
  const from = Date.parse(query.get('start_time') ?? '');
  const to = Date.parse(query.get('end_time') ?? '');
  const sales = Object.values(world.state.paypal.sales).filter(
    (sale) =>
      sale.billing_agreement_id === id &&
      !(Date.parse(sale.create_time) < from) &&
      !(Date.parse(sale.create_time) > to),
  );
  const subscriber = world.state.paypal.subscriptions[id]?.subscriber;
  const states = { refunded: 'REFUNDED', partially_refunded: 'PARTIALLY_REFUNDED', denied: 'DECLINED' };
  const transactions = sales.toReversed().map((sale) => ({
    status: states[sale.state as keyof typeof states] ?? 'COMPLETED',
    id: sale.id,
    amount_with_breakdown: {
      gross_amount: { currency_code: sale.amount.currency, value: sale.amount.total },
      fee_amount: { currency_code: sale.amount.currency, value: sale.transaction_fee.value },
    },
    payer_name: subscriber?.name,
    payer_email: subscriber?.email_address,
    time: sale.create_time,
  }));
  const self = {
    href: `${world.url}/v1/billing/subscriptions/${id}/transactions`,
    rel: 'self',
    method: 'GET',
  };
  return { transactions, links: [self] };
}
