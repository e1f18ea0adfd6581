import { AppError } from '../../../errors.ts';
import type { CheckoutOrder, OpenedCheckout } from '../payment-provider.ts';
import { JsonError, readList, readOptionalText, readText, type Json } from './json.ts';
import { toPaypalMoney, type Money } from './money.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';

/** How long PayPal waits for a customer to approve. */
export const approvalMs = 3 * 3_600_000;

/**
 * Opens an order (Orders v2) that is captured once the customer has approved it. The purchase is its custom
 * id, by which it is known again, and its invoice id, which PayPal lets nobody pay twice, not even when the
 * key of the call has been forgotten there after six hours. Throws `payments.provider_unavailable`,
 * `payments.provider_refused`.
 */
export async function openOrder(
  { client, clock, merchant }: PaypalConnection,
  order: CheckoutOrder,
): Promise<OpenedCheckout> {
  const answer = await client.call('POST', '/v2/checkout/orders', {
    requestId: `order-${order.purchaseId}`,
    body: {
      intent: 'CAPTURE',
      purchase_units: [
        {
          reference_id: order.purchaseId,
          custom_id: order.purchaseId,
          invoice_id: order.purchaseId,
          description: order.title.slice(0, 127),
          amount: writeMoney(order),
        },
      ],
      payment_source: {
        paypal: {
          email_address: order.email,
          experience_context: {
            user_action: 'PAY_NOW',
            shipping_preference: 'NO_SHIPPING',
            return_url: order.successUrl,
            cancel_url: order.cancelUrl,
          },
        },
      },
    },
  });
  return readAnswer(() => {
    const body = expectBody(answer);
    const opened = toOpenedCheckout(body, { expiresAt: order.expiresAt, now: clock.now() });
    merchant.learn(body);
    return opened;
  });
}

/** Where PayPal says that the customer approves, and until when. Throws JsonError. */
export function toOpenedCheckout(
  body: Json,
  { expiresAt, now }: { expiresAt: Date; now: Date },
): OpenedCheckout {
  const link = readList(body, 'links').find(({ rel }) => rel === 'payer-action' || rel === 'approve') ?? {};
  const url = readOptionalText(link, 'href');
  if (url === null || !/^https?:/.test(url)) throw new JsonError('links lead nowhere');
  const lastsUntil = new Date(now.getTime() + approvalMs);
  return {
    checkoutId: readText(body, 'id'),
    url,
    expiresAt: expiresAt < lastsUntil ? expiresAt : lastsUntil,
  };
}

/**
 * An amount as PayPal wants it. Throws `payments.provider_refused` for a fraction of a currency that has
 * none there.
 */
export function writeMoney(money: Money): { currency_code: string; value: string } {
  try {
    return toPaypalMoney(money);
  } catch (cause) {
    throw new AppError('payments.provider_refused', { cause });
  }
}
