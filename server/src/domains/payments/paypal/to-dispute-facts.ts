import type { DisputeFact } from '../fact.ts';
import { readLinkedId, readList, readMember, readOptionalText, readText, type Json } from './json.ts';
import { readMoney, readMoneyBack, type Money } from './money.ts';

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
 * stays open, where a person sees it. Whatever a reversal took for one of these payments counts with the
 * case from now on. Throws JsonError.
 */
export function toDisputeFacts(dispute: Json): DisputeFact[] {
  const disputeId = readText(dispute, 'dispute_id');
  const outcome = readMember(dispute, 'dispute_outcome');
  const code = outcome && readOptionalText(outcome, 'outcome_code');
  const isResolved = readOptionalText(dispute, 'status') === 'RESOLVED';
  const status = (isResolved && code !== null && outcomes[code]) || 'open';
  const payments = readList(dispute, 'disputed_transactions').flatMap((transaction) => {
    const paymentId = readOptionalText(transaction, 'seller_transaction_id');
    return paymentId === null ? [] : [{ paymentId, transaction }];
  });
  return payments.flatMap(({ paymentId, transaction }, index) => {
    const money =
      payments.length > 1 ? readMoney(transaction, 'gross_amount') : readMoney(dispute, 'dispute_amount');
    const id = index === 0 ? disputeId : `${disputeId}/${paymentId}`;
    return [
      { kind: 'dispute', disputeId: id, paymentId, status, ...money },
      reversalOf({ paymentId, status: 'won', money }),
    ];
  });
}

/**
 * A payment that PayPal took back from us, from an event of a capture or sale. Most reversals belong to a
 * case, which tells of the same money and may yet be won: so a reversal counts as lost until a case about
 * the payment is known, whichever comes first. Throws JsonError.
 */
export function reversalToDisputeFact(resource: Json): DisputeFact {
  const linked = readLinkedId(resource, { rel: 'up', path: '/v2/payments/captures/' });
  const paymentId = linked ?? readOptionalText(resource, 'sale_id') ?? readText(resource, 'id');
  return reversalOf({ paymentId, status: 'lost', money: readMoneyBack(resource, 'amount') });
}

function reversalOf(reversal: {
  paymentId: string;
  status: DisputeFact['status'];
  money: Money;
}): DisputeFact {
  const { paymentId, status, money } = reversal;
  return { kind: 'dispute', disputeId: `reversal:${paymentId}`, paymentId, status, ...money };
}
