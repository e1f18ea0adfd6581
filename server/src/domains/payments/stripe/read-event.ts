import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError } from '../../../errors.ts';
import type { Fact } from '../fact.ts';
import type { ProviderEvent } from '../payment-provider.ts';
import {
  chargeShape,
  disputeShape,
  eventShape,
  fraudWarningShape,
  invoiceShape,
  paymentIntentShape,
  refundShape,
  sessionShape,
  subscriptionShape,
} from './shapes.ts';
import { toCheckoutFact, toSavedCardFact } from './to-checkout-fact.ts';
import { toDisputeFact } from './to-dispute-fact.ts';
import { toFraudWarningFact } from './to-fraud-warning-fact.ts';
import { toRefundFact } from './to-refund-fact.ts';
import { toInvoiceFact } from './to-invoice-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

const eventForm = Compile(eventShape);

type Reader = (object: unknown, happenedAt: Date) => (Fact | null)[];

/** What each type of event is about; a type that ends with a dot stands for all that begin with it. */
const readers: Record<string, Reader> = {
  'checkout.session.completed': reading(sessionShape, (session) => [toCheckoutFact(session)]),
  'checkout.session.async_payment_succeeded': reading(sessionShape, (session) => [toCheckoutFact(session)]),
  'checkout.session.async_payment_failed': reading(sessionShape, (session) => [
    toCheckoutFact(session, true),
  ]),
  'checkout.session.expired': reading(sessionShape, (session) => [toCheckoutFact(session)]),
  'payment_intent.succeeded': reading(paymentIntentShape, (payment) => [toSavedCardFact(payment)]),
  'payment_intent.processing': reading(paymentIntentShape, (payment) => [toSavedCardFact(payment)]),
  'payment_intent.payment_failed': reading(paymentIntentShape, (payment) => [toSavedCardFact(payment)]),
  'payment_intent.canceled': reading(paymentIntentShape, (payment) => [toSavedCardFact(payment)]),
  'invoice.finalized': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice)]),
  'invoice.paid': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice)]),
  'invoice.payment_succeeded': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice)]),
  'invoice.payment_failed': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice, true)]),
  'invoice.voided': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice)]),
  'invoice.marked_uncollectible': reading(invoiceShape, (invoice) => [toInvoiceFact(invoice)]),
  'customer.subscription.': reading(subscriptionShape, (subscription, happenedAt) => [
    toSubscriptionFact(subscription, happenedAt),
  ]),
  'refund.': reading(refundShape, (refund) => [toRefundFact(refund)]),
  'charge.refund.updated': reading(refundShape, (refund) => [toRefundFact(refund)]),
  'charge.refunded': reading(chargeShape, ({ refunds }) => (refunds?.data ?? []).map(toRefundFact)),
  'charge.dispute.': reading(disputeShape, (dispute) => [toDisputeFact(dispute)]),
  'radar.early_fraud_warning.': reading(fraudWarningShape, (warning) => [toFraudWarningFact(warning)]),
};

/**
 * Reads the text of an event whose signature has been found good. Types that say nothing about money have
 * no facts, and neither have events of accounts that are merely connected to ours: their owners choose what
 * their metadata says. Throws `request.invalid` for what is not an event, or whose object does not have the
 * form of the API version that Obol was written for.
 */
export function readEvent(body: Buffer): ProviderEvent {
  const payload = parse(body);
  if (!eventForm.Check(payload)) throw new AppError('request.invalid');
  const createdAt = new Date(payload.created * 1000);
  const readFacts = payload.account === undefined ? findReader(payload.type) : undefined;
  const facts = readFacts?.(payload.data.object, createdAt) ?? [];
  return {
    id: payload.id,
    type: payload.type,
    createdAt,
    isLive: payload.livemode,
    payload,
    facts: facts.filter((fact) => fact !== null),
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new AppError('request.invalid', { cause: error });
  }
}

function findReader(type: string): Reader | undefined {
  if (Object.hasOwn(readers, type)) return readers[type];
  const group = Object.keys(readers).find((name) => name.endsWith('.') && type.startsWith(name));
  return group === undefined ? undefined : readers[group];
}

function reading<T extends TSchema>(
  shape: T,
  read: (object: Static<T>, happenedAt: Date) => (Fact | null)[],
): Reader {
  const form = Compile(shape);
  return (object, happenedAt) => {
    if (!form.Check(object))
      throw new AppError('request.invalid', {
        cause: new Error(`Stripe sent an object of another form: ${firstError(form.Errors(object))}`),
      });
    return read(object, happenedAt);
  };
}

function firstError([error]: { instancePath: string; message: string }[]): string {
  return error === undefined ? 'unknown' : `${error.instancePath} ${error.message}`;
}
