import type { SubscriptionFact } from '../fact.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

/**
 * How a subscription stands now; null when PayPal knows none such, or nobody has approved it yet. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function readSubscription(
  connection: PaypalConnection,
  providerSubscriptionId: string,
): Promise<SubscriptionFact | null> {
  const path = `/v1/billing/subscriptions/${encodeURIComponent(providerSubscriptionId)}`;
  const answer = await connection.client.call('GET', path);
  if (answer.status === 404) return null;
  return readAnswer(() =>
    toSubscriptionFact(connection, { subscription: expectBody(answer), toldAt: connection.clock.now() }),
  );
}
