import { createHash } from 'node:crypto';
import type { Random } from '../../../ctx.ts';

/** Digits and letters that are not mistaken for each other, in the order of Crockford's base 32. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const symbols = 20;
const groupLength = 5;

/** A code of 100 bits that a person can read out: four groups of five. */
export function newCodeText(random: Random): string {
  const text = Array.from(random.bytes(symbols), (byte) => alphabet[byte % alphabet.length]).join('');
  return (text.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-');
}

/**
 * The digest by which a code is found, hexadecimal: upper and lower case are the same, and spaces and
 * hyphens do not count. One SHA-256 is enough: a code that we made has too many bits to be guessed, and a
 * chosen one is no secret.
 */
export function hashCodeText(text: string): string {
  const plain = text.normalize('NFKC').toUpperCase().replaceAll(/[\s-]/g, '');
  return createHash('sha256').update(plain).digest('hex');
}
