import { AppError } from '../../../errors.ts';
import type { SubscriptionFact } from '../fact.ts';
import { readList, readText } from './json.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { readSubscription } from './read-subscription.ts';

type Change = {
  providerSubscriptionId: string;
  providerPriceId: string;
  changeId: string;
  isImmediate: boolean;
  returnUrl: string;
};

/**
 * Puts a subscription on another plan from its next period on. The customer agrees at PayPal's first:
 * nothing has changed until they have been at `approvalUrl`. PayPal bills no rest of a period, so what is
 * to change at once is refused with `payments.not_supported`. Throws `payments.provider_unavailable`,
 * `payments.provider_refused`.
 */
export async function changeSubscription(
  connection: PaypalConnection,
  change: Change,
): Promise<{ fact: SubscriptionFact | null; approvalUrl: string | null }> {
  if (change.isImmediate) throw new AppError('payments.not_supported');
  const path = `/v1/billing/subscriptions/${encodeURIComponent(change.providerSubscriptionId)}/revise`;
  const answer = await connection.client.call('POST', path, {
    requestId: `change-${change.changeId}`,
    body: {
      plan_id: change.providerPriceId,
      application_context: {
        shipping_preference: 'NO_SHIPPING',
        return_url: change.returnUrl,
        cancel_url: change.returnUrl,
      },
    },
  });
  const approvalUrl = await readAnswer(() => {
    const link = readList(expectBody(answer), 'links').find(({ rel }) => rel === 'approve');
    return link ? readText(link, 'href') : null;
  });
  if (approvalUrl !== null) return { fact: null, approvalUrl };
  return { fact: await readSubscription(connection, change.providerSubscriptionId), approvalUrl: null };
}
