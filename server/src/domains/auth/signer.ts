import { KeyObject, webcrypto } from 'node:crypto';
import type { SigningKey } from './signing-keys.ts';

/** A key that signs bytes for others, without being handed out. Signing happens off the event loop. */
export type Signer = {
  kid: string;
  algorithm: string;
  publicKey: KeyObject;
  sign(data: Uint8Array): Promise<Buffer>;
};

const parameters: Record<string, Parameters<typeof webcrypto.subtle.sign>[0]> = {
  RS256: 'RSASSA-PKCS1-v1_5',
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: 'Ed25519',
};

/** The signer of a key. @see RFC 7518 §3, RFC 8037 §3.1 */
export function toSigner({ kid, publicJwk, publicKey, privateKey }: SigningKey): Signer {
  const algorithm = publicJwk.alg;
  const how = parameters[algorithm];
  if (how === undefined) throw new Error(`no way to sign with ${algorithm}`);
  return {
    kid,
    algorithm,
    publicKey: KeyObject.from(publicKey),
    sign: async (data) => Buffer.from(await webcrypto.subtle.sign(how, privateKey, data)),
  };
}
