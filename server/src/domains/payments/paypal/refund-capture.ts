import type { RefundFact } from '../fact.ts';
import { writeMoney } from './open-order.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { refundMark, toRefundFact } from './to-refund-fact.ts';

/**
 * Sends money of a payment back, whole or in part; PayPal remembers the key for 45 days. Payments for
 * subscriptions are refunded the same way. Throws `payments.provider_unavailable`,
 * `payments.provider_refused`.
 */
export async function refundCapture(
  { client }: PaypalConnection,
  order: {
    refundRequestId: string;
    paymentId: string;
    amountCents: number;
    currency: string;
    reason: string;
  },
): Promise<RefundFact> {
  const { refundRequestId, paymentId, reason } = order;
  const path = `/v2/payments/captures/${encodeURIComponent(paymentId)}/refund`;
  const answer = await client.call('POST', path, {
    requestId: `refund-${refundRequestId}`,
    body: {
      amount: writeMoney(order),
      custom_id: `${refundMark}${refundRequestId}`,
      ...(reason === '' ? {} : { note_to_payer: reason.slice(0, 255) }),
    },
  });
  const fact = await readAnswer(() => toRefundFact(expectBody(answer)));
  return { ...fact, refundRequestId };
}
