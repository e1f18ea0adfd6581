import type { RefundFact } from '../fact.ts';
import { JsonError, readLinkedId, readOptionalText, readText, toOwnId, type Json } from './json.ts';
import { readMoneyBack } from './money.ts';

const statuses: Record<string, RefundFact['status']> = {
  PENDING: 'pending',
  COMPLETED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'failed',
};

/**
 * How a refund request of ours is marked at PayPal, where a refund otherwise repeats what its capture says.
 */
export const refundMark = 'refund:';

/** A refund of a capture (Payments v2), which its link `up` names. Throws JsonError. */
export function toRefundFact(refund: Json): RefundFact {
  const paymentId = readLinkedId(refund, { rel: 'up', path: '/v2/payments/captures/' });
  if (paymentId === null) throw new JsonError('links name no capture');
  const status = statuses[readText(refund, 'status')];
  if (status === undefined) throw new JsonError('status is unknown');
  return {
    kind: 'refund',
    refundId: readText(refund, 'id'),
    paymentId,
    refundRequestId: readRequestId(readOptionalText(refund, 'custom_id')),
    status,
    ...readMoneyBack(refund, 'amount'),
  };
}

/** A refund of a payment for a subscription, as events tell it (Payments v1). Throws JsonError. */
export function saleRefundToRefundFact(refund: Json): RefundFact {
  const status = statuses[readText(refund, 'state').toUpperCase()];
  if (status === undefined) throw new JsonError('state is unknown');
  return {
    kind: 'refund',
    refundId: readText(refund, 'id'),
    paymentId: readText(refund, 'sale_id'),
    refundRequestId: readRequestId(readOptionalText(refund, 'custom')),
    status,
    ...readMoneyBack(refund, 'amount'),
  };
}

/** The id of our refund request in a custom id, or null when it is none of ours. */
export function readRequestId(customId: string | null): string | null {
  return customId?.startsWith(refundMark) ? toOwnId(customId.slice(refundMark.length)) : null;
}
