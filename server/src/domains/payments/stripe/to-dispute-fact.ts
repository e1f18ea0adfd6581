import type { DisputeFact } from '../fact.ts';
import { readReference } from './metadata.ts';
import type { StripeDispute } from './shapes.ts';
import { fromStripeAmount } from './stripe-amounts.ts';

const disputeStatuses: Record<string, DisputeFact['status']> = {
  needs_response: 'open',
  under_review: 'open',
  appeal_needs_response: 'open',
  appeal_under_review: 'open',
  lost: 'lost',
  won: 'won',
  prevented: 'won',
};

/**
 * How a dispute stands. Null for an inquiry (`warning_…`), which has not taken any money, and for states
 * that Stripe did not have when this was written: better no effect than a wrong one. One that was prevented
 * has taken nothing either; what was given back instead is a refund of its own.
 * @see https://docs.stripe.com/disputes/how-disputes-work
 */
export function toDisputeFact(dispute: StripeDispute): DisputeFact | null {
  const status = disputeStatuses[dispute.status];
  const paymentId = readReference(dispute.payment_intent) ?? readReference(dispute.charge);
  if (status === undefined || paymentId === null) return null;
  return {
    kind: 'dispute',
    disputeId: dispute.id,
    paymentId,
    status,
    amountCents: fromStripeAmount(dispute.amount, dispute.currency),
    currency: dispute.currency.toUpperCase(),
  };
}
