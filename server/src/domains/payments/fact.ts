/** The payment providers that Obol speaks with. */
export type ProviderName = 'stripe' | 'paypal';

/**
 * What a provider's event, answer or export says about money, in Obol's words. Facts know no order: of two
 * about the same thing the one further on in its states counts, whichever came first, so that applying them
 * in any order, and any number of times, ends in the same state.
 */
export type Fact =
  CheckoutFact | RefundFact | DisputeFact | SubscriptionFact | InvoiceFact | FraudWarningFact;

/**
 * How far a payment of a purchase is. open < processing < expired, failed < paid: what has been paid stays
 * paid. `purchaseId` is ours, from the metadata; `paymentId` is what refunds and disputes refer to (Stripe:
 * PaymentIntent, PayPal: capture). Amounts are minor units of `currency` (ISO 4217, capitals).
 */
export type CheckoutFact = {
  kind: 'checkout';
  checkoutId: string;
  purchaseId: string | null;
  paymentId: string | null;
  status: 'open' | 'processing' | 'expired' | 'failed' | 'paid';
  /** Our price: without the tax that comes on top of it, where it does. */
  amountCents: number;
  /** What is charged in all, tax included, when that is more; refunds and disputes are parts of it. */
  totalCents?: number;
  currency: string;
  customerId: string | null;
};

/**
 * Money on its way back to a customer. pending < succeeded < failed. `refundRequestId` is ours, if we asked
 * for it.
 */
export type RefundFact = {
  kind: 'refund';
  refundId: string;
  paymentId: string;
  refundRequestId: string | null;
  status: 'pending' | 'succeeded' | 'failed';
  amountCents: number;
  currency: string;
};

/**
 * A payment that the customer's bank calls back. open < lost < won: what was won is given back. Where cases
 * may be taken up again, `asOf` is the provider's time of it, and the latest counts. A `reversal:` is what a
 * provider took back, for a case or without one: it counts where that is more than the cases about the
 * payment, unless one was won since.
 */
export type DisputeFact = {
  kind: 'dispute';
  disputeId: string;
  paymentId: string;
  status: 'open' | 'lost' | 'won';
  amountCents: number;
  currency: string;
  asOf?: string;
};

/**
 * How a subscription stands, as of `asOf` (the provider's time of the event or answer); the latest counts,
 * and `ended` is final. `subscriptionId` is ours, from the metadata; `providerPriceId` says which plan the
 * next bill is for.
 */
export type SubscriptionFact = {
  kind: 'subscription';
  providerSubscriptionId: string;
  subscriptionId: string | null;
  status: 'incomplete' | 'active' | 'past_due' | 'ended';
  providerPriceId: string;
  periodStart: string | null;
  periodEnd: string | null;
  cancelsAtPeriodEnd: boolean;
  customerId: string | null;
  asOf: string;
};

/**
 * A bill of a subscription. open < failed < void < paid. `purpose`: `period` for one whole period, whose
 * bounds it names; `change` for what a dearer plan costs for the rest of a period, from the change to the end
 * of that period. `amountCents` is what was billed in all, before anything that the customer has to their
 * credit, and without tax that comes on top of the price.
 */
export type InvoiceFact = {
  kind: 'invoice';
  invoiceId: string;
  providerSubscriptionId: string;
  /** Ours, when the provider repeats the metadata of the subscription. */
  subscriptionId: string | null;
  paymentId: string | null;
  status: 'open' | 'failed' | 'void' | 'paid';
  purpose: 'period' | 'change';
  providerPriceId: string;
  amountCents: number;
  /** With the tax that comes on top, where it does; refunds and disputes are parts of it. */
  totalCents?: number;
  currency: string;
  periodStart: string;
  periodEnd: string;
  invoiceUrl: string | null;
};

/** The word of a bank that a card was probably stolen, before any dispute. What it is about has been paid. */
export type FraudWarningFact = {
  kind: 'fraud_warning';
  warningId: string;
  paymentId: string;
  /** In the words of the provider, such as `made_with_stolen_card`. */
  reason: string;
  /** Whether a refund may still prevent a dispute. */
  isActionable: boolean;
};
