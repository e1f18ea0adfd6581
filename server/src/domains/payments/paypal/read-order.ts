import { reachFaultPoint } from '../../../lib/fault-points.ts';
import type { CheckoutFact } from '../fact.ts';
import type { MayCapture } from '../payment-provider.ts';
import { readOptionalText, type Json } from './json.ts';
import { firstUnitOf, readPayeeId, type PayeeProblem } from './merchant.ts';
import { expectBody, readAnswer, type PaypalAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { toCheckoutFact } from './to-checkout-fact.ts';

/** The customer is asked again, or pays another way: nothing is decided. */
const undecided = new Set(['INSTRUMENT_DECLINED', 'ORDER_NOT_APPROVED', 'PAYER_ACTION_REQUIRED']);
/** This order is never paid. DUPLICATE_INVOICE_ID: another order of the same purchase was. */
const decided = new Set([
  'COMPLIANCE_VIOLATION',
  'DUPLICATE_INVOICE_ID',
  'MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED',
  'PAYER_ACCOUNT_LOCKED_OR_CLOSED',
  'PAYER_ACCOUNT_RESTRICTED',
  'PAYER_CANNOT_PAY',
  'TRANSACTION_REFUSED',
]);

/** How an order stands; with a problem, it says nothing that counts. */
export type ReadOrder = { fact: CheckoutFact; problem: PayeeProblem | null };

/**
 * How a checkout stands now; one that the customer has approved is captured, if it pays us and `mayCapture`
 * knows it as ours. Null when PayPal knows no such order, as with those that nobody approved in time. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function readOrder(
  connection: PaypalConnection,
  orderId: string,
  mayCapture: MayCapture,
): Promise<ReadOrder | null> {
  const answer = await askForOrder(connection, orderId);
  if (answer.status === 404) return null;
  const { unit, fact, isApproved, approval } = await readAnswer(() => {
    const order = expectBody(answer);
    return {
      unit: firstUnitOf(order),
      fact: toCheckoutFact(order),
      isApproved: order.status === 'APPROVED' && order.intent === 'CAPTURE',
      approval: readOptionalText(order, 'update_time') ?? '',
    };
  });
  const problem = await readAnswer(() => connection.merchant.findProblem(unit));
  if (problem !== null || !isApproved || fact.purchaseId === null) return { fact, problem };
  const invoiceId = await readAnswer(() => readOptionalText(unit, 'invoice_id'));
  if (!(await mayCapture({ ...fact, purchaseId: fact.purchaseId, invoiceId }))) return { fact, problem };
  await reachFaultPoint('paypal.approved');
  return { fact: await captureOrder(connection, fact, approval), problem };
}

/**
 * Why what an event says of an order, or of a capture of it, counts for nothing; null when it pays us. Where
 * the event does not say whom it pays, the order is asked for. Throws JsonError,
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function findPayeeProblem(
  connection: PaypalConnection,
  { of, orderId }: { of: Json; orderId: string },
): Promise<PayeeProblem | null> {
  const { merchant } = connection;
  if (readPayeeId(of) !== null) return merchant.findProblem(of);
  const answer = await askForOrder(connection, orderId);
  if (answer.status === 404) return 'payee_unknown';
  return readAnswer(() => merchant.findProblem(firstUnitOf(expectBody(answer))));
}

function askForOrder({ client }: PaypalConnection, orderId: string): Promise<PaypalAnswer> {
  return client.call('GET', `/v2/checkout/orders/${encodeURIComponent(orderId)}`);
}

/**
 * An order is captured once, whoever asks and however often: by its key, and by PayPal's own state. The key
 * is another one when a customer has approved anew, with another card, after the first was declined.
 */
async function captureOrder(
  connection: PaypalConnection,
  approved: CheckoutFact,
  approval: string,
): Promise<CheckoutFact> {
  const { checkoutId } = approved;
  const path = `/v2/checkout/orders/${encodeURIComponent(checkoutId)}/capture`;
  const requestId = `capture-${checkoutId}-${approval}`.slice(0, 108);
  const answer = await connection.client.call('POST', path, { requestId, body: {} });
  if (answer.issues.includes('ORDER_ALREADY_CAPTURED')) {
    const captured = await askForOrder(connection, checkoutId);
    return readAnswer(() => toCheckoutFact(expectBody(captured)));
  }
  if (answer.issues.some((issue) => undecided.has(issue))) return { ...approved, status: 'open' };
  if (answer.issues.some((issue) => decided.has(issue))) return { ...approved, status: 'failed' };
  return readAnswer(() => toCheckoutFact(expectBody(answer)));
}
