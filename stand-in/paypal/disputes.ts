import type { World } from '../world.ts';
import { isoOf, newPayPalId, tell, timeOf } from './events.ts';
import { moneyOf } from './money.ts';
import { optional } from './orders.ts';
import { PayPalRefusal } from './refusal.ts';
import { findPayment } from './refunds.ts';
import { countIn } from './report.ts';
import type { Dispute } from './state.ts';

const answerMs = 10 * 86_400_000;

/** A buyer calls a payment back, the whole of it unless an amount is said. */
export function openDispute(world: World, paymentId: string, amountCents?: number): Dispute {
  const payment = findPayment(world, paymentId);
  const { capture, sale, cents, currency } = payment;
  const id = `PP-D-${world.randomText(5, '123456789')}`;
  const now = timeOf(world);
  const dispute: Dispute = {
    dispute_id: id,
    create_time: now,
    update_time: now,
    disputed_transactions: [
      {
        buyer_transaction_id: newPayPalId(world),
        seller_transaction_id: paymentId,
        create_time: capture?.create_time ?? sale?.create_time ?? now,
        transaction_status: 'COMPLETED',
        gross_amount: moneyOf(cents, currency),
        ...optional('invoice_number', capture?.invoice_id ?? null),
        ...optional('custom', capture?.custom_id ?? sale?.custom ?? null),
        buyer: { name: 'Alex Buyer' },
        seller: { email: 'merchant@example.com', merchant_id: 'STANDINMERCHANT', name: 'Obol' },
      },
    ],
    reason: 'UNAUTHORISED',
    status: 'WAITING_FOR_SELLER_RESPONSE',
    dispute_amount: moneyOf(amountCents ?? cents, currency),
    dispute_life_cycle_stage: 'CHARGEBACK',
    dispute_channel: 'INTERNAL',
    seller_response_due_date: isoOf(new Date(world.now().getTime() + answerMs)),
    links: [{ href: `${world.url}/v1/customer/disputes/${id}`, rel: 'self', method: 'GET' }],
  };
  world.state.paypal.disputes[id] = dispute;
  tellOf(world, 'CREATED', dispute);
  return dispute;
}

/** PayPal decides. What the buyer gets comes from the seller, as a reversal of the payment. */
export function closeDispute(world: World, dispute: Dispute, outcome: 'won' | 'lost'): Dispute {
  if (dispute.status === 'RESOLVED') {
    throw PayPalRefusal.unprocessable('INVALID_STATE', 'The dispute is resolved already.');
  }
  dispute.status = 'RESOLVED';
  dispute.update_time = timeOf(world);
  dispute.dispute_outcome =
    outcome === 'won'
      ? { outcome_code: 'RESOLVED_SELLER_FAVOUR' }
      : { outcome_code: 'RESOLVED_BUYER_FAVOUR', amount_refunded: dispute.dispute_amount };
  tellOf(world, 'RESOLVED', dispute);
  if (outcome === 'lost') reverse(world, dispute);
  return dispute;
}

function tellOf(world: World, what: 'CREATED' | 'RESOLVED', dispute: Dispute): void {
  const summary = what === 'CREATED' ? 'A new dispute opened' : 'A dispute was resolved';
  tell(world, { type: `CUSTOMER.DISPUTE.${what}`, resourceType: 'dispute', summary }, dispute);
}

function reverse(world: World, dispute: Dispute): void {
  const paymentId = dispute.disputed_transactions[0]?.seller_transaction_id ?? '';
  const { capture, sale, currency } = findPayment(world, paymentId);
  const { value } = dispute.dispute_amount;
  const id = newPayPalId(world);
  const now = timeOf(world);
  const movement = { id, code: 'T1106', referenceId: paymentId, status: 'S', at: now } as const;
  const customId = capture?.custom_id ?? sale?.custom ?? null;
  const invoiceId = capture?.invoice_id ?? null;
  const amountCents = -Number(value.replace('.', ''));
  world.state.paypal.movements.push({ ...movement, amountCents, currency, customId, invoiceId });
  const summary = `A ${value} ${currency} payment was reversed`;
  if (capture) {
    const up = { href: `${world.url}/v2/payments/captures/${paymentId}`, rel: 'up', method: 'GET' };
    const resource = {
      id,
      status: 'COMPLETED',
      amount: dispute.dispute_amount,
      ...optional('custom_id', customId),
      ...optional('invoice_id', invoiceId),
      create_time: now,
      update_time: now,
      links: [up],
    };
    tell(
      world,
      { type: 'PAYMENT.CAPTURE.REVERSED', resourceType: 'refund', summary, version: '2.0' },
      resource,
    );
  }
  if (sale) {
    const amount = { total: `-${value}`, currency };
    const resource = {
      id,
      sale_id: sale.id,
      state: 'completed',
      amount,
      create_time: now,
      update_time: now,
      links: [],
    };
    tell(world, { type: 'PAYMENT.SALE.REVERSED', resourceType: 'sale', summary }, resource);
  }
}

/** What a list says of a dispute: less than the dispute itself. */
function summaryOf(dispute: Dispute) {
  const { disputed_transactions: _transactions, dispute_outcome: _outcome, ...summary } = dispute;
  return { ...summary, dispute_state: dispute.status === 'RESOLVED' ? 'RESOLVED' : 'REQUIRED_ACTION' };
}

/** GET /v1/customer/disputes */
export function listDisputes(world: World, query: URLSearchParams) {
  const transaction = query.get('disputed_transaction_id');
  const since = query.get('start_time') ?? query.get('update_time_after');
  const items = Object.values(world.state.paypal.disputes).filter(
    (dispute) =>
      (transaction === null ||
        dispute.disputed_transactions.some((item) => item.seller_transaction_id === transaction)) &&
      (since === null || Date.parse(dispute.update_time) >= Date.parse(since)),
  );
  const newest = items.toReversed();
  const size = countIn(query, 'page_size', { usual: 10, max: 50 });
  const start = Number(query.get('next_page_token') ?? 0) || 0;
  const self = new URL(`${world.url}/v1/customer/disputes?${query.toString()}`);
  const next = new URL(self);
  next.searchParams.set('next_page_token', String(start + size));
  const hasMore = start + size < newest.length;
  return {
    items: newest.slice(start, start + size).map(summaryOf),
    links: [
      { href: self.href, rel: 'self', method: 'GET' },
      ...(hasMore ? [{ href: next.href, rel: 'next', method: 'GET' }] : []),
    ],
  };
}
