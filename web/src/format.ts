/** A number as people write it: 1,500. The same on the server and in every browser. */
export function countOf(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Units of credits in words: 1 credit, 0.25 credits. */
export function creditsOf(units: number, scale: number): string {
  return units === 10 ** scale ? '1 credit' : `${creditUnitsOf(units, scale)} credits`;
}

/** Units of credits, of which a credit has 10^scale, as people write them: 1,500 or 0.25. */
export function creditUnitsOf(units: number, scale: number): string {
  const digits = String(Math.abs(units)).padStart(scale + 1, '0');
  const whole = countOf(Number(digits.slice(0, digits.length - scale)));
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${units < 0 ? '−' : ''}${whole}${scale === 0 || fraction === '' ? '' : `.${fraction}`}`;
}

/** Units of credits as a field for numbers holds them: 1500 or 0.25. */
export function fieldTextOf(units: number, scale: number): string {
  return creditUnitsOf(units, scale).replaceAll(',', '');
}

/** The units that a field for numbers holds; null for what is no number of them, or one that is not exact. */
export function unitsOfField(text: string, scale: number): number | null {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > scale) return null;
  const units = Number(`${whole}${fraction.padEnd(scale, '0')}`);
  return Number.isSafeInteger(units) ? units : null;
}

const symbols: Record<string, string | undefined> = { EUR: '€', USD: '$', GBP: '£' };
/** As `currency-digits-of.ts` of the service says it; a test compares them. */
const withoutDecimals = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '),
);
const withThreeDecimals = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/** A price, from the smallest unit of its currency: €5.00, CHF 5.00, JPY 500. */
export function moneyOf(cents: number, currency: string): string {
  const scale = withoutDecimals.has(currency) ? 0 : withThreeDecimals.has(currency) ? 3 : 2;
  const [whole = '', fraction = ''] = creditUnitsOf(cents, scale).split('.');
  const number = scale === 0 ? whole : `${whole}.${fraction.padEnd(scale, '0')}`;
  const symbol = symbols[currency];
  return symbol === undefined ? `${currency}\u00a0${number}` : `${symbol}${number}`;
}

/** What credits cost, rounded to whole cents: €5.00. Both are in units. */
export function eurosOf(units: number, unitsPerEur: number): string {
  const cents = Math.round((units * 100) / unitsPerEur);
  return `€${countOf(Math.trunc(cents / 100))}.${String(cents % 100).padStart(2, '0')}`;
}

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** The day of a time, in UTC, as budgets begin: 1 April 2026. */
export function dayOf(time: string): string {
  const [year = '', month = '1', day = '1'] = time.slice(0, 10).split('-');
  return `${Number(day)}\u00a0${months[Number(month) - 1]} ${year}`;
}

/** A time, in UTC: 1 April 2026, 12:05 UTC. */
export function timeOf(time: string): string {
  return `${dayOf(time)}, ${time.slice(11, 16)}\u00a0UTC`;
}
