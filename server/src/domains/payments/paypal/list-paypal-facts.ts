import { AppError } from '../../../errors.ts';
import { divideUp } from '../../../lib/exact.ts';
import type { Fact } from '../fact.ts';
import { JsonError, readList, readMember, readOptionalText, readText, readTime, type Json } from './json.ts';
import { readMoney, readMoneyBack } from './money.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { captureToCheckoutFact } from './to-checkout-fact.ts';
import { reversalToDisputeFact, toDisputeFacts } from './to-dispute-facts.ts';
import { billPeriod } from './read-sale-facts.ts';
import { readRequestId } from './to-refund-fact.ts';

const dayMs = 86_400_000;
/** PayPal searches 31 days at a time, and disputes of the last 180. */
const windowMs = 31 * dayMs;
const disputesMs = 180 * dayMs;
const splittableMs = 2000;

/**
 * Everything about money since then, from PayPal's transaction search and list of cases: payments, refunds
 * and reversals, oldest first, then cases. PayPal lists a transaction up to three hours after it happened.
 * One that cannot be read is left out. Throws `payments.provider_unavailable`, `payments.provider_refused`.
 * @see https://developer.paypal.com/docs/transaction-search/
 */
export async function* listPaypalFacts(connection: PaypalConnection, since: Date): AsyncIterable<Fact[]> {
  const now = connection.clock.now().getTime();
  for (let from = since.getTime(); from < now; from += windowMs) {
    yield* listWindow(connection, { from, to: Math.min(from + windowMs, now) });
  }
  yield* listDisputes(connection, new Date(Math.max(since.getTime(), now - disputesMs)));
}

/** A window of time, halved where PayPal finds more in it than it lists (10,000). */
async function* listWindow(
  connection: PaypalConnection,
  { from, to }: { from: number; to: number },
): AsyncIterable<Fact[]> {
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const answer = await connection.client.call('GET', '/v1/reporting/transactions', {
      query: {
        start_date: new Date(from).toISOString(),
        end_date: new Date(to).toISOString(),
        fields: 'transaction_info',
        page_size: '100',
        page: String(page),
      },
    });
    const isTooMuch =
      answer.issues.includes('RESULTSET_TOO_LARGE') || answer.body.name === 'RESULTSET_TOO_LARGE';
    if (isTooMuch && to - from > splittableMs) {
      const middle = from + divideUp(to - from, 2);
      yield* listWindow(connection, { from, to: middle });
      yield* listWindow(connection, { from: middle, to });
      return;
    }
    const { transactions, total } = await readAnswer(() => readPage(expectBody(answer)));
    pages = total;
    const facts: Fact[] = [];
    for (const transaction of transactions) {
      const id = transaction.transaction_id;
      const fact = await readOne(connection, id, () => toFact(connection, transaction));
      if (fact) facts.push(fact);
    }
    yield facts;
  }
}

function readPage(body: Json): { transactions: Json[]; total: number } {
  const transactions = readList(body, 'transaction_details').flatMap((detail): Json[] => {
    const transaction = readMember(detail, 'transaction_info');
    return transaction ? [transaction] : [];
  });
  const total = typeof body.total_pages === 'number' ? body.total_pages : 1;
  return { transactions: transactions.toSorted((left, right) => beginOf(left) - beginOf(right)), total };
}

function beginOf({ transaction_initiation_date: begin }: Json): number {
  return (typeof begin === 'string' && Date.parse(begin)) || 0;
}

/**
 * What reading one thing of a list says. One that PayPal does not show us, or that cannot be read, says
 * nothing, however often it is asked for: it is logged, and the others still count.
 */
async function readOne<Value>(
  { log }: PaypalConnection,
  id: unknown,
  read: () => Promise<Value>,
): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    const isUnreadable =
      error instanceof JsonError ||
      (error instanceof AppError &&
        (error.code === 'payments.provider_refused' || error.cause instanceof JsonError));
    if (!isUnreadable) throw error;
    log?.warn({ err: error, listedId: id }, 'PayPal lists something that cannot be read');
    return null;
  }
}

