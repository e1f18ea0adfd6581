import { hashSync as argon2HashSync } from '@node-rs/argon2';
import { hashSync as bcryptHashSync } from '@node-rs/bcrypt';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { convertPasswordHash, writeFirebaseHash, writeScryptHash } from './convert-password-hash.ts';
import { needsRehash, verifyPassword } from './password-hash.ts';
import { passwordKindOf } from './password-kinds.ts';

const password = 'correct horse lantern';
const salt = Buffer.from('0123456789abcdef');
const hexSalt = salt.toString('hex');
const b64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64').replaceAll('=', '');
const pbkdf2Key = (digest: string) => pbkdf2Sync(password, salt, 1000, 32, digest);
const scryptKey = scryptSync(password, hexSalt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 27 });
/** The library's numbers for argon2d, argon2i and argon2id, and for version 1.0. */
const [argon2d, argon2i, argon2id, version10] = [0, 1, 2, 0] as const;
const argon2 = (algorithm: 0 | 1 | 2) =>
  argon2HashSync(password, { algorithm, memoryCost: 64, timeCost: 3, parallelism: 2, salt });
const old = argon2HashSync(password, { version: version10, memoryCost: 64, salt });

const spellings: [string, string][] = [
  ['argon2id', argon2(argon2id)],
  ['argon2i', argon2(argon2i)],
  ['argon2d', argon2(argon2d)],
  ['argon2 of before version 1.3', old],
  ['argon2 of before version 1.3, unversioned', old.replace('$v=16', '')],
  ['argon2 as Django writes it', `argon2${argon2(argon2id)}`],
  ['bcrypt', bcryptHashSync(password, 4, salt)],
  ['bcrypt as PHP writes it', bcryptHashSync(password, 4, salt).replace('$2b$', '$2y$')],
  ['bcrypt as Django writes it', `bcrypt$${bcryptHashSync(password, 4, salt)}`],
  ['scrypt of Better Auth', `${hexSalt}:${scryptKey.toString('hex')}`],
  ['scrypt as a PHC string', `$scrypt$ln=14,r=16,p=1$${b64(hexSalt)}$${b64(scryptKey)}`],
  ...['sha1', 'sha256', 'sha512'].flatMap((digest): [string, string][] => [
    [`PBKDF2 ${digest}`, `$pbkdf2-${digest}$i=1000,l=32$${b64(salt)}$${b64(pbkdf2Key(digest))}`],
    [`PBKDF2 ${digest} of Django`, `pbkdf2_${digest}$1000$${salt.toString()}$${b64(pbkdf2Key(digest))}=`],
    [
      `PBKDF2 ${digest} of Passlib`,
      `$pbkdf2-${digest}$1000$${b64(salt)}$${b64(pbkdf2Key(digest)).replaceAll('+', '.')}`,
    ],
  ]),
];

test.each(spellings)('%s is taken in, and the right password alone belongs to it', async (_, text) => {
  const converted = convertPasswordHash(text);
  if (!('hash' in converted)) throw new Error(converted.problem);
  expect(await verifyPassword(password, converted.hash)).toBe(true);
  expect(await verifyPassword(`${password} `, converted.hash)).toBe(false);
  expect(needsRehash(converted.hash)).toBe(true);
});

test('the example of Firebase verifies', async () => {
  const converted = writeFirebaseHash(
    {
      key: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
      salt: '42xEC+ixf3L2lw==',
    },
    {
      signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
      saltSeparator: 'Bw==',
      rounds: 8,
      memoryCost: 14,
    },
  );
  if (!('hash' in converted)) throw new Error(converted.problem);
  expect(await verifyPassword('user1password', converted.hash)).toBe(true);
  expect(await verifyPassword('user2password', converted.hash)).toBe(false);
});

test('a scrypt hash in parts is taken in', async () => {
  const parts = { cost: 16_384, blockSize: 16, parallelization: 1, key: scryptKey };
  const converted = writeScryptHash({ ...parts, salt: Buffer.from(hexSalt) });
  expect(converted).toEqual(convertPasswordHash(`${hexSalt}:${scryptKey.toString('hex')}`));
  expect(writeScryptHash({ ...parts, salt, cost: 1000 })).toEqual({ problem: 'hash_unknown' });
});

test('an imported password counts normalised, and as it was typed', async () => {
  const typed = 'café ﬁlter';
  for (const written of [typed, typed.normalize('NFKC')]) {
    const key = pbkdf2Sync(written, salt, 1000, 32, 'sha256');
    const hash = `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(key)}`;
    expect(await verifyPassword(typed, hash)).toBe(true);
    expect(await verifyPassword('cafe filter', hash)).toBe(false);
  }
});

describe('what would take too much memory or time is refused', () => {
  const key = b64(scryptKey);
  test.each([
    ['argon2 with a gigabyte', `$argon2id$v=19$m=1048576,t=1,p=1$${b64(salt)}$${key}`],
    ['argon2 with a hundred passes', `$argon2id$v=19$m=65536,t=100,p=1$${b64(salt)}$${key}`],
    ['bcrypt at cost 20', `$2b$20$${bcryptHashSync(password, 4, salt).slice(7)}`],
    ['scrypt with N of 2^20', `$scrypt$ln=20,r=8,p=1$${b64(salt)}$${key}`],
    ['scrypt with 2^60', `$scrypt$ln=60,r=8,p=1$${b64(salt)}$${key}`],
    ['scrypt in many lanes', `$scrypt$ln=17,r=8,p=16$${b64(salt)}$${key}`],
    ['PBKDF2 with nine million rounds', `$pbkdf2-sha256$i=9000000$${b64(salt)}$${key}`],
    ['a key of two bytes that anybody hits', `$pbkdf2-sha256$i=1$${b64(salt)}$${b64(salt.subarray(0, 2))}`],
  ])('%s', async (_, hash) => {
    const converted = convertPasswordHash(hash);
    expect('problem' in converted && converted.problem).toMatch(/^hash_(too_costly|unknown)$/);
    expect(await verifyPassword(password, hash)).toBe(false);
  });
});

test.each([
  '',
  'x',
  '{SHA}nonsense',
  'd41d8cd98f00b204e9800998ecf8427e',
  '$2x$04$',
  '$6$salt$hash',
  '$scrypt$',
])('%j is no hash', async (text) => {
  expect(convertPasswordHash(text)).toEqual({ problem: 'hash_unknown' });
  expect(passwordKindOf(text)).toBe('unknown');
  expect(await verifyPassword('', text)).toBe(false);
});
