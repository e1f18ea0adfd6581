import type { RefundFact } from '../fact.ts';
import { readOwnId, readReference } from './metadata.ts';
import type { StripeRefund } from './shapes.ts';
import { fromStripeAmount } from './stripe-amounts.ts';

const refundStatuses: Record<string, RefundFact['status']> = {
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};

/** How far a refund is; one that waits for its receiver is pending. Null when it belongs to no payment. */
export function toRefundFact(refund: StripeRefund): RefundFact | null {
  const paymentId = readReference(refund.payment_intent) ?? readReference(refund.charge);
  if (paymentId === null) return null;
  return {
    kind: 'refund',
    refundId: refund.id,
    paymentId,
    refundRequestId: readOwnId(refund.metadata, 'refundRequestId'),
    status: refundStatuses[refund.status ?? ''] ?? 'pending',
    amountCents: fromStripeAmount(refund.amount, refund.currency),
    currency: refund.currency.toUpperCase(),
  };
}