/**
 * By the code of a transaction: payments (T00…), of which those for subscriptions name the subscription;
 * refunds (T1107); reversals and chargebacks (T1106, T1201). Fees, payouts, holds and the like are left
 * out.
 * @see https://developer.paypal.com/docs/transaction-search/transaction-event-codes/
 */
async function toFact(connection: PaypalConnection, transaction: Json): Promise<Fact | null> {
  const code = readText(transaction, 'transaction_event_code');
  const referenceId = readOptionalText(transaction, 'paypal_reference_id');
  if (code === 'T1107' && referenceId !== null) return toRefund(transaction, referenceId);
  if ((code === 'T1106' || code === 'T1201') && referenceId !== null)
    return toReversal(transaction, referenceId);
  // Only what counts is read: fees and exchanges come in amounts of other forms.
  if (!code.startsWith('T00') || readMoney(transaction, 'transaction_amount').amountCents <= 0) return null;
  const isForSubscription = code === 'T0002' || transaction.paypal_reference_id_type === 'SUB';
  return isForSubscription && referenceId !== null
    ? readPeriodPayment(connection, { transaction, providerSubscriptionId: referenceId })
    : readPayment(connection, readText(transaction, 'transaction_id'));
}

async function readPayment(connection: PaypalConnection, paymentId: string): Promise<Fact | null> {
  const answer = await connection.client.call(
    'GET',
    `/v2/payments/captures/${encodeURIComponent(paymentId)}`,
  );
  if (answer.status === 404) return null;
  const capture = expectBody(answer);
  // What is listed was paid to us; should it say otherwise, it says nothing.
  const isForeign = (await connection.merchant.findProblem(capture)) === 'wrong_payee';
  return isForeign ? null : captureToCheckoutFact(capture);
}

async function readPeriodPayment(
  connection: PaypalConnection,
  { transaction, providerSubscriptionId }: { transaction: Json; providerSubscriptionId: string },
): Promise<Fact | null> {
  const statuses = { P: 'open', D: 'failed' } as const;
  const code = readText(transaction, 'transaction_status');
  return billPeriod(connection, {
    providerSubscriptionId,
    paymentId: readText(transaction, 'transaction_id'),
    status: code === 'P' || code === 'D' ? statuses[code] : 'paid',
    money: readMoney(transaction, 'transaction_amount'),
    start: readTime(transaction, 'transaction_initiation_date'),
  });
}

function toReversal(transaction: Json, paymentId: string): Fact {
  return reversalToDisputeFact({
    sale_id: paymentId,
    amount: transaction.transaction_amount,
    create_time: transaction.transaction_initiation_date,
  });
}

function toRefund(transaction: Json, paymentId: string): Fact {
  const statuses = { P: 'pending', D: 'failed' } as const;
  const code = readText(transaction, 'transaction_status');
  return {
    kind: 'refund',
    refundId: readText(transaction, 'transaction_id'),
    paymentId,
    refundRequestId: readRequestId(readOptionalText(transaction, 'custom_field')),
    status: code === 'P' || code === 'D' ? statuses[code] : 'succeeded',
    ...readMoneyBack(transaction, 'transaction_amount'),
  };
}

async function* listDisputes(connection: PaypalConnection, since: Date): AsyncIterable<Fact[]> {
  const { client } = connection;
  let query: Record<string, string> | null = { update_time_after: since.toISOString(), page_size: '50' };
  while (query) {
    const answer = await client.call('GET', '/v1/customer/disputes', { query });
    const body = expectBody(answer);
    const items = await readAnswer(() => readList(body, 'items').map((item) => readText(item, 'dispute_id')));
    const facts: Fact[] = [];
    for (const disputeId of items) {
      const read = async () => {
        const detail = await client.call('GET', `/v1/customer/disputes/${encodeURIComponent(disputeId)}`);
        return toDisputeFacts(expectBody(detail));
      };
      facts.push(...((await readOne(connection, disputeId, read)) ?? []));
    }
    yield facts;
    query = await readAnswer(() => readNextPage(body));
  }
}

/** The query of the next page, from the link that leads there. */
function readNextPage(body: Json): Record<string, string> | null {
  const next = readList(body, 'links').find(({ rel }) => rel === 'next');
  const href = next ? readText(next, 'href') : '';
  return URL.canParse(href) ? Object.fromEntries(new URL(href).searchParams) : null;
}
