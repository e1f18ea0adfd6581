import type { OpenedCheckout, SubscriptionOrder } from '../payment-provider.ts';
import { toOpenedCheckout } from './open-order.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';

/**
 * Opens a subscription, which begins when the customer approves it. Our id of it is its custom id. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function openSubscription(
  { client, clock }: PaypalConnection,
  order: SubscriptionOrder,
): Promise<OpenedCheckout> {
  const answer = await client.call('POST', '/v1/billing/subscriptions', {
    requestId: `subscription-${order.subscriptionId}`,
    body: {
      plan_id: order.providerPriceId,
      custom_id: order.subscriptionId,
      subscriber: { email_address: order.email },
      application_context: {
        user_action: 'SUBSCRIBE_NOW',
        shipping_preference: 'NO_SHIPPING',
        return_url: order.successUrl,
        cancel_url: order.cancelUrl,
      },
    },
  });
  return readAnswer(() =>
    toOpenedCheckout(expectBody(answer), { expiresAt: order.expiresAt, now: clock.now() }),
  );
}
