import { currencyDigitsOf } from './currency-digits-of.ts';

/** Units of credits, of which a credit has 10^scale, as people read them: `1,500 credits`, `0.25 credits`. */
export function creditsText(units: number, scale: number): string {
  const format = formatFor(`${scale}`, { maximumFractionDigits: scale });
  return `${format.format(shifted(units, scale))} ${units === 10 ** scale ? 'credit' : 'credits'}`;
}

/** A price from the smallest unit of its currency: `€5.00`, `CHF 5.00`, `¥500`. */
export function moneyText(cents: number, currency: string): string {
  const digits = currencyDigitsOf(currency);
  const decimals = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const format = formatFor(currency, { style: 'currency', currency, ...decimals });
  return format.format(shifted(cents, digits));
}

/** Units as a plain decimal number, which forms hold: `1500`, `0.25`. */
export function decimalText(units: number, scale: number): string {
  const digits = String(units).padStart(scale + 1, '0');
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - scale);
  return scale === 0 || fraction === '' ? whole : `${whole}.${fraction}`;
}

/** The units of a plain decimal number; undefined for other texts, more places, and what is not exact. */
export function parseDecimal(text: string, scale: number): number | undefined {
  const [, whole, fraction = ''] = /^(\d{1,16})(?:\.(\d{1,16}))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > scale) return undefined;
  const units = Number(`${whole}${fraction.padEnd(scale, '0')}`);
  return Number.isSafeInteger(units) ? units : undefined;
}

/** How many of the smallest unit of a currency make a whole one: 100 cents, 1 yen. */
export function centsPerUnit(currency: string): number {
  return 10 ** currencyDigitsOf(currency);
}

/** By currency or scale. A format costs more to make than to use a hundred times; there are few. */
const formats = new Map<string, Intl.NumberFormat>();

function formatFor(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const format = formats.get(key) ?? new Intl.NumberFormat('en', options);
  formats.set(key, format);
  return format;
}

/** A decimal number as text, which is formatted digit by digit, so that nothing is rounded. */
function shifted(units: number, places: number): `${number}` {
  return `${units}e-${places}` as `${number}`;
}
