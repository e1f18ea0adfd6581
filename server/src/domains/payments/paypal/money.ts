import { currencyDigitsOf } from '../../../lib/currency-digits-of.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { JsonError, readObject, readText, type Json } from './json.ts';

/** An amount in minor units of its currency (ISO 4217, capitals). */
export type Money = { amountCents: number; currency: string };

/**
 * Currencies that have decimals, but not at PayPal.
 * @see https://developer.paypal.com/reference/currency-codes/
 */
const wholeAtPaypal = new Set(['HUF', 'TWD']);

/**
 * An amount as PayPal writes it: `value` and `currency_code`, in version 1 of its API `total` and
 * `currency`.
 */
export function readMoney(of: Json, name: string): Money {
  const money = readObject(of[name], name);
  const isFirstVersion = money.total !== undefined || money.currency !== undefined;
  const currency = readText(money, isFirstVersion ? 'currency' : 'currency_code');
  if (!/^[A-Z]{3}$/.test(currency)) throw new JsonError(`${name} is in no currency`);
  const value = readText(money, isFirstVersion && money.total !== undefined ? 'total' : 'value');
  return { amountCents: toMinorUnits(value, currency), currency };
}

/**
 * The amount without its sign: what goes back to a customer is written with one here and without one there.
 */
export function readMoneyBack(of: Json, name: string): Money {
  const { amountCents, currency } = readMoney(of, name);
  return { amountCents: amountCents < 0 ? -amountCents : amountCents, currency };
}

/** Exact: PayPal writes decimal texts, which never become floating point numbers. Throws JsonError. */
function toMinorUnits(value: string, currency: string): number {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/.exec(value) ?? [];
  const places = currencyDigitsOf(currency);
  if (whole === '' || /[1-9]/.test(fraction.slice(places))) throw new JsonError(`"${value}" is no amount`);
  return exactInteger(`${sign}${whole}${fraction.slice(0, places).padEnd(places, '0')}`) || 0;
}

/**
 * An amount of minor units as PayPal wants it. Throws RangeError when it has a fraction in a currency that
 * PayPal takes whole units of only.
 */
export function toPaypalMoney({ amountCents, currency }: Money): { currency_code: string; value: string } {
  const places = currencyDigitsOf(currency);
  const digits = String(exactInteger(amountCents)).padStart(places + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - places), digits.slice(digits.length - places)];
  if (places > 0 && !wholeAtPaypal.has(currency))
    return { currency_code: currency, value: `${whole}.${fraction}` };
  if (/[1-9]/.test(fraction)) throw new RangeError(`PayPal takes whole ${currency} only`);
  return { currency_code: currency, value: whole };
}
