import { Stripe } from 'stripe';
import type { Config } from '../../../config.ts';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { askStripe, askStripeFor } from './ask-stripe.ts';
import { chargeSavedCard } from './charge-saved-card.ts';
import { completeFacts } from './complete-facts.ts';
import { listStripeFacts } from './list-stripe-facts.ts';
import { metadataNames } from './metadata.ts';
import { expireCheckout, openCheckout, openSubscription } from './open-checkout.ts';
import { ensurePrice } from './ensure-price.ts';
import { openPortal } from './open-portal.ts';
import { readEvent } from './read-event.ts';
import { readSubscriptionCheckout } from './read-subscription-checkout.ts';
import { toStripeAmount } from './stripe-amounts.ts';
import { toCheckoutFact, toSavedCardFact } from './to-checkout-fact.ts';
import { toRefundFact } from './to-refund-fact.ts';
import { cancelSubscription, changeSubscription } from './change-subscription.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';
import { verifySignature } from './verify-signature.ts';

type StripeSettings = Pick<
  Config,
  'stripeSecretKey' | 'stripeWebhookSecrets' | 'stripeApiBase' | 'stripeTax' | 'stripeInvoices'
>;

const timeoutMs = 20_000;
const networkRetriesMax = 2;

/**
 * Stripe as a payment provider. Its key decides the mode: deliveries of the other one are refused. Calls
 * that lost their connection are repeated under the same idempotency key before anybody is told.
 */
export function createStripeProvider({
  config,
  clock,
}: {
  config: StripeSettings;
  clock: Clock;
}): PaymentProvider {
  const stripe = connect(config);
  const secrets = config.stripeWebhookSecrets.split(/[\s,]+/).filter((secret) => secret !== '');
  const isLive = /^(sk|rk)_live_/.test(config.stripeSecretKey);
  return {
    name: 'stripe',
    isLive,
    changesAtOnce: true,
    openCheckout: (order) => openCheckout(stripe, config, order),
    readCheckout: (checkoutId) => readCheckout(stripe, checkoutId),
    expireCheckout: (checkoutId) => expireCheckout(stripe, checkoutId),
    refund: (order) => refund(stripe, order),
    ensurePrice: (plan) => ensurePrice(stripe, plan),
    openSubscription: (order) => openSubscription(stripe, config, order),
    readSubscription: async (id) => {
      const found = await askStripeFor(() => stripe.subscriptions.retrieve(id));
      return found && toSubscriptionFact(found, clock.now());
    },
    readSubscriptionCheckout: (checkoutId) => readSubscriptionCheckout(stripe, clock, checkoutId),
    changeSubscription: (order) => changeSubscription(stripe, clock, order),
    cancelSubscription: (order) => cancelSubscription(stripe, clock, order),
    openPortal: (order) => openPortal(stripe, order),
    chargeSavedCard: (order) => chargeSavedCard(stripe, order),
    listFacts: (since) => listStripeFacts(stripe, clock, since),
    readDelivery: async (body, headers) => {
      verifySignature({ body, header: headers['stripe-signature'] }, secrets, clock.now());
      const event = readEvent(body);
      if (event.isLive !== isLive) throw new AppError('payments.wrong_mode');
      return { ...event, facts: await completeFacts(stripe, event) };
    },
  };
}

function connect({ stripeSecretKey, stripeApiBase }: StripeSettings): Stripe {
  const { protocol, hostname, port } = new URL(stripeApiBase);
  return new Stripe(stripeSecretKey, {
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : port,
    timeout: timeoutMs,
    maxNetworkRetries: networkRetriesMax,
    telemetry: false,
    appInfo: { name: 'Obol' },
  });
}

/** A purchase that a saved card was charged for has no session: its checkout is the payment. */
async function readCheckout(stripe: Stripe, checkoutId: string) {
  if (checkoutId.startsWith('pi_')) {
    const payment = await askStripeFor(() => stripe.paymentIntents.retrieve(checkoutId));
    return payment && toSavedCardFact(payment);
  }
  const params = { expand: ['payment_intent'] };
  const session = await askStripeFor(() => stripe.checkout.sessions.retrieve(checkoutId, params));
  return session && toCheckoutFact(session);
}

async function refund(stripe: Stripe, order: Parameters<PaymentProvider['refund']>[0]) {
  const answer = await askStripe(() =>
    stripe.refunds.create(
      {
        payment_intent: order.paymentId,
        amount: toStripeAmount(order.amountCents, order.currency),
        reason: 'requested_by_customer',
        metadata: { [metadataNames.refundRequestId]: order.refundRequestId },
      },
      { idempotencyKey: `obol:refund:${order.refundRequestId}` },
    ),
  );
  const fact = toRefundFact(answer);
  if (fact === null) throw new Error('Stripe made a refund of no payment');
  return fact;
}
