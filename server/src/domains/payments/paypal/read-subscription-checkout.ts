import type { Fact, InvoiceFact } from '../fact.ts';
import { JsonError, readList, readMember, readText, readTime, type Json } from './json.ts';
import { readMoney } from './money.ts';
import { approvalMs } from './open-order.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { billPeriod } from './read-sale-facts.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

/** Before these nobody has paid. */
const waitingStatuses = new Set(['APPROVAL_PENDING', 'APPROVED']);

const statuses: Record<string, InvoiceFact['status']> = {
  PENDING: 'open',
  DECLINED: 'failed',
  COMPLETED: 'paid',
  PARTIALLY_REFUNDED: 'paid',
  REFUNDED: 'paid',
};

/**
 * The subscription, of which the checkout has the id, with what was paid for it; nothing while the customer
 * may still approve it, null when PayPal knows none such or nobody has approved it in time. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function readSubscriptionCheckout(
  connection: PaypalConnection,
  checkoutId: string,
): Promise<Fact[] | null> {
  const path = `/v1/billing/subscriptions/${encodeURIComponent(checkoutId)}`;
  const answer = await connection.client.call('GET', path);
  if (answer.status === 404) return null;
  const now = connection.clock.now();
  return readAnswer(async () => {
    const subscription = expectBody(answer);
    const begunAt = readTime(subscription, 'create_time');
    if (waitingStatuses.has(readText(subscription, 'status')))
      return now.getTime() - begunAt.getTime() < approvalMs ? [] : null;
    const fact = await toSubscriptionFact(connection, { subscription, toldAt: now });
    const bills = await readBills(connection, checkoutId, begunAt);
    return fact === null ? bills : [fact, ...bills];
  });
}

/** What was paid for a subscription since it was opened. */
async function readBills(
  connection: PaypalConnection,
  providerSubscriptionId: string,
  begunAt: Date,
): Promise<InvoiceFact[]> {
  const path = `/v1/billing/subscriptions/${encodeURIComponent(providerSubscriptionId)}/transactions`;
  const query = { start_time: begunAt.toISOString(), end_time: connection.clock.now().toISOString() };
  const answer = await connection.client.call('GET', path, { query });
  const bills: InvoiceFact[] = [];
  for (const payment of readList(expectBody(answer), 'transactions')) {
    const bill = await billPeriod(connection, { providerSubscriptionId, ...readPayment(payment) });
    if (bill) bills.push(bill);
  }
  return bills;
}

function readPayment(payment: Json) {
  const status = statuses[readText(payment, 'status')];
  if (status === undefined) throw new JsonError('status is unknown');
  return {
    paymentId: readText(payment, 'id'),
    status,
    money: readMoney(readMember(payment, 'amount_with_breakdown') ?? {}, 'gross_amount'),
    start: readTime(payment, 'time'),
  };
}
