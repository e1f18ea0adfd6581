import type { World } from '../world.ts';
import { emit } from './events.ts';
import { list } from './lists.ts';
import { idOf, type Invoice, type InvoiceLine, type Subscription, type SubscriptionItem } from './wire.ts';

/** What is the same in every bill of the stand-in. */
const blankInvoice = {
  object: 'invoice',
  account_country: 'DE',
  account_name: 'Obol stand-in',
  account_tax_ids: null,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  auto_advance: false,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  automatically_finalizes_at: null,
  collection_method: 'charge_automatically',
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  ending_balance: 0,
  footer: null,
  from_invoice: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  metadata: {},
  next_payment_attempt: null,
  number: null,
  on_behalf_of: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  statement_descriptor: null,
  status: 'open',
  test_clock: null,
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} satisfies Partial<Invoice>;

/** One line of a bill: a period of a subscription, or what a change within one costs or gives back. */
export type BillLine = {
  item: SubscriptionItem;
  amount: number;
  description: string;
  start: number;
  end: number;
  isProration: boolean;
};

export type Bill = {
  reason: 'subscription_create' | 'subscription_cycle' | 'subscription_update';
  lines: BillLine[];
};

/**
 * Writes a bill of a subscription and makes it final. What it comes to below nothing is to the customer's
 * credit.
 */
export function addInvoice(world: World, subscription: Subscription, { reason, lines }: Bill): Invoice {
  const { stripe } = world.state;
  const customer = stripe.customers[idOf(subscription.customer) ?? ''];
  const total = lines.reduce((sum, line) => sum + line.amount, 0);
  const before = customer?.balance ?? 0;
  const due = Math.max(0, total + before);
  if (customer) customer.balance = Math.min(0, total + before);
  const invoice = buildInvoice(world, subscription, { reason, lines, total, due, before });
  invoice.ending_balance = customer?.balance ?? 0;
  invoice.number = `${customer?.invoice_prefix ?? 'OBOL'}-${String(customer?.next_invoice_sequence ?? 1).padStart(4, '0')}`;
  if (customer) customer.next_invoice_sequence = (customer.next_invoice_sequence ?? 1) + 1;
  stripe.invoices[invoice.id] = invoice;
  subscription.latest_invoice = invoice.id;
  emit(world, 'invoice.created', { ...invoice, status: 'draft', number: null } as Invoice);
  emit(world, 'invoice.finalized', invoice);
  return invoice;
}

type Sums = Bill & { total: number; due: number; before: number };

function buildInvoice(
  world: World,
  subscription: Subscription,
  { reason, lines, total, due, before }: Sums,
): Invoice {
  const id = world.newId('in_');
  const now = world.seconds();
  const customer = world.state.stripe.customers[idOf(subscription.customer) ?? ''];
  const data = lines.map((line) => buildLine(world, subscription, id, line));
  return {
    ...structuredClone(blankInvoice),
    id,
    amount_due: due,
    amount_remaining: due,
    billing_reason: reason,
    created: now,
    currency: subscription.currency,
    customer: idOf(subscription.customer),
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    effective_at: now,
    hosted_invoice_url: `${world.url}/invoices/${id}`,
    invoice_pdf: `${world.url}/invoices/${id}?pdf`,
    lines: list(data, false, `/v1/invoices/${id}/lines`),
    parent: {
      quote_details: null,
      subscription_details: { metadata: { ...subscription.metadata }, subscription: subscription.id },
      type: 'subscription_details',
    },
    period_end: now,
    period_start: reason === 'subscription_cycle' ? startOf(lines, now) : now,
    starting_balance: before,
    status_transitions: { finalized_at: now, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  };
}

/** A bill of a period names the one before it as its own; its lines name the period that they are for. */
function startOf(lines: BillLine[], now: number): number {
  const line = lines[0];
  return line ? Math.min(now, now - (line.end - line.start)) : now;
}

function buildLine(world: World, subscription: Subscription, invoiceId: string, line: BillLine): InvoiceLine {
  const { item } = line;
  return {
    id: world.newId('il_'),
    object: 'line_item',
    amount: line.amount,
    currency: subscription.currency,
    description: line.description,
    discount_amounts: [],
    discountable: !line.isProration,
    discounts: [],
    invoice: invoiceId,
    livemode: false,
    metadata: { ...subscription.metadata },
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: line.isProration ? world.newId('ii_') : null,
        proration: line.isProration,
        proration_details: line.isProration ? { credited_items: null } : null,
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: { end: line.end, start: line.start },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: item.price.id, product: idOf(item.price.product) ?? '' },
      type: 'price_details',
      unit_amount_decimal: item.price.unit_amount_decimal,
    },
    quantity: item.quantity ?? 1,
    quantity_decimal: String(item.quantity ?? 1),
    subscription: subscription.id,
    subtotal: line.amount,
    taxes: [],
  };
}
