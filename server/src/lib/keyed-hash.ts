import { createHmac, hkdfSync } from 'node:crypto';

/**
 * A digest by which a text is recognised again, but not found out: HMAC-SHA-256 under a key derived from the
 * master secret for one purpose, so that who reads the database cannot try addresses against it.
 * @see RFC 2104 (HMAC), RFC 5869 (HKDF)
 */
export function keyedHash(masterSecret: string, purpose: string, text: string): Buffer {
  const key = Buffer.from(hkdfSync('sha256', masterSecret, '', `obol ${purpose}`, 32));
  return createHmac('sha256', key).update(text).digest();
}
