import { AppError } from '../../../errors.ts';
import type { Fact } from '../fact.ts';
import type { Json } from './json.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { readOrder } from './read-order.ts';
import { captureToCheckoutFact, toCheckoutFact } from './to-checkout-fact.ts';
import { reversalToDisputeFact, toDisputeFacts } from './to-dispute-facts.ts';
import { toInvoiceFact } from './to-invoice-fact.ts';
import { saleRefundToRefundFact, toRefundFact } from './to-refund-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

export type PaypalEvent = { type: string; createdAt: Date; resource: Json };

/**
 * What an event of PayPal's says about money; nothing for events that do not concern Obol. An order that
 * the customer has approved is captured. Throws JsonError, and `payments.provider_unavailable` when what a
 * payment for a subscription leaves out cannot be asked for.
 */
export async function readEventFacts(connection: PaypalConnection, event: PaypalEvent): Promise<Fact[]> {
  const { type, resource } = event;
  switch (type) {
    case 'CHECKOUT.ORDER.APPROVED':
      return [await captureApproved(connection, resource)];
    case 'CHECKOUT.ORDER.COMPLETED':
    case 'CHECKOUT.ORDER.VOIDED':
      return [toCheckoutFact(resource)];
    case 'PAYMENT.CAPTURE.PENDING':
    case 'PAYMENT.CAPTURE.COMPLETED':
    case 'PAYMENT.CAPTURE.DENIED':
    case 'PAYMENT.CAPTURE.DECLINED':
      return [captureToCheckoutFact(resource)];
    case 'PAYMENT.CAPTURE.REFUNDED':
    case 'PAYMENT.REFUND.PENDING':
    case 'PAYMENT.REFUND.FAILED':
      return [toRefundFact(resource)];
    case 'PAYMENT.CAPTURE.REVERSED':
    case 'PAYMENT.SALE.REVERSED':
      return [reversalToDisputeFact(resource)];
    case 'CUSTOMER.DISPUTE.CREATED':
    case 'CUSTOMER.DISPUTE.UPDATED':
    case 'CUSTOMER.DISPUTE.RESOLVED':
      return toDisputeFacts(resource);
    case 'PAYMENT.SALE.PENDING':
    case 'PAYMENT.SALE.COMPLETED':
    case 'PAYMENT.SALE.DENIED': {
      const bill = await toInvoiceFact(connection, resource);
      return bill ? [bill] : [];
    }
    case 'PAYMENT.SALE.REFUNDED':
      return [saleRefundToRefundFact(resource)];
    default:
      return type.startsWith('BILLING.SUBSCRIPTION.') ? [await readSubscriptionFact(connection, event)] : [];
  }
}

/**
 * Captures what the event says is approved, or what has become of it since. When that fails now, the event
 * still counts: the purchase stays on its way, and is captured when it is next asked about.
 */
async function captureApproved(connection: PaypalConnection, resource: Json): Promise<Fact> {
  const approved = toCheckoutFact(resource);
  try {
    return (await readOrder(connection, approved.checkoutId)) ?? approved;
  } catch (error) {
    if (error instanceof AppError) return approved;
    throw error;
  }
}

async function readSubscriptionFact(connection: PaypalConnection, event: PaypalEvent): Promise<Fact> {
  const { type, createdAt: toldAt, resource: subscription } = event;
  const fact = await toSubscriptionFact(connection, { subscription, toldAt });
  const hasFailed = type === 'BILLING.SUBSCRIPTION.PAYMENT.FAILED' && fact.status === 'active';
  return hasFailed ? { ...fact, status: 'past_due' } : fact;
}
