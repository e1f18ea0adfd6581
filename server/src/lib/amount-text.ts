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
