import { getCACertificates } from 'node:tls';
import type { Clock } from '../../../ctx.ts';
import { paypalModeOf } from '../../../paypal-settings.ts';
import type { PaymentProvider } from '../provider.ts';
import { cancelSubscription } from './cancel-subscription.ts';
import { createCertificateStore } from './certificate-store.ts';
import { changeSubscription } from './change-subscription.ts';
import { ensurePlan } from './ensure-plan.ts';
import { listPaypalFacts } from './list-paypal-facts.ts';
import { openOrder } from './open-order.ts';
import { openSubscription } from './open-subscription.ts';
import { createPaypalConnection } from './paypal-connection.ts';
import { readOrder } from './read-order.ts';
import { readPaypalDelivery } from './read-paypal-delivery.ts';
import { readSubscription } from './read-subscription.ts';
import { refundCapture } from './refund-capture.ts';
import type { DeliveryRules } from './verify-delivery.ts';

export type PaypalOptions = {
  clientId: string;
  clientSecret: string;
  webhookId: string;
  apiBase: string;
  toleranceSeconds: number;
  /** For a stand-in only: where it keeps its certificates, and the authority (PEM) that issued them. */
  certificateOrigin: string;
  certificateAuthority: string;
  clock: Clock;
  /** Asks in place of `fetch`, in tests. */
  fetch?: typeof fetch;
  /** The authorities (PEM) that are trusted, in place of the public ones that Node.js knows. */
  roots?: readonly string[];
};

/** PayPal, by its REST API: the mode is that of the address. See the README for what it cannot do. */
export function createPaypalProvider(options: PaypalOptions): PaymentProvider {
  const connection = createPaypalConnection(options);
  const rules = createRules(options);
  return {
    name: 'paypal',
    isLive: rules.hosts.mode === 'live',
    openCheckout: (order) => openOrder(connection, order),
    readCheckout: (checkoutId) => readOrder(connection, checkoutId),
    // PayPal offers no way to end an order: it does so itself, three hours after it was opened.
    expireCheckout: () => Promise.resolve(),
    refund: (order) => refundCapture(connection, order),
    ensurePrice: (plan) => ensurePlan(connection, plan),
    openSubscription: (order) => openSubscription(connection, order),
    readSubscription: (id) => readSubscription(connection, id),
    changeSubscription: (change) => changeSubscription(connection, change),
    cancelSubscription: (order) => cancelSubscription(connection, order),
    openPortal: () => Promise.resolve(null),
    chargeSavedCard: () => Promise.resolve(null),
    listFacts: (since) => listPaypalFacts(connection, since),
    readDelivery: (body, headers) => readPaypalDelivery(connection, rules, { body, headers }),
  };
}

function createRules(options: PaypalOptions): DeliveryRules {
  const { clock, webhookId, toleranceSeconds, certificateOrigin, certificateAuthority } = options;
  const mode = paypalModeOf(options.apiBase);
  const isStandIn = mode === 'stand-in' && certificateOrigin !== '' && certificateAuthority !== '';
  const certificates = createCertificateStore({
    clock,
    commonName: isStandIn
      ? null
      : `messageverificationcerts.${mode === 'sandbox' ? 'sandbox.' : ''}paypal.com`,
    findsIssuers: !isStandIn,
    roots: () =>
      isStandIn
        ? [certificateAuthority.replaceAll('\\n', '\n')]
        : (options.roots ?? getCACertificates('default')),
    fetch: options.fetch,
  });
  const hosts = { mode, standInOrigin: isStandIn ? certificateOrigin : '' };
  return { clock, webhookId, toleranceSeconds, hosts, certificates };
}
