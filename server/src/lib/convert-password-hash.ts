import { passwordKindOf } from './password-kinds.ts';

/** What another system keeps besides the hash; see `convertPasswordHash`. */
export type FirebaseParameters = {
  signerKey: string;
  saltSeparator: string;
  rounds: number;
  memoryCost: number;
};

export type ConvertedHash = { hash: string } | { problem: 'hash_unknown' | 'hash_too_costly' };

/** Spellings of other systems, as patterns and what they become. */
const spellings: readonly [RegExp, (...groups: string[]) => string][] = [
  // Django writes its own name in front of a PHC string.
  [/^argon2(\$argon2(?:id|i|d)\$.+)$/, (phc = '') => withVersion(phc)],
  // OpenBSD's name, as PHP and Apache write it, and Django's name in front.
  [/^(?:bcrypt\$)?(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/, (hash = '') => hash],
  // Argon2 before version 1.3 had no `v`, and means 16.
  [/^(\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=.+)$/, (phc = '') => withVersion(phc)],
  // Better Auth: hexadecimal salt, taken as text, then 64 bytes of scrypt with N = 16384, r = 16, p = 1.
  [
    /^([0-9a-f]{16,64}):([0-9a-f]{128})$/,
    (salt = '', key = '') => `$scrypt$ln=14,r=16,p=1$${encode(salt)}$${encode(key, 'hex')}`,
  ],
  // Django: pbkdf2_sha256$600000$salt$key, the salt as text.
  [
    /^pbkdf2_(sha1|sha256|sha512)\$(\d+)\$([^$]+)\$([A-Za-z0-9+/]+)={0,2}$/,
    (digest, iterations, salt = '', key) => `$pbkdf2-${digest}$i=${iterations}$${encode(salt)}$${key}`,
  ],
  // Django: pbkdf2_sha1 is called so, too; Passlib leaves `i=` and padding out and writes `.` for `+`.
  [
    /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(\d+)\$([./A-Za-z0-9]*)\$([./A-Za-z0-9]+)$/,
    (digest = 'sha1', iterations, salt = '', key = '') =>
      `$pbkdf2-${digest}$i=${iterations}$${salt.replaceAll('.', '+')}$${key.replaceAll('.', '+')}`,
  ],
  // Auth0 and others: $pbkdf2-sha512$i=100000,l=64$salt$key, where the length shows anyway.
  [
    /^\$pbkdf2-(sha1|sha256|sha512)\$i=(\d+)(?:,l=\d+)?\$([A-Za-z0-9+/]*)={0,2}\$([A-Za-z0-9+/]+)={0,2}$/,
    (digest, iterations, salt, key) => `$pbkdf2-${digest}$i=${iterations}$${salt}$${key}`,
  ],
  // Passlib: the parameters of scrypt as in PHC.
  [
    /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)={0,2}\$([A-Za-z0-9+/]+)={0,2}$/,
    (log, block, lanes, salt, key) => `$scrypt$ln=${log},r=${block},p=${lanes}$${salt}$${key}`,
  ],
  [/^(\$firebase-scrypt\$.+)$/, (hash = '') => hash],
];

/**
 * Brings the password hash of another system into the form in which it is stored: argon2, scrypt and PBKDF2
 * as PHC strings, bcrypt as it is. Its parameters stay what they are, as long as they are bounded.
 */
export function convertPasswordHash(text: string): ConvertedHash {
  for (const [pattern, write] of spellings) {
    const match = pattern.exec(text);
    if (match) return check(write(...match.slice(1)));
  }
  return { problem: 'hash_unknown' };
}

/** A scrypt hash whose parts stand apart, as Auth0 has them. `cost` is N, a power of two. */
export function writeScryptHash(parts: {
  cost: number;
  blockSize: number;
  parallelization: number;
  salt: Buffer;
  key: Buffer;
}): ConvertedHash {
  const log = Math.log2(parts.cost);
  if (!Number.isInteger(log)) return { problem: 'hash_unknown' };
  const { blockSize, parallelization, salt, key } = parts;
  return check(`$scrypt$ln=${log},r=${blockSize},p=${parallelization}$${encode(salt)}$${encode(key)}`);
}

/**
 * A hash of Firebase Authentication with the parameters of its project.
 * @see https://github.com/firebase/scrypt
 */
export function writeFirebaseHash(
  { key, salt }: { key: string; salt: string },
  { signerKey, saltSeparator, rounds, memoryCost }: FirebaseParameters,
): ConvertedHash {
  const parts = [salt, saltSeparator, signerKey, key].map((text) => encode(Buffer.from(text, 'base64')));
  return check(`$firebase-scrypt$ln=${memoryCost},r=${rounds},p=1$${parts.join('$')}`);
}

function check(hash: string): ConvertedHash {
  const kind = passwordKindOf(hash);
  if (kind === 'unknown') return { problem: 'hash_unknown' };
  return kind === 'too_costly' ? { problem: 'hash_too_costly' } : { hash };
}

function withVersion(phc: string): string {
  return phc.replace(/^(\$argon2(?:id|i|d))\$m=/, '$1$v=16$m=').replaceAll(/=+(?=\$|$)/g, '');
}

/** Base64 without padding, as PHC strings have it. */
function encode(bytes: Buffer | string, from: BufferEncoding = 'utf8'): string {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, from) : bytes;
  return buffer.toString('base64').replaceAll('=', '');
}
