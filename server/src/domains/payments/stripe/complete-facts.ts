import type { Stripe } from 'stripe';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Fact, InvoiceFact } from '../fact.ts';
import type { ProviderEvent } from '../payment-provider.ts';
import { chargeShape, eventShape } from './shapes.ts';
import { toRefundFact } from './to-refund-fact.ts';
import { findPaymentId } from './to-invoice-fact.ts';

const refundedEventShape = Type.Intersect([
  eventShape,
  Type.Object({ type: Type.Literal('charge.refunded'), data: Type.Object({ object: chargeShape }) }),
]);

/** The provider waits for its answer meanwhile. */
const lookUp = { timeout: 4000, maxNetworkRetries: 0 };

/**
 * Asks Stripe for what an event leaves out: which payment paid a bill, and the refunds of a charge. An
 * event is taken as it is when Stripe does not answer soon; refunds have events of their own, and
 * reconciliation finds the payment.
 */
export async function completeFacts(stripe: Stripe, { payload, facts }: ProviderEvent): Promise<Fact[]> {
  const [fact] = facts;
  if (fact?.kind === 'invoice' && fact.status === 'paid' && fact.paymentId === null)
    return [await completeInvoice(stripe, fact)];
  const isBare = facts.length === 0 && Value.Check(refundedEventShape, payload) && !payload.account;
  if (!isBare) return facts;
  const params = { charge: payload.data.object.id, limit: 100 };
  const refunds = await stripe.refunds.list(params, lookUp).catch(() => undefined);
  return (refunds?.data ?? []).map(toRefundFact).filter((refund) => refund !== null);
}

async function completeInvoice(stripe: Stripe, fact: InvoiceFact): Promise<InvoiceFact> {
  const params = { invoice: fact.invoiceId, status: 'paid', limit: 1 };
  const payments = await stripe.invoicePayments.list(params, lookUp).catch(() => undefined);
  return { ...fact, paymentId: findPaymentId(payments?.data ?? []) };
}
