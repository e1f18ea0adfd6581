import { getCACertificates } from 'node:tls';
import type { Config } from '../../../config.ts';
import type { Clock, Ctx } from '../../../ctx.ts';
import { paypalModeOf } from '../../../paypal-settings.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { cancelSubscription } from './cancel-subscription.ts';
import { createCertificateStore, type CertificateMemory } from './certificate-store.ts';
import { changeSubscription } from './change-subscription.ts';
import { ensurePlan } from './ensure-plan.ts';
import { listPaypalFacts } from './list-paypal-facts.ts';
import { openOrder } from './open-order.ts';
import { openSubscription } from './open-subscription.ts';
import { createPaypalConnection } from './paypal-connection.ts';
import { readOrder } from './read-order.ts';
import { readPaypalDelivery } from './read-paypal-delivery.ts';
import { readSubscription } from './read-subscription.ts';
import { readSubscriptionCheckout } from './read-subscription-checkout.ts';
import { refundCapture } from './refund-capture.ts';
import type { DeliveryRules } from './verify-delivery.ts';

type PaypalSettings = Pick<
  Config,
  | 'paypalClientId'
  | 'paypalClientSecret'
  | 'paypalWebhookId'
  | 'paypalMerchantId'
  | 'paypalApiBase'
  | 'paypalWebhookToleranceSeconds'
  | 'paypalCertificateOrigin'
  | 'paypalCertificateAuthority'
>;

export type PaypalOptions = {
  config: PaypalSettings;
  clock: Clock;
  /** Asks in place of `fetch`, in tests. */
  fetch?: typeof fetch;
  /** The authorities (PEM) that are trusted, in place of the public ones that Node.js knows. */
  roots?: readonly string[];
  memory?: CertificateMemory;
  log?: Ctx['log'];
};

/** PayPal, by its REST API: the mode is that of the address. See the README for what it cannot do. */
export function createPaypalProvider(options: PaypalOptions): PaymentProvider {
  const { config, clock, fetch, log } = options;
  const connection = createPaypalConnection({
    apiBase: config.paypalApiBase,
    clientId: config.paypalClientId,
    clientSecret: config.paypalClientSecret,
    merchantId: config.paypalMerchantId,
    clock,
    fetch,
    log,
  });
  const rules = createRules(options);
  return {
    name: 'paypal',
    isLive: rules.hosts.mode === 'live',
    changesAtOnce: false,
    openCheckout: (order) => openOrder(connection, order),
    async readCheckout(checkoutId, mayCapture) {
      const order = await readOrder(connection, checkoutId, mayCapture);
      // What pays somebody else never pays us.
      return order && (order.problem === null ? order.fact : { ...order.fact, status: 'failed' });
    },
    // PayPal offers no way to end an order: it does so itself, three hours after it was opened.
    expireCheckout: () => Promise.resolve(),
    refund: (order) => refundCapture(connection, order),
    ensurePrice: (plan) => ensurePlan(connection, plan),
    openSubscription: (order) => openSubscription(connection, order),
    readSubscription: (id) => readSubscription(connection, id),
    readSubscriptionCheckout: (checkoutId) => readSubscriptionCheckout(connection, checkoutId),
    changeSubscription: (change) => changeSubscription(connection, change),
    cancelSubscription: (order) => cancelSubscription(connection, order),
    openPortal: () => Promise.resolve(null),
    chargeSavedCard: () => Promise.resolve(null),
    listFacts: (since) => listPaypalFacts(connection, since),
    readDelivery: (body, headers, mayCapture) =>
      readPaypalDelivery(connection, rules, { body, headers, mayCapture }),
  };
}

function createRules({ config, clock, fetch, roots, memory }: PaypalOptions): DeliveryRules {
  const { paypalCertificateOrigin: standInOrigin, paypalCertificateAuthority: authority } = config;
  const mode = paypalModeOf(config.paypalApiBase);
  const isStandIn = mode === 'stand-in';
  const certificates = createCertificateStore({
    clock,
    commonName: `messageverificationcerts.${mode === 'sandbox' ? 'sandbox.' : ''}paypal.com`,
    findsIssuers: !isStandIn,
    roots: () => (isStandIn ? [authority.replaceAll('\\n', '\n')] : (roots ?? getCACertificates('default'))),
    fetch,
    memory,
  });
  return {
    clock,
    webhookId: config.paypalWebhookId,
    toleranceSeconds: config.paypalWebhookToleranceSeconds,
    hosts: { mode, standInOrigin: authority === '' ? '' : standInOrigin },
    certificates,
  };
}
