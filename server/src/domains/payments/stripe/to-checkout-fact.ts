import type { CheckoutFact } from '../fact.ts';
import { metadataNames, readOwnId, readReference } from './metadata.ts';
import type { StripePaymentIntent, StripeSession } from './shapes.ts';
import { fromStripeAmount } from './stripe-amounts.ts';

/**
 * How far a checkout of Stripe's is; null for one that begins a subscription, of which its subscription and
 * bills tell more. The amount is what our price came to: discounts are off, tax on top of the price is not
 * in it. `hasFailed`: a delayed payment came to nothing, which the session itself does not say.
 */
export function toCheckoutFact(session: StripeSession, hasFailed = false): CheckoutFact | null {
  if (session.mode !== 'payment') return null;
  const currency = session.currency ?? '';
  const price = priceOf(session);
  return {
    kind: 'checkout',
    checkoutId: session.id,
    purchaseId: readOwnId(session.metadata, 'purchaseId'),
    paymentId: readReference(session.payment_intent),
    status: statusOf(session, hasFailed),
    amountCents: fromStripeAmount(price, currency),
    totalCents: fromStripeAmount(session.amount_total ?? price, currency),
    currency: currency.toUpperCase(),
    customerId: readReference(session.customer),
  };
}

/** The subtotal is the price; tax that is within it stays in it, tax on top of it does not come to it. */
function priceOf({ amount_subtotal: subtotal, total_details: details }: StripeSession): number {
  return (subtotal ?? 0) - (details?.amount_discount ?? 0);
}

function statusOf(session: StripeSession, hasFailed: boolean): CheckoutFact['status'] {
  const { status, payment_status: paymentStatus, payment_intent: payment } = session;
  if (status === 'complete' && paymentStatus !== 'unpaid') return 'paid';
  if (status === 'expired') return 'expired';
  if (status !== 'complete') return 'open';
  const isOver =
    payment !== null &&
    typeof payment === 'object' &&
    ['requires_payment_method', 'canceled'].includes(payment.status);
  return hasFailed || isOver ? 'failed' : 'processing';
}

/**
 * How far a payment is that a saved card was charged with; null for payments of checkouts, whose sessions
 * tell it. Nobody is there to confirm it, so one that wants anything of its owner has failed.
 */
export function toSavedCardFact(payment: StripePaymentIntent): CheckoutFact | null {
  if (payment.metadata?.[metadataNames.origin] !== 'saved_card') return null;
  return {
    kind: 'checkout',
    checkoutId: payment.id,
    purchaseId: readOwnId(payment.metadata, 'purchaseId'),
    paymentId: payment.id,
    status: paymentStatuses[payment.status] ?? 'failed',
    amountCents: fromStripeAmount(payment.amount, payment.currency),
    currency: payment.currency.toUpperCase(),
    customerId: readReference(payment.customer),
  };
}

const paymentStatuses: Record<string, CheckoutFact['status']> = {
  succeeded: 'paid',
  processing: 'processing',
};
