import type { Stripe } from 'stripe';
import type { Config } from '../../../config.ts';
import { epochSeconds } from '../../../lib/exact.ts';
import type { CheckoutOrder, OpenedCheckout, SubscriptionOrder } from '../payment-provider.ts';
import { askStripe } from './ask-stripe.ts';
import { metadataNames } from './metadata.ts';
import { toStripeAmount } from './stripe-amounts.ts';

type Settings = Pick<Config, 'stripeTax' | 'stripeInvoices'>;
type SessionParams = Stripe.Checkout.SessionCreateParams;

/**
 * Opens Stripe's page on which a pack is paid for, under a key of the purchase: a second call answers like
 * the first. The price is shown in its own currency only, since an amount that Stripe converts could not be
 * compared with ours.
 */
export async function openCheckout(
  stripe: Stripe,
  settings: Settings,
  order: CheckoutOrder,
): Promise<OpenedCheckout> {
  const metadata = { [metadataNames.purchaseId]: order.purchaseId };
  const session = await askStripe(() =>
    stripe.checkout.sessions.create(
      {
        ...commonParams(settings, order),
        mode: 'payment',
        client_reference_id: order.purchaseId,
        metadata,
        line_items: [{ quantity: 1, price_data: toPriceData(order) }],
        adaptive_pricing: { enabled: false },
        payment_intent_data: {
          metadata,
          ...(order.savesCard ? { setup_future_usage: 'off_session' } : {}),
        },
        ...(order.customerId === null ? { customer_creation: 'always' } : {}),
        ...(settings.stripeInvoices ? { invoice_creation: { enabled: true } } : {}),
      },
      { idempotencyKey: `obol:checkout:${order.purchaseId}` },
    ),
  );
  return toOpened(session);
}

/** Opens Stripe's page on which a subscription begins, under a key of ours. */
export async function openSubscription(
  stripe: Stripe,
  settings: Settings,
  order: SubscriptionOrder,
): Promise<OpenedCheckout> {
  const metadata = { [metadataNames.subscriptionId]: order.subscriptionId };
  const session = await askStripe(() =>
    stripe.checkout.sessions.create(
      {
        ...commonParams(settings, order),
        mode: 'subscription',
        client_reference_id: order.subscriptionId,
        metadata,
        line_items: [{ quantity: 1, price: order.providerPriceId }],
        subscription_data: { metadata },
      },
      { idempotencyKey: `obol:subscription:${order.subscriptionId}` },
    ),
  );
  return toOpened(session);
}

/** Takes the page away. One that has been paid or has expired by itself is refused, and stays as it is. */
export async function expireCheckout(stripe: Stripe, checkoutId: string): Promise<void> {
  await askStripe(() => stripe.checkout.sessions.expire(checkoutId));
}

type CommonOrder = Pick<SubscriptionOrder, 'customerId' | 'email' | 'successUrl' | 'cancelUrl' | 'expiresAt'>;

function commonParams({ stripeTax }: Settings, order: CommonOrder): SessionParams {
  const { customerId, email } = order;
  const customer: SessionParams = customerId === null ? { customer_email: email } : { customer: customerId };
  const tax: SessionParams = stripeTax ? { automatic_tax: { enabled: true } } : {};
  // Stripe Tax needs to know where a customer is, and Checkout keeps what they say only if it may.
  const update: SessionParams =
    stripeTax && customerId !== null ? { customer_update: { address: 'auto' } } : {};
  return {
    ...customer,
    ...tax,
    ...update,
    success_url: order.successUrl,
    cancel_url: order.cancelUrl,
    expires_at: epochSeconds(order.expiresAt),
  };
}

function toPriceData({ title, amountCents, currency, taxBehavior }: CheckoutOrder) {
  return {
    currency: currency.toLowerCase(),
    unit_amount: toStripeAmount(amountCents, currency),
    tax_behavior: taxBehavior,
    product_data: { name: title },
  };
}

function toOpened({ id, url, expires_at: expiresAt }: Stripe.Checkout.Session): OpenedCheckout {
  if (url === null) throw new Error('Stripe opened a checkout without a page');
  return { checkoutId: id, url, expiresAt: new Date(expiresAt * 1000) };
}
