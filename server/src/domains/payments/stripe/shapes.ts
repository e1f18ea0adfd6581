import { Type, type Static } from 'typebox';

/**
 * What Obol reads of Stripe's objects, and nothing else. A delivery is checked against these before it is
 * read; that they fit the SDK's own types is checked by the compiler, since answers of the SDK go to the
 * same readers.
 */
const reference = Type.Union([Type.String(), Type.Object({ id: Type.String() })]);
const optionalReference = Type.Union([reference, Type.Null()]);
const seconds = Type.Integer();
const cents = Type.Integer();
const metadata = Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]);

export const eventShape = Type.Object({
  id: Type.String({ minLength: 1 }),
  object: Type.Literal('event'),
  type: Type.String({ minLength: 1 }),
  created: seconds,
  livemode: Type.Boolean(),
  account: Type.Optional(Type.String()),
  data: Type.Object({ object: Type.Unknown() }),
});

export const sessionShape = Type.Object({
  id: Type.String(),
  mode: Type.String(),
  status: Type.Union([Type.String(), Type.Null()]),
  payment_status: Type.String(),
  payment_intent: Type.Union([
    Type.String(),
    Type.Object({ id: Type.String(), status: Type.String() }),
    Type.Null(),
  ]),
  amount_subtotal: Type.Union([cents, Type.Null()]),
  amount_total: Type.Union([cents, Type.Null()]),
  total_details: Type.Union([Type.Object({ amount_discount: cents }), Type.Null()]),
  currency: Type.Union([Type.String(), Type.Null()]),
  customer: optionalReference,
  metadata,
});

export const paymentIntentShape = Type.Object({
  id: Type.String(),
  status: Type.String(),
  amount: cents,
  currency: Type.String(),
  customer: optionalReference,
  metadata,
});

export const refundShape = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.String(), Type.Null()]),
  amount: cents,
  currency: Type.String(),
  payment_intent: optionalReference,
  charge: optionalReference,
  metadata,
});

export const chargeShape = Type.Object({
  id: Type.String(),
  payment_intent: optionalReference,
  refunds: Type.Optional(Type.Union([Type.Object({ data: Type.Array(refundShape) }), Type.Null()])),
});

export const disputeShape = Type.Object({
  id: Type.String(),
  status: Type.String(),
  amount: cents,
  currency: Type.String(),
  payment_intent: optionalReference,
  charge: reference,
});

export const fraudWarningShape = Type.Object({
  id: Type.String(),
  actionable: Type.Boolean(),
  fraud_type: Type.String(),
  payment_intent: Type.Optional(reference),
  charge: reference,
});

export const subscriptionShape = Type.Object({
  id: Type.String(),
  status: Type.String(),
  cancel_at: Type.Union([seconds, Type.Null()]),
  cancel_at_period_end: Type.Boolean(),
  customer: reference,
  items: Type.Object({
    data: Type.Array(
      Type.Object({
        current_period_start: seconds,
        current_period_end: seconds,
        price: Type.Object({ id: Type.String() }),
      }),
    ),
  }),
  metadata,
});

const invoiceLineShape = Type.Object({
  amount: cents,
  period: Type.Object({ start: seconds, end: seconds }),
  parent: Type.Union([
    Type.Object({
      invoice_item_details: Type.Union([Type.Object({ proration: Type.Boolean() }), Type.Null()]),
      subscription_item_details: Type.Union([Type.Object({ proration: Type.Boolean() }), Type.Null()]),
    }),
    Type.Null(),
  ]),
  pricing: Type.Union([
    Type.Object({ price_details: Type.Optional(Type.Object({ price: reference })) }),
    Type.Null(),
  ]),
});

const invoicePaymentShape = Type.Object({
  status: Type.String(),
  payment: Type.Object({
    payment_intent: Type.Optional(reference),
    charge: Type.Optional(reference),
  }),
});

export const invoiceShape = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.String(), Type.Null()]),
  amount_paid: cents,
  total: cents,
  total_taxes: Type.Union([
    Type.Array(Type.Object({ amount: cents, tax_behavior: Type.String() })),
    Type.Null(),
  ]),
  currency: Type.String(),
  hosted_invoice_url: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  lines: Type.Object({ data: Type.Array(invoiceLineShape) }),
  parent: Type.Union([
    Type.Object({
      subscription_details: Type.Union([Type.Object({ subscription: reference, metadata }), Type.Null()]),
    }),
    Type.Null(),
  ]),
  payments: Type.Optional(Type.Object({ data: Type.Array(invoicePaymentShape) })),
});

export type StripeSession = Static<typeof sessionShape>;
export type StripePaymentIntent = Static<typeof paymentIntentShape>;
export type StripeRefund = Static<typeof refundShape>;
export type StripeDispute = Static<typeof disputeShape>;
export type StripeFraudWarning = Static<typeof fraudWarningShape>;
export type StripeSubscription = Static<typeof subscriptionShape>;
export type StripeInvoice = Static<typeof invoiceShape>;
export type StripeInvoiceLine = Static<typeof invoiceLineShape>;
export type StripeInvoicePayment = Static<typeof invoicePaymentShape>;
export type StripeReference = Static<typeof optionalReference>;
