import { hashSync as argon2HashSync } from '@node-rs/argon2';
import { hashSync as bcryptHashSync } from '@node-rs/bcrypt';
import { createCipheriv, pbkdf2Sync, scryptSync } from 'node:crypto';

/** The password of everybody in these files. */
export const samplePassword = 'correct horse lantern';

const salt = Buffer.from('0123456789abcdef');
const b64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64').replaceAll('=', '');
/** The library's numbers for argon2d, argon2i and argon2id. */
const argon2 = (algorithm: 0 | 1 | 2) =>
  argon2HashSync(samplePassword, { algorithm, memoryCost: 4096, timeCost: 2, parallelism: 1, salt });
const pbkdf2 = (digest: string) =>
  `$pbkdf2-${digest}$i=10000,l=32$${b64(salt)}$${b64(pbkdf2Sync(samplePassword, salt, 10_000, 32, digest))}`;
const scrypt = (
  options: { N: number; r: number; p: number },
  length: number,
  with_: Buffer | string = salt,
) => scryptSync(samplePassword, with_, length, { ...options, maxmem: 2 ** 27 });

function firebase(): string {
  const signer = Buffer.from('a signer key of sixty-four bytes, as every project of them has one');
  const key = scrypt({ N: 2 ** 14, r: 8, p: 1 }, 32, Buffer.concat([salt, Buffer.from([7])]));
  const hash = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(signer);
  return `$firebase-scrypt$ln=14,r=8,p=1$${[salt, Buffer.from([7]), signer, hash].map(b64).join('$')}`;
}

/** One hash of each kind that can be imported, by name. */
export const sampleHashes: Record<string, string> = {
  argon2id: argon2(2),
  argon2i: argon2(1),
  argon2d: argon2(0),
  'bcrypt 2a': bcryptHashSync(samplePassword, 6, salt).replace('$2b$', '$2a$'),
  'bcrypt 2b': bcryptHashSync(samplePassword, 6, salt),
  'bcrypt 2y': bcryptHashSync(samplePassword, 6, salt).replace('$2b$', '$2y$'),
  scrypt: `$scrypt$ln=14,r=8,p=1$${b64(salt)}$${b64(scrypt({ N: 2 ** 14, r: 8, p: 1 }, 64))}`,
  'scrypt of Better Auth': `${salt.toString('hex')}:${scrypt({ N: 2 ** 14, r: 16, p: 1 }, 64, salt.toString('hex')).toString('hex')}`,
  'scrypt of Firebase': firebase(),
  'pbkdf2 sha1': pbkdf2('sha1'),
  'pbkdf2 sha256': pbkdf2('sha256'),
  'pbkdf2 sha512': pbkdf2('sha512'),
};
