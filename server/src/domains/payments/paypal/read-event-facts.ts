import { AppError } from '../../../errors.ts';
import type { CheckoutFact, Fact } from '../fact.ts';
import type { MayCapture } from '../payment-provider.ts';
import type { Json } from './json.ts';
import { firstUnitOf } from './merchant.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { findPayeeProblem, readOrder } from './read-order.ts';
import { captureToCheckoutFact, toCheckoutFact } from './to-checkout-fact.ts';
import { reversalToDisputeFact, toDisputeFacts } from './to-dispute-facts.ts';
import { readSaleFacts } from './read-sale-facts.ts';
import { saleRefundToRefundFact, toRefundFact } from './to-refund-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

export type PaypalEvent = { type: string; createdAt: Date; resource: Json };

/** What an event says about money. With a refusal, none of it counts, and the event is only kept. */
export type ReadEvent = { facts: Fact[]; refusal: string | null };

/**
 * What an event of PayPal's says about money; nothing for events that do not concern Obol. An order that
 * the customer has approved is captured, if `mayCapture` knows it as ours. What pays somebody else is
 * refused. Throws JsonError, and `payments.provider_unavailable` when what an event leaves out cannot be
 * asked for.
 */
export async function readEventFacts(
  connection: PaypalConnection,
  event: PaypalEvent,
  mayCapture: MayCapture,
): Promise<ReadEvent> {
  const { type, resource } = event;
  switch (type) {
    case 'CHECKOUT.ORDER.APPROVED':
      return captureApproved(connection, resource, mayCapture);
    case 'CHECKOUT.ORDER.COMPLETED':
    case 'CHECKOUT.ORDER.VOIDED':
      return checkPayee(connection, firstUnitOf(resource), toCheckoutFact(resource));
    case 'PAYMENT.CAPTURE.PENDING':
    case 'PAYMENT.CAPTURE.COMPLETED':
    case 'PAYMENT.CAPTURE.DENIED':
    case 'PAYMENT.CAPTURE.DECLINED':
      return checkPayee(connection, resource, captureToCheckoutFact(resource));
    default:
      return { facts: await readOtherFacts(connection, event), refusal: null };
  }
}

/** What events say that are not about checkouts. */
async function readOtherFacts(connection: PaypalConnection, event: PaypalEvent): Promise<Fact[]> {
  const { type, resource } = event;
  switch (type) {
    case 'PAYMENT.CAPTURE.REFUNDED':
    case 'PAYMENT.REFUND.PENDING':
    case 'PAYMENT.REFUND.FAILED':
      return [toRefundFact(resource)];
    case 'PAYMENT.CAPTURE.REVERSED':
    case 'PAYMENT.SALE.REVERSED':
      return [reversalToDisputeFact(resource, event.createdAt)];
    case 'CUSTOMER.DISPUTE.CREATED':
    case 'CUSTOMER.DISPUTE.UPDATED':
    case 'CUSTOMER.DISPUTE.RESOLVED':
      return toDisputeFacts(resource, event.createdAt);
    case 'PAYMENT.SALE.PENDING':
    case 'PAYMENT.SALE.COMPLETED':
    case 'PAYMENT.SALE.DENIED':
      return readSaleFacts(connection, resource);
    case 'PAYMENT.SALE.REFUNDED':
      return [saleRefundToRefundFact(resource)];
    default:
      return type.startsWith('BILLING.SUBSCRIPTION.') ? readSubscriptionFacts(connection, event) : [];
  }
}

/**
 * Captures what the event says is approved, or says what has become of it since. When that fails now, the
 * event still counts, unless it pays somebody else by its own words: the purchase stays on its way, and is
 * captured when it is next asked about.
 */
async function captureApproved(
  connection: PaypalConnection,
  resource: Json,
  mayCapture: MayCapture,
): Promise<ReadEvent> {
  const approved = toCheckoutFact(resource);
  try {
    const order = await readOrder(connection, approved.checkoutId, mayCapture);
    return { facts: [order?.fact ?? approved], refusal: order?.problem ?? null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const problem = await connection.merchant.findProblem(firstUnitOf(resource)).catch(() => null);
    return { facts: [approved], refusal: problem === 'wrong_payee' ? problem : null };
  }
}

async function checkPayee(connection: PaypalConnection, of: Json, fact: CheckoutFact): Promise<ReadEvent> {
  const refusal = await findPayeeProblem(connection, { of, orderId: fact.checkoutId });
  return { facts: [fact], refusal };
}

async function readSubscriptionFacts(connection: PaypalConnection, event: PaypalEvent): Promise<Fact[]> {
  const { type, createdAt: toldAt, resource: subscription } = event;
  const fact = await toSubscriptionFact(connection, { subscription, toldAt });
  if (fact === null) return [];
  const hasFailed = type === 'BILLING.SUBSCRIPTION.PAYMENT.FAILED' && fact.status === 'active';
  return [hasFailed ? { ...fact, status: 'past_due' } : fact];
}
