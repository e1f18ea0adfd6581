import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '../ctx.ts';

/** By it people and secret scanners recognise a key. */
export const apiKeyPrefix = 'obol_sk_';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base = alphabet.length;
const randomBytes = 36;
/** As many digits as 288 bits take. */
const randomDigits = 49;
const checksumDigits = 6;
const pattern = new RegExp(`^${apiKeyPrefix}[0-9A-Za-z]{${randomDigits + checksumDigits}}$`);

/** A new API key: the prefix, 288 random bits and a checksum over both, all letters and digits. */
export function newApiKey(random: Random): string {
  const secret = BigInt(`0x${random.bytes(randomBytes).toString('hex')}`);
  const unsigned = `${apiKeyPrefix}${toDigits(secret)}`;
  return `${unsigned}${checksumOf(unsigned)}`;
}

/** Whether this can be a key at all: a typing error is found without asking the database. */
export function isApiKey(text: string): boolean {
  return pattern.test(text) && text.endsWith(checksumOf(text.slice(0, -checksumDigits)));
}

/** What is stored of a key. One SHA-256 is enough: the key has too many bits to be guessed. */
export function digestApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** What is kept of a key so that its owner recognises it in a list. */
export function hintsOf(key: string): { start: string; lastFour: string } {
  return { start: key.slice(0, apiKeyPrefix.length + 4), lastFour: key.slice(-4) };
}

function checksumOf(unsigned: string): string {
  let digits = '';
  for (let rest = crc32(unsigned); digits.length < checksumDigits; rest = Math.floor(rest / base)) {
    digits = `${alphabet[rest % base]}${digits}`;
  }
  return digits;
}

function toDigits(value: bigint): string {
  let digits = '';
  for (let rest = value; digits.length < randomDigits; rest /= BigInt(base)) {
    digits = `${alphabet[Number(rest % BigInt(base))]}${digits}`;
  }
  return digits;
}
