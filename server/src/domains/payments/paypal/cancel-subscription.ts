import { AppError } from '../../../errors.ts';
import type { SubscriptionFact } from '../fact.ts';
import { expectBody } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { readSubscription } from './read-subscription.ts';

/**
 * Has PayPal bill no more, which it cannot take back: `payments.not_supported`. The period that was paid
 * goes on to its end, unless it is to end at once, which is the same call: PayPal knows one end only. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function cancelSubscription(
  connection: PaypalConnection,
  order: { providerSubscriptionId: string; cancels: boolean; isAtOnce?: boolean; changeId: string },
): Promise<SubscriptionFact> {
  if (!order.cancels) throw new AppError('payments.not_supported');
  const path = `/v1/billing/subscriptions/${encodeURIComponent(order.providerSubscriptionId)}/cancel`;
  const answer = await connection.client.call('POST', path, {
    requestId: `change-${order.changeId}`,
    body: { reason: 'Cancelled' },
  });
  // One that has ended already is what was wanted.
  if (!answer.issues.includes('SUBSCRIPTION_STATUS_INVALID')) expectBody(answer);
  const fact = await readSubscription(connection, order.providerSubscriptionId);
  if (fact === null || (fact.status !== 'ended' && !fact.cancelsAtPeriodEnd))
    throw new AppError('payments.provider_refused');
  return order.isAtOnce ? { ...fact, status: 'ended', cancelsAtPeriodEnd: false } : fact;
}
