import { verify as argon2Verify } from '@node-rs/argon2';
import { verify as bcryptVerify } from '@node-rs/bcrypt';
import { createCipheriv, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** The parts of a stored hash that its pattern names. */
type Parts = Record<string, string>;

/**
 * A kind of password hash that can be verified. `isBounded` is false for parameters that would take more
 * memory or time than a sign-in may; such a hash is neither taken in nor computed.
 */
type PasswordKind = {
  name: 'argon2' | 'bcrypt' | 'scrypt' | 'firebase-scrypt' | 'pbkdf2';
  pattern: RegExp;
  isBounded(parts: Parts): boolean;
  verify(password: string, hash: string, parts: Parts): Promise<boolean>;
};

const memoryMaxBytes = 128 * 1024 * 1024;
/** KiB of memory, times passes over it: about a second of work. */
const argon2WorkMax = 1024 * 1024;
/** Two to this power rounds: about a second of work. */
const bcryptCostMax = 14;
/** Blocks mixed: about a second of work. */
const scryptWorkMax = 2 ** 21;
const pbkdf2IterationsMax = 2_000_000;
const laneMax = 16;
const hashMinBytes = 16;
const hashMaxBytes = 128;

const base64 = '[A-Za-z0-9+/]';
const scryptAsync = promisify<string, Buffer, number, object, Buffer>(scrypt);
const pbkdf2Async = promisify(pbkdf2);

const kinds: readonly PasswordKind[] = [
  {
    name: 'argon2',
    pattern: new RegExp(
      `^\\$argon2(?:id|i|d)\\$v=(?:16|19)\\$m=(?<memory>\\d{1,7}),t=(?<passes>\\d{1,3}),p=(?<lanes>\\d{1,2})` +
        `\\$(?<salt>${base64}{11,86})\\$(?<key>${base64}{21,171})$`,
    ),
    isBounded: ({ memory, passes, lanes }) =>
      Number(memory) * 1024 <= memoryMaxBytes &&
      Number(memory) >= 8 * Number(lanes) &&
      Number(memory) * Number(passes) <= argon2WorkMax &&
      isWithin(passes, 1, 64) &&
      isWithin(lanes, 1, laneMax),
    verify: (password, hash) => argon2Verify(hash, password),
  },
  {
    name: 'bcrypt',
    pattern: /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/,
    isBounded: ({ cost }) => isWithin(cost, 4, bcryptCostMax),
    verify: (password, hash) => bcryptVerify(password, hash),
  },
  {
    name: 'scrypt',
    pattern: new RegExp(
      `^\\$scrypt\\$ln=(?<log>\\d{1,2}),r=(?<block>\\d{1,2}),p=(?<lanes>\\d{1,2})` +
        `\\$(?<salt>${base64}{2,344})\\$(?<key>${base64}{22,171})$`,
    ),
    isBounded: isScryptBounded,
    verify: async (password, _hash, parts) => {
      const key = decode(parts.key);
      return timingSafeEqual(await deriveByScrypt(password, decode(parts.salt), key.length, parts), key);
    },
  },
  {
    name: 'firebase-scrypt',
    pattern: new RegExp(
      `^\\$firebase-scrypt\\$ln=(?<log>\\d{1,2}),r=(?<block>\\d{1,2}),p=(?<lanes>1)\\$(?<salt>${base64}{2,344})` +
        `\\$(?<separator>${base64}{0,44})\\$(?<signer>${base64}{22,171})\\$(?<key>${base64}{22,171})$`,
    ),
    isBounded: isScryptBounded,
    verify: async (password, _hash, parts) => {
      const key = decode(parts.key);
      const salt = Buffer.concat([decode(parts.salt), decode(parts.separator)]);
      const cipherKey = await deriveByScrypt(password, salt, 32, parts);
      const sealed = createCipheriv('aes-256-ctr', cipherKey, Buffer.alloc(16)).update(decode(parts.signer));
      return sealed.length === key.length && timingSafeEqual(sealed, key);
    },
  },
  {
    name: 'pbkdf2',
    pattern: new RegExp(
      `^\\$pbkdf2-(?<digest>sha1|sha256|sha512)\\$i=(?<iterations>\\d{1,7})` +
        `\\$(?<salt>${base64}{0,344})\\$(?<key>${base64}{22,171})$`,
    ),
    isBounded: ({ iterations }) => isWithin(iterations, 1, pbkdf2IterationsMax),
    verify: async (password, _hash, parts) => {
      const key = decode(parts.key);
      const { digest = '', iterations } = parts;
      const salt = decode(parts.salt);
      return timingSafeEqual(await pbkdf2Async(password, salt, Number(iterations), key.length, digest), key);
    },
  },
];

/**
 * What kind of password hash a text is: a PHC string of argon2, scrypt or PBKDF2, a bcrypt hash, or
 * Firebase's scrypt. `too_costly` when its parameters would take more memory or time than a sign-in may.
 * @see https://github.com/P-H-C/phc-string-format
 */
export function passwordKindOf(hash: string): PasswordKind['name'] | 'unknown' | 'too_costly' {
  const found = find(hash);
  if (!found) return 'unknown';
  return found.kind.isBounded(found.parts) && hasProperKey(found.parts) ? found.kind.name : 'too_costly';
}

/**
 * Whether the password belongs to the hash, off the event loop and with the parameters of the hash. To a text
 * that is no hash, and to one that is too costly, none belongs. The password counts as it stands: normalising
 * it is up to the caller.
 */
export async function verifyByKind(password: string, hash: string): Promise<boolean> {
  const found = find(hash);
  if (!found || !found.kind.isBounded(found.parts) || !hasProperKey(found.parts)) return false;
  return found.kind.verify(password, hash, found.parts);
}

function find(hash: string): { kind: PasswordKind; parts: Parts } | undefined {
  for (const kind of kinds) {
    const match = kind.pattern.exec(hash);
    if (match) return { kind, parts: { ...match.groups } };
  }
  return undefined;
}

function hasProperKey({ key }: Parts): boolean {
  const length = decode(key).length;
  return key === undefined || (length >= hashMinBytes && length <= hashMaxBytes);
}

function isScryptBounded({ log, block, lanes }: Parts): boolean {
  const mixed = 2 ** Number(log) * Number(block);
  return (
    isWithin(log, 1, 20) &&
    isWithin(block, 1, 64) &&
    isWithin(lanes, 1, laneMax) &&
    mixed * 128 <= memoryMaxBytes &&
    mixed * Number(lanes) <= scryptWorkMax
  );
}

function deriveByScrypt(password: string, salt: Buffer, length: number, parts: Parts): Promise<Buffer> {
  const cost = 2 ** Number(parts.log);
  const options = { N: cost, r: Number(parts.block), p: Number(parts.lanes), maxmem: 2 * memoryMaxBytes };
  return scryptAsync(password, salt, length, options);
}

function decode(text: string | undefined): Buffer {
  return Buffer.from(text ?? '', 'base64');
}

function isWithin(digits: string | undefined, min: number, max: number): boolean {
  const number = Number(digits);
  return number >= min && number <= max;
}
