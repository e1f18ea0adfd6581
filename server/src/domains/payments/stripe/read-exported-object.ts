import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { AppError } from '../../../errors.ts';
import type { Fact } from '../facts.ts';
import { readEvent } from './read-event.ts';
import {
  disputeShape,
  invoiceShape,
  paymentIntentShape,
  refundShape,
  sessionShape,
  subscriptionShape,
} from './shapes.ts';
import { toCheckoutFact, toSavedCardFact } from './to-checkout-fact.ts';
import { toDisputeFact } from './to-dispute-fact.ts';
import { toInvoiceFact } from './to-invoice-fact.ts';
import { toRefundFact } from './to-refund-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

const objectShape = Type.Object({ object: Type.String(), livemode: Type.Optional(Type.Boolean()) });
const listShape = Type.Object({ object: Type.Literal('list'), data: Type.Array(Type.Unknown()) });

type Reader = (object: unknown, asOf: Date) => Fact | null;

const readers: Record<string, Reader> = {
  'checkout.session': reading(sessionShape, (session) => toCheckoutFact(session)),
  payment_intent: reading(paymentIntentShape, (payment) => toSavedCardFact(payment)),
  refund: reading(refundShape, (refund) => toRefundFact(refund)),
  dispute: reading(disputeShape, (dispute) => toDisputeFact(dispute)),
  invoice: reading(invoiceShape, (invoice) => toInvoiceFact(invoice)),
  subscription: reading(subscriptionShape, (subscription, asOf) => toSubscriptionFact(subscription, asOf)),
};

/**
 * Reads an object of Stripe's API, a list of them, or an event, as exports hold them (`stripe events list`,
 * say). `asOf` is when the export was made. Objects that say nothing about money, and those of the other
 * mode, have no facts. Throws `request.invalid`.
 */
export function readExportedObject(object: unknown, options: { isLive: boolean; asOf: Date }): Fact[] {
  if (Value.Check(listShape, object)) return object.data.flatMap((one) => readExportedObject(one, options));
  if (!Value.Check(objectShape, object)) throw new AppError('request.invalid');
  if (object.livemode !== undefined && object.livemode !== options.isLive) return [];
  if (object.object === 'event') return readEvent(Buffer.from(JSON.stringify(object))).facts;
  const read = Object.hasOwn(readers, object.object) ? readers[object.object] : undefined;
  const fact = read?.(object, options.asOf) ?? null;
  return fact === null ? [] : [fact];
}

function reading<T extends TSchema>(shape: T, read: (object: Static<T>, asOf: Date) => Fact | null): Reader {
  return (object, asOf) => {
    if (!Value.Check(shape, object)) throw new AppError('request.invalid');
    return read(object, asOf);
  };
}
