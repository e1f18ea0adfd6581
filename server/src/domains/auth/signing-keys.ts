import { asc, sql } from 'drizzle-orm';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose';
import { ConfigError } from '../../config.ts';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { createSealer, type Sealer } from '../../lib/secrets.ts';
import { signingKeys } from './tables.ts';

/** What keys need of the outside world; the keyring exists before the rest of `ctx`. */
export type KeyContext = Pick<Ctx, 'config' | 'db' | 'clock' | 'random' | 'log'>;

export const signingAlgorithm = 'RS256';
/** What ID tokens can be signed with, as each application chooses; access tokens are always RS256. */
export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];
/** `typ` of an access token. @see RFC 9068 §2.1 */
export const accessTokenType = 'at+jwt';

/** A public key as the JWKS shows it. @see RFC 7517 §4, RFC 7518 §6, RFC 8037 §2 */
export type PublishedKey = {
  kty: string;
  kid: string;
  use: string;
  alg: string;
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
};

/**
 * A key ready for use. It signs from `signsFrom` on (unless a younger one does) and is forgotten at
 * `retiresAt`.
 */
export type SigningKey = {
  kid: string;
  publicJwk: PublishedKey;
  publicKey: CryptoKey;
  privateKey: CryptoKey;
  signsFrom: Date;
  retiresAt: Date | null;
};

export type GeneratedKey = { kid: string; publicJwk: PublishedKey; privateJwk: JWK };

/** Makes a new key, an RSA key of 2048 bits unless said otherwise, off the event loop. Nothing is stored. */
export async function generateSigningKey(
  algorithm: SigningAlgorithm = signingAlgorithm,
): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, {
    modulusLength: 2048,
    extractable: true,
  });
  const kid = await calculateJwkThumbprint(publicKey);
  return {
    kid,
    publicJwk: toPublished(await exportJWK(publicKey), kid, algorithm),
    privateJwk: await exportJWK(privateKey),
  };
}

/** The public half of a key. Throws when it is not one for the algorithm. */
export function toPublished(
  { kty, n, e, crv, x, y }: JWK,
  kid: string,
  alg: SigningAlgorithm = signingAlgorithm,
): PublishedKey {
  const common = { kid, use: 'sig', alg };
  if (alg === 'RS256' && kty === 'RSA' && n && e) return { kty, n, e, ...common };
  if (alg === 'ES256' && kty === 'EC' && crv && x && y) return { kty, crv, x, y, ...common };
  if (alg === 'EdDSA' && kty === 'OKP' && crv && x) return { kty, crv, x, ...common };
  throw new TypeError(`The key is not one for ${alg}`);
}

/** Only one process at a time may decide which keys there are. Held until the transaction ends. */
export async function lockSigningKeys(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('auth.signing_keys'))`);
}

export type StoredKey = typeof signingKeys.$inferSelect;

/** The keys in the database, the oldest first. */
export async function readSigningKeys(tx: Tx): Promise<StoredKey[]> {
  return tx.select().from(signingKeys).orderBy(asc(signingKeys.signsFrom), asc(signingKeys.kid));
}

/** Stores a new key, its private half sealed. Under the lock of lockSigningKeys. */
export async function insertSigningKey(
  context: KeyContext,
  tx: Tx,
  key: GeneratedKey,
  signsFrom: Date,
): Promise<void> {
  await tx.insert(signingKeys).values({
    kid: key.kid,
    algorithm: key.publicJwk.alg,
    publicJwk: key.publicJwk,
    sealedPrivateJwk: keySealer(context).seal(JSON.stringify(key.privateJwk), key.kid),
    createdAt: context.clock.now(),
    signsFrom,
  });
}

/** Opens a stored key. Throws ConfigError when OBOL_SECRET is not the one it was sealed under. */
export async function openSigningKey(context: KeyContext, row: StoredKey): Promise<SigningKey> {
  let privateJwk: JWK;
  try {
    privateJwk = JSON.parse(keySealer(context).open(row.sealedPrivateJwk, row.kid)) as JWK;
  } catch (error) {
    context.log.debug({ err: error }, 'a signing key could not be opened');
    throw new ConfigError([
      'OBOL_SECRET: it does not open the signing keys in the database. Set the secret that they were made under.',
    ]);
  }
  return {
    kid: row.kid,
    publicJwk: row.publicJwk as PublishedKey,
    publicKey: (await importJWK(row.publicJwk as JWK, row.algorithm)) as CryptoKey,
    privateKey: (await importJWK(privateJwk, row.algorithm)) as CryptoKey,
    signsFrom: row.signsFrom,
    retiresAt: row.retiresAt,
  };
}

function keySealer({ config, random }: KeyContext): Sealer {
  if (config.secret === '') throw new ConfigError(['OBOL_SECRET is missing. It encrypts the signing keys.']);
  return createSealer(config.secret, 'signing keys', random);
}
