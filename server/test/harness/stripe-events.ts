import { Stripe } from 'stripe';
import { readEvent } from '../../src/domains/payments/stripe/read-event.ts';

export const stripeSecret = 'whsec_test_of_the_first_secret';

type Stamp = { at: Date; secret?: string; scheme?: string };

/** The header that Stripe sends along with a body, made by its own SDK. */
export function signStripe(payload: string, { at, secret = stripeSecret, scheme = 'v1' }: Stamp): string {
  const timestamp = Math.floor(at.getTime() / 1000);
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp, scheme });
}

/** The body of an event, spelt as Stripe does, over several lines. */
export function stripeEvent(event: {
  id: string;
  type: string;
  object: unknown;
  at: Date;
  livemode?: boolean;
  account?: string;
}): string {
  const { id, type, object, at, livemode = false, account } = event;
  const created = Math.floor(at.getTime() / 1000);
  const head = { id, object: 'event', api_version: '2026-10-28.endive', created, type, livemode };
  return JSON.stringify({ ...head, ...(account ? { account } : {}), data: { object } }, null, 2);
}

export type SessionParts = {
  id: string;
  purchaseId: string | null;
  paymentId: string;
  amountCents: number;
  currency?: string;
  customerId?: string;
  status?: string;
  paymentStatus?: string;
};

/** A checkout session as events carry it, as far as Obol reads it. */
export function stripeSession(parts: SessionParts) {
  return {
    id: parts.id,
    object: 'checkout.session',
    mode: 'payment',
    status: parts.status ?? 'complete',
    payment_status: parts.paymentStatus ?? 'paid',
    payment_intent: parts.paymentId,
    amount_subtotal: parts.amountCents,
    amount_total: parts.amountCents,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    currency: parts.currency ?? 'eur',
    customer: parts.customerId ?? null,
    metadata: parts.purchaseId === null ? {} : { obol_purchase_id: parts.purchaseId },
  };
}

export const noon = new Date('2026-03-01T12:00:00.000Z');

/** What an event of noon is read as. */
export function readAtNoon(type: string, object: unknown, options: { account?: string } = {}) {
  return readEvent(Buffer.from(stripeEvent({ id: 'evt_1', type, object, at: noon, ...options })));
}
