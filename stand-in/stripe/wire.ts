import type Stripe from 'stripe';

/** Stands in the SDK's lists of words for words that are not known yet. */
type OtherWord = string & Record<never, never>;
type IsOtherWord<Value> =
  (<Probe>(probe: Probe) => Probe extends Value ? 1 : 2) extends <Probe>(
    probe: Probe,
  ) => Probe extends OtherWord ? 1 : 2
    ? true
    : false;

/**
 * A value as it goes over the wire: the SDK turns texts into decimals, the provider sends texts. Everything
 * else is what the SDK declares, so that the compiler checks each field of what the stand-in answers; and of
 * words it takes only those that the SDK knows by name.
 */
export type Wire<Value> = Value extends Stripe.Decimal
  ? string
  : Value extends string
    ? IsOtherWord<Value> extends true
      ? never
      : Value
    : Value extends readonly (infer Item)[]
      ? Wire<Item>[]
      : Value extends object
        ? { [Name in keyof Value]: Wire<Value[Name]> }
        : Value;

export type Session = Wire<Stripe.Checkout.Session>;
export type Customer = Wire<Stripe.Customer>;
export type PaymentIntent = Wire<Stripe.PaymentIntent>;
export type PaymentMethod = Wire<Stripe.PaymentMethod>;
export type Charge = Wire<Stripe.Charge>;
export type Refund = Wire<Stripe.Refund>;
export type Dispute = Wire<Stripe.Dispute>;
export type Product = Wire<Stripe.Product>;
export type Price = Wire<Stripe.Price>;
export type Plan = Wire<Stripe.Plan>;
export type Subscription = Wire<Stripe.Subscription>;
export type SubscriptionItem = Wire<Stripe.SubscriptionItem>;
export type Invoice = Wire<Stripe.Invoice>;
export type InvoiceLine = Wire<Stripe.InvoiceLineItem>;
export type InvoicePayment = Wire<Stripe.InvoicePayment>;
export type LineItem = Wire<Stripe.LineItem>;
export type PortalSession = Wire<Stripe.BillingPortal.Session>;
export type PortalConfiguration = Wire<Stripe.BillingPortal.Configuration>;
export type FraudWarning = Wire<Stripe.Radar.EarlyFraudWarning>;
export type List<Item> = Wire<Stripe.ApiList<Item>>;
/** Events of all types in one: what they are about is looked at by its `object`. */
export type StripeEvent = {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: { id: string; object: string }; previous_attributes?: Record<string, unknown> };
  livemode: false;
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null };
  type: string;
};

/** The id of what may be given by its id or whole. */
export function idOf(value: string | { id: string } | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : value.id;
}
