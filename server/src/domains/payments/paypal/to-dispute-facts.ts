import type { DisputeFact } from '../fact.ts';
import {
  readLinkedId,
  readList,
  readMember,
  readOptionalText,
  readOptionalTime,
  readText,
  type Json,
} from './json.ts';
import { readMoney, readMoneyBack } from './money.ts';

/**
 * Where the money ends up. RESOLVED_WITH_PAYOUT: PayPal paid the customer itself, and the seller keeps
 * theirs.
 */
const outcomes: Record<string, DisputeFact['status']> = {
  RESOLVED_BUYER_FAVOUR: 'lost',
  ACCEPTED: 'lost',
  RESOLVED_SELLER_FAVOUR: 'won',
  RESOLVED_WITH_PAYOUT: 'won',
  CANCELED_BY_BUYER: 'won',
  DENIED: 'won',
};

/**
 * A case (Disputes v1): a fact about each payment that it is about. A case without an outcome that is known
 * stays open, where a person sees it. PayPal takes decided cases up again, so the word that it changed last
 * counts; `toldAt` is when it was told, where PayPal does not say. Throws JsonError.
 */
export function toDisputeFacts(dispute: Json, toldAt: Date | null = null): DisputeFact[] {
  const disputeId = readText(dispute, 'dispute_id');
  const outcome = readMember(dispute, 'dispute_outcome');
  const code = outcome && readOptionalText(outcome, 'outcome_code');
  const isResolved = readOptionalText(dispute, 'status') === 'RESOLVED';
  const status = (isResolved && code !== null && outcomes[code]) || 'open';
  const payments = readList(dispute, 'disputed_transactions').flatMap((transaction) => {
    const paymentId = readOptionalText(transaction, 'seller_transaction_id');
    return paymentId === null ? [] : [{ paymentId, transaction }];
  });
  const changedAt = readOptionalTime(dispute, 'update_time') ?? toldAt;
  return payments.map(({ paymentId, transaction }, index) => {
    const money =
      payments.length > 1 ? readMoney(transaction, 'gross_amount') : readMoney(dispute, 'dispute_amount');
    const id = index === 0 ? disputeId : `${disputeId}/${paymentId}`;
    return { kind: 'dispute', disputeId: id, paymentId, status, ...money, ...asOf(changedAt) };
  });
}

/**
 * A payment that PayPal took back from us, from an event of a capture or sale, or its list of transactions.
 * Most reversals belong to a case, which tells of the same money. Throws JsonError.
 */
export function reversalToDisputeFact(resource: Json, toldAt: Date | null = null): DisputeFact {
  const linked = readLinkedId(resource, { rel: 'up', path: '/v2/payments/captures/' });
  const paymentId = linked ?? readOptionalText(resource, 'sale_id') ?? readText(resource, 'id');
  return {
    kind: 'dispute',
    disputeId: `reversal:${paymentId}`,
    paymentId,
    status: 'lost',
    ...readMoneyBack(resource, 'amount'),
    // Of a sale that was reversed PayPal may show the sale itself, with the time of that.
    ...asOf(toldAt ?? readOptionalTime(resource, 'create_time')),
  };
}

function asOf(time: Date | null): { asOf?: string } {
  return time ? { asOf: time.toISOString() } : {};
}
