import type { World } from '../world.ts';
import { Body } from './body.ts';
import { newPayPalId, tell, timeOf } from './events.ts';
import { centsOf, moneyOf, readMoney, textOf } from './money.ts';
import { optional } from './orders.ts';
import { PayPalRefusal } from './refusal.ts';
import type { Capture, Refund, Sale } from './state.ts';

/** A payment that can be given back: a capture, or the payment of a subscription. */
type Payment = { id: string; cents: number; currency: string; capture?: Capture; sale?: Sale };

/** POST /v2/payments/captures/:id/refund, which takes the payments of subscriptions as well */
export function createRefund(world: World, id: string, body: Body): Refund {
  const payment = findPayment(world, id);
  const left = payment.cents - refundedCents(world, id);
  const wanted = body.has('amount')
    ? readMoney(body.part('amount'))
    : { cents: left, currency: payment.currency };
  if (wanted.currency !== payment.currency) {
    throw PayPalRefusal.unprocessable('CURRENCY_MISMATCH', 'The currency must be that of the capture.');
  }
  if (left <= 0) {
    throw PayPalRefusal.unprocessable(
      'CAPTURE_FULLY_REFUNDED',
      'The capture has already been fully refunded.',
    );
  }
  if (wanted.cents > left) {
    throw PayPalRefusal.unprocessable(
      'REFUND_AMOUNT_EXCEEDED',
      'The refund amount must be less than or equal to the capture amount that has not yet been refunded.',
    );
  }
  return addRefund(world, payment, {
    cents: wanted.cents,
    customId: body.text('custom_id') ?? payment.capture?.custom_id ?? payment.sale?.custom ?? null,
    invoiceId: body.text('invoice_id', 127) ?? payment.capture?.invoice_id ?? null,
    note: body.text('note_to_payer'),
  });
}

/** A refund by the seller's own hand, the whole rest of a payment unless an amount is said. */
export function refundPayment(world: World, id: string, amountCents: number | null): Refund {
  const { currency } = findPayment(world, id);
  return createRefund(
    world,
    id,
    new Body(amountCents === null ? {} : { amount: moneyOf(amountCents, currency) }),
  );
}

type NewRefund = { cents: number; customId: string | null; invoiceId: string | null; note: string | null };

function addRefund(world: World, payment: Payment, { cents, customId, invoiceId, note }: NewRefund): Refund {
  const { paypal } = world.state;
  const { currency } = payment;
  const id = newPayPalId(world);
  const now = timeOf(world);
  const isWaiting = payment.capture?.status === 'PENDING';
  if (isWaiting) throw PayPalRefusal.unprocessable('INVALID_RESOURCE_STATE', 'The capture is not completed.');
  const refund: Refund = {
    id,
    status: 'COMPLETED',
    amount: moneyOf(cents, currency),
    ...optional('invoice_id', invoiceId),
    ...optional('custom_id', customId),
    ...optional('note_to_payer', note),
    seller_payable_breakdown: {
      gross_amount: moneyOf(cents, currency),
      paypal_fee: moneyOf(0, currency),
      net_amount: moneyOf(cents, currency),
      total_refunded_amount: moneyOf(refundedCents(world, payment.id) + cents, currency),
    },
    create_time: now,
    update_time: now,
    links: [
      { href: `${world.url}/v2/payments/refunds/${id}`, rel: 'self', method: 'GET' },
      { href: `${world.url}/v2/payments/captures/${payment.id}`, rel: 'up', method: 'GET' },
    ],
  };
  paypal.refunds[id] = refund;
  paypal.movements.push({
    id,
    code: 'T1107',
    referenceId: payment.id,
    amountCents: -cents,
    currency,
    status: 'S',
    customId,
    invoiceId,
    at: now,
  });
  markRefunded(world, payment);
  tellOfRefund(world, payment, refund);
  return refund;
}

/** What has come of a payment by the refunds that went well. */
function markRefunded(world: World, { id, cents, capture, sale }: Payment): void {
  const sum = refundedCents(world, id);
  const now = timeOf(world);
  if (capture) {
    capture.status = sum >= cents ? 'REFUNDED' : sum > 0 ? 'PARTIALLY_REFUNDED' : 'COMPLETED';
    capture.update_time = now;
  }
  if (sale) {
    sale.state = sum >= cents ? 'refunded' : sum > 0 ? 'partially_refunded' : 'completed';
    sale.update_time = now;
  }
}

/**
 * Of a capture PayPal tells as the second version of its API does, of a subscription's payment as the first
 * one.
 */
function tellOfRefund(world: World, { capture, sale }: Payment, refund: Refund): void {
  const { value, currency_code: currency } = refund.amount;
  const summary = `A ${value} ${currency} payment was refunded`;
  if (capture) {
    tell(
      world,
      { type: 'PAYMENT.CAPTURE.REFUNDED', resourceType: 'refund', summary, version: '2.0' },
      refund,
    );
  }
  if (!sale) return;
  const resource = {
    id: refund.id,
    sale_id: sale.id,
    state: 'completed',
    amount: { total: textOf(-centsOf(refund.amount), currency), currency },
    ...optional('custom', refund.custom_id ?? null),
    create_time: refund.create_time,
    update_time: refund.update_time,
    links: [
      { href: `${world.url}/v1/payments/refund/${refund.id}`, rel: 'self', method: 'GET' },
      { href: `${world.url}/v1/payments/sale/${sale.id}`, rel: 'sale', method: 'GET' },
    ],
  };
  tell(world, { type: 'PAYMENT.SALE.REFUNDED', resourceType: 'refund', summary }, resource);
}

/** A refund that the bank sends back: the payment is as it was before. */
export function failRefund(world: World, refund: Refund): void {
  if (refund.status === 'FAILED') return;
  refund.status = 'FAILED';
  refund.update_time = timeOf(world);
  const up = refund.links.find(({ rel }) => rel === 'up')?.href ?? '';
  markRefunded(world, findPayment(world, up.slice(up.lastIndexOf('/') + 1)));
  const movement = world.state.paypal.movements.find(({ id }) => id === refund.id);
  if (movement) movement.status = 'D';
  const summary = `A ${refund.amount.value} ${refund.amount.currency_code} refund failed`;
  tell(world, { type: 'PAYMENT.REFUND.FAILED', resourceType: 'refund', summary, version: '2.0' }, refund);
}

/** A capture or a subscription's payment by its id. */
export function findPayment(world: World, id: string): Payment {
  const { captures, sales } = world.state.paypal;
  const capture = Object.hasOwn(captures, id) ? captures[id] : undefined;
  if (capture) return { id, cents: centsOf(capture.amount), currency: capture.amount.currency_code, capture };
  const sale = Object.hasOwn(sales, id) ? sales[id] : undefined;
  if (!sale) throw PayPalRefusal.notFound();
  const { total, currency } = sale.amount;
  return { id, cents: centsOf({ value: total, currency_code: currency }), currency, sale };
}

function refundedCents(world: World, paymentId: string): number {
  const path = `/v2/payments/captures/${paymentId}`;
  return Object.values(world.state.paypal.refunds)
    .filter(({ status, links }) => status !== 'FAILED' && links.some(({ href }) => href.endsWith(path)))
    .reduce((sum, { amount }) => sum + centsOf(amount), 0);
}
