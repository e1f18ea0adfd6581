/**
 * A whole number that the database wrote, mostly as text, such as a sum of credits. Throws RangeError for
 * anything that JavaScript would not keep exactly, 2^53 and beyond included.
 */
export function exactInteger(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const text = String(value);
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is not an exact whole number`);
  return number;
}

/** How often `divisor` goes into `dividend`, a rest counting as once more; both are whole and positive. */
export function divideUp(dividend: number, divisor: number): number {
  return exactInteger((BigInt(dividend) + BigInt(divisor) - 1n) / BigInt(divisor));
}

/** So many credits in the units that wallets count, of which a credit has 10^scale. */
export function toUnits(credits: number, scale: number): number {
  return exactInteger(BigInt(credits) * 10n ** BigInt(scale));
}

/** Whole seconds since 1970, as tokens and metrics count them. @see RFC 7519 §2 */
export function epochSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
