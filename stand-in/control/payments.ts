import { idOf, type Charge } from '../stripe/wire.ts';
import type { World } from '../world.ts';
import { Refused } from './input.ts';

/** A payment that went well or is on its way, of either provider. */
export type PaymentLine = {
  id: string;
  provider: 'Stripe' | 'PayPal';
  what: string;
  status: string;
  amountCents: number;
  currency: string;
  isWaiting: boolean;
};

/** Whether a payment is one of Stripe's, by its id. */
export function isOfStripe(payment: string): boolean {
  return /^(pi|ch)_/.test(payment);
}

/** The charge of a payment that went well. */
export function chargeOf(world: World, payment: string): Charge {
  const { charges, paymentIntents } = world.state.stripe;
  const charge = charges[payment] ?? charges[idOf(paymentIntents[payment]?.latest_charge) ?? ''];
  if (charge?.status !== 'succeeded') throw new Refused(`There is no payment ${payment} that went well.`);
  return charge;
}

/** The payments of both providers, the newest first. */
export function listPayments(world: World): PaymentLine[] {
  const { stripe, paypal } = world.state;
  const intents = Object.values(stripe.paymentIntents).map((intent): PaymentLine => ({
    id: intent.id,
    provider: 'Stripe',
    what: intent.description ?? Object.values(intent.metadata)[0] ?? '',
    status: stripe.charges[idOf(intent.latest_charge) ?? '']?.disputed ? 'disputed' : intent.status,
    amountCents: intent.amount,
    currency: intent.currency.toUpperCase(),
    isWaiting: intent.status === 'processing',
  }));
  const captures = Object.values(paypal.captures).map((capture): PaymentLine => ({
    id: capture.id,
    provider: 'PayPal',
    what: capture.custom_id ?? '',
    status: capture.status,
    amountCents: Number(capture.amount.value.replace('.', '')),
    currency: capture.amount.currency_code,
    isWaiting: capture.status === 'PENDING',
  }));
  const sales = Object.values(paypal.sales).map((sale): PaymentLine => ({
    id: sale.id,
    provider: 'PayPal',
    what: sale.billing_agreement_id,
    status: sale.state,
    amountCents: Number(sale.amount.total.replace('.', '')),
    currency: sale.amount.currency,
    isWaiting: false,
  }));
  return [...intents, ...captures, ...sales].toReversed();
}
