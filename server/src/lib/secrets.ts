import { createCipheriv, createDecipheriv, createSecretKey, hash, hkdfSync } from 'node:crypto';
import type { Random } from '../ctx.ts';

const opaqueTokenBytes = 32;

/** A secret of 256 bits as URL-safe text: refresh tokens, cookies, links in mails. */
export function newOpaqueToken(random: Random): string {
  return random.bytes(opaqueTokenBytes).toString('base64url');
}

/** What is stored of an opaque token. One SHA-256 is enough: the token has too many bits to be guessed. */
export function hashOpaqueToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Encrypts short secrets for storage. `context` says whose secret it is; the wrong one does not open. */
export type Sealer = {
  seal(plaintext: string, context: string): Buffer;
  /** Throws when the sealed bytes were altered, or sealed under another secret, purpose or context. */
  open(sealed: Buffer, context: string): string;
};

const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM under a key derived from the master secret for one purpose, so that secrets of different kinds
 * do not open in each other's place. Stored form: version, nonce, tag, ciphertext.
 * @see RFC 5869 (HKDF), NIST SP 800-38D (GCM)
 */
export function createSealer(masterSecret: string, purpose: string, random: Random): Sealer {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', masterSecret, '', `obol ${purpose}`, 32)));
  return {
    seal(plaintext, context) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([formatVersion]), nonce, cipher.getAuthTag(), ciphertext]);
    },
    open(sealed, context) {
      if (sealed[0] !== formatVersion) throw new Error('The sealed secret has an unknown format');
      const tagStart = 1 + nonceBytes;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, tagStart), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(tagStart, tagStart + tagBytes));
      const plaintext = decipher.update(sealed.subarray(tagStart + tagBytes));
      return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
    },
  };
}
