import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The master secret of this process, and the keys derived from it, which each sign-in needs. */
let derived = { masterSecret: '', keys: new Map<string, KeyObject>() };

/**
 * A digest by which a text is recognised again, but not found out: HMAC-SHA-256 under a key derived from the
 * master secret for one purpose, so that who reads the database cannot try addresses against it.
 * @see RFC 2104 (HMAC), RFC 5869 (HKDF)
 */
export function keyedHash(masterSecret: string, purpose: string, text: string): Buffer {
  return createHmac('sha256', keyOf(masterSecret, purpose)).update(text).digest();
}

function keyOf(masterSecret: string, purpose: string): KeyObject {
  if (derived.masterSecret !== masterSecret) derived = { masterSecret, keys: new Map() };
  const known = derived.keys.get(purpose);
  if (known) return known;
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', masterSecret, '', `obol ${purpose}`, 32)));
  derived.keys.set(purpose, key);
  return key;
}
