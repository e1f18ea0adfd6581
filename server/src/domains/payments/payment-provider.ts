import type { CheckoutFact, Fact, ProviderName, RefundFact, SubscriptionFact } from './fact.ts';

/** An event as a provider delivered it, once its signature has been found good. */
export type ProviderEvent = {
  id: string;
  type: string;
  /** When the provider says that it happened. */
  createdAt: Date;
  isLive: boolean;
  payload: unknown;
  /** What it says about money; none for events that say nothing which concerns Obol. */
  facts: Fact[];
  /** Why nothing of it counts, although the provider says it: it is kept, without effect. */
  refusal?: string | null;
};

/** An approved payment that the provider would take now. `invoiceId` is what it names as our bill, if any. */
export type ApprovedCheckout = {
  checkoutId: string;
  purchaseId: string;
  invoiceId: string | null;
  amountCents: number;
  currency: string;
};

/** Whether an approved payment is for a purchase of ours that is still to be paid, and fits it. */
export type MayCapture = (checkout: ApprovedCheckout) => Promise<boolean>;

/**
 * What is sold, as a checkout shows it. `purchaseId` goes along as metadata and keys the call (idempotency).
 */
export type CheckoutOrder = {
  purchaseId: string;
  userId: string;
  email: string;
  customerId: string | null;
  title: string;
  amountCents: number;
  currency: string;
  /** Whether the price includes tax. */
  taxBehavior: 'inclusive' | 'exclusive' | 'unspecified';
  /** Keep the card for automatic top-ups. */
  savesCard: boolean;
  successUrl: string;
  cancelUrl: string;
  expiresAt: Date;
};

/** A subscription to be begun. `subscriptionId` is ours. */
export type SubscriptionOrder = Omit<
  CheckoutOrder,
  'purchaseId' | 'amountCents' | 'currency' | 'taxBehavior' | 'savesCard'
> & {
  subscriptionId: string;
  providerPriceId: string;
};

export type OpenedCheckout = { checkoutId: string; url: string; expiresAt: Date };

/**
 * A payment provider. Every outgoing call carries an idempotency key derived from our row, ends after a time
 * limit, and throws `payments.provider_unavailable` when nobody can say what came of it,
 * `payments.provider_refused` when it was refused.
 */
export type PaymentProvider = {
  name: ProviderName;
  /** Whether real money moves. */
  isLive: boolean;
  /** Whether it can bill a dearer plan for the rest of a period; otherwise that counts from the next one. */
  changesAtOnce: boolean;
  openCheckout(order: CheckoutOrder): Promise<OpenedCheckout>;
  /**
   * How a checkout stands now. PayPal captures an approved order here, where `mayCapture` says so. Null when
   * the provider knows none such.
   */
  readCheckout(checkoutId: string, mayCapture: MayCapture): Promise<CheckoutFact | null>;
  /**
   * Takes the page of a checkout away, where the provider can. Refused (`payments.provider_refused`) when it
   * cannot be ended any more, since it was paid, is being paid, or is over: what came of it is asked for.
   */
  expireCheckout(checkoutId: string): Promise<void>;
  refund(order: {
    refundRequestId: string;
    paymentId: string;
    amountCents: number;
    currency: string;
    reason: string;
  }): Promise<RefundFact>;
  /**
   * Makes sure that the provider has a price for a plan of ours (idempotent by planId and version); its id.
   */
  ensurePrice(plan: {
    planId: string;
    version: number;
    name: string;
    priceCents: number;
    currency: string;
    interval: 'month' | 'year';
    taxBehavior: 'inclusive' | 'exclusive' | 'unspecified';
  }): Promise<string>;
  openSubscription(order: SubscriptionOrder): Promise<OpenedCheckout>;
  readSubscription(providerSubscriptionId: string): Promise<SubscriptionFact | null>;
  /**
   * What has come of a checkout that was opened for a subscription: how the subscription stands and what it
   * was billed; nothing as long as the customer may still agree. Null when that can be paid no more.
   */
  readSubscriptionCheckout(checkoutId: string): Promise<Fact[] | null>;
  /**
   * Puts a subscription on another price. `isImmediate`: at once, and the difference for the rest of the
   * period is billed now, in proportion to time (an invoice of purpose `change`); refused when that cannot be
   * paid. Otherwise the price counts from the next period on and nothing is billed now. Where differences are
   * billed, one that stands on another price than `expectedPriceId` is left as it is
   * (`payments.subscription_state`). Where the customer has to agree at the provider's first, nothing has
   * changed yet: `fact` is null, and `approvalUrl` is where they do.
   */
  changeSubscription(order: {
    providerSubscriptionId: string;
    expectedPriceId: string;
    providerPriceId: string;
    changeId: string;
    isImmediate: boolean;
    returnUrl: string;
  }): Promise<{ fact: SubscriptionFact | null; approvalUrl: string | null }>;
  /**
   * Ends it with its period, or takes that back. PayPal cannot take it back: `payments.not_supported`. With
   * `isAtOnce` it has ended, and no open bill is tried again. Again it changes nothing.
   */
  cancelSubscription(order: {
    providerSubscriptionId: string;
    cancels: boolean;
    isAtOnce?: boolean;
    changeId: string;
  }): Promise<SubscriptionFact>;
  /** The provider's own page for cards and bills; null where it has none. */
  openPortal(order: { customerId: string; returnUrl: string }): Promise<string | null>;
  /** Charges a saved card without its owner being there; null where the provider cannot. */
  chargeSavedCard(order: {
    purchaseId: string;
    customerId: string;
    amountCents: number;
    currency: string;
    title: string;
  }): Promise<CheckoutFact | null>;
  /**
   * Everything about money since then, a page at a time, in any order: for reconciliation and lost webhooks.
   */
  listFacts(since: Date): AsyncIterable<Fact[]>;
  /**
   * Reads a delivery: checks its signature over the very bytes, its age, and the mode. What it says is
   * approved is captured, where `mayCapture` says so. Throws
   * `payments.signature_invalid`, `payments.delivery_too_old`, `payments.wrong_mode`, `request.invalid`.
   */
  readDelivery(
    body: Buffer,
    headers: Record<string, string | undefined>,
    mayCapture: MayCapture,
  ): Promise<ProviderEvent>;
};
