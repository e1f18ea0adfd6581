import { divideUp, exactInteger } from '../../../lib/exact.ts';

/**
 * Currencies without decimals whose amounts Stripe writes with two all the same.
 * @see https://docs.stripe.com/currencies#special-cases
 */
const inHundredths = new Set(['ISK', 'UGX']);

/** An amount of ours as Stripe counts it. Throws RangeError for more than can be counted exactly. */
export function toStripeAmount(cents: number, currency: string): number {
  return inHundredths.has(currency) ? exactInteger(BigInt(cents) * 100n) : cents;
}

/**
 * An amount of Stripe's, whose currency it writes in small letters, as we count it. Stripe takes whole
 * amounts only where there are no decimals; a part would be rounded up.
 */
export function fromStripeAmount(amount: number, currency: string): number {
  if (!inHundredths.has(currency.toUpperCase())) return amount;
  return Math.sign(amount) * divideUp(Math.abs(amount), 100);
}
