import type {
  Charge,
  Customer,
  Dispute,
  FraudWarning,
  Invoice,
  InvoicePayment,
  LineItem,
  PaymentIntent,
  PaymentMethod,
  PortalConfiguration,
  PortalSession,
  Price,
  Product,
  Refund,
  Session,
  StripeEvent,
  Subscription,
} from './wire.ts';

/** An answer that is given again when the same key comes again. */
export type RememberedAnswer = { fingerprint: string; status: number; body: unknown; at: number };

/** What of a checkout the answers do not show. */
export type CheckoutSecrets = {
  lineItems: LineItem[];
  savesCard: boolean;
  paymentMetadata: Record<string, string>;
  subscriptionMetadata: Record<string, string>;
  paymentDescription: string | null;
};

/** A payment on its way through the banks: what it ends in, and when. */
export type Settlement = { paymentIntentId: string; outcome: 'succeeds' | 'fails'; dueSeconds: number };

/** What of a subscription the answers do not show. */
export type SubscriptionSecrets = {
  /** The next attempts to charge for it are declined, until it is said otherwise. */
  declines: boolean;
  /** What a change in the middle of a period has cost or given back, for the next bill. */
  pendingProrations: { amount: number; description: string }[];
};

export type StripeState = {
  customers: Record<string, Customer>;
  sessions: Record<string, Session>;
  checkoutSecrets: Record<string, CheckoutSecrets>;
  paymentIntents: Record<string, PaymentIntent>;
  paymentMethods: Record<string, PaymentMethod>;
  charges: Record<string, Charge>;
  refunds: Record<string, Refund>;
  disputes: Record<string, Dispute>;
  products: Record<string, Product>;
  prices: Record<string, Price>;
  subscriptions: Record<string, Subscription>;
  subscriptionSecrets: Record<string, SubscriptionSecrets>;
  invoices: Record<string, Invoice>;
  invoicePayments: Record<string, InvoicePayment>;
  portalConfigurations: Record<string, PortalConfiguration>;
  portalSessions: Record<string, PortalSession>;
  fraudWarnings: Record<string, FraudWarning>;
  events: Record<string, StripeEvent>;
  settlements: Settlement[];
  /** Cards that are declined when they are charged, until it is said otherwise. */
  declinedMethods: string[];
  answers: Record<string, RememberedAnswer>;
};

export function emptyStripeState(): StripeState {
  return {
    customers: {},
    sessions: {},
    checkoutSecrets: {},
    paymentIntents: {},
    paymentMethods: {},
    charges: {},
    refunds: {},
    disputes: {},
    products: {},
    prices: {},
    subscriptions: {},
    subscriptionSecrets: {},
    invoices: {},
    invoicePayments: {},
    portalConfigurations: {},
    portalSessions: {},
    fraudWarnings: {},
    events: {},
    settlements: [],
    declinedMethods: [],
    answers: {},
  };
}
