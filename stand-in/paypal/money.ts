import type { Body } from './body.ts';
import { PayPalRefusal } from './refusal.ts';

export type Money = { currency_code: string; value: string };

/** Currencies that PayPal takes whole amounts of only, whatever else is usual. */
const withoutDecimals = new Set(['HUF', 'JPY', 'TWD']);

/** An amount in minor units as PayPal writes it. */
export function moneyOf(cents: number, currency: string): Money {
  return { currency_code: currency, value: textOf(cents, currency) };
}

/** The digits of an amount: `5.00`, and `500` where there are no decimals. */
export function textOf(cents: number, currency: string): string {
  if (withoutDecimals.has(currency)) return String(cents);
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** The minor units of an amount that a call names. */
export function readMoney(body: Body): { cents: number; currency: string } {
  const currency = body.needText('currency_code', 3);
  const value = body.needText('value', 32);
  const pattern = withoutDecimals.has(currency) ? /^(\d{1,9})$/ : /^(\d{1,9})(?:\.(\d{2}))?$/;
  const match = pattern.exec(value);
  if (!match) {
    const rule = withoutDecimals.has(currency) ? 'does not support decimals' : 'has two decimal places';
    throw PayPalRefusal.unprocessable('DECIMAL_PRECISION', `${value}: ${currency} ${rule}.`);
  }
  const [, whole = '0', decimals = ''] = match;
  return { cents: Number(whole + (withoutDecimals.has(currency) ? '' : decimals.padEnd(2, '0'))), currency };
}

/** The minor units of an amount that the stand-in wrote itself. */
export function centsOf({ value }: Money): number {
  return Number(value.replace('.', ''));
}
