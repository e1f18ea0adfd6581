import { hash as argon2Hash } from '@node-rs/argon2';
import type { Random } from '../ctx.ts';
import { verifyByKind } from './password-kinds.ts';

/**
 * 19 MiB, two passes, one lane: the first choice of OWASP's password storage sheet. Argon2id is the default.
 */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = '$argon2id$v=19$m=19456,t=2,p=1$';

/**
 * Hashes a password; the parameters stand in the hash (PHC string). Unicode is normalised, nothing is cut
 * off.
 */
export function hashPassword(password: string, random: Random): Promise<string> {
  return argon2Hash(password.normalize('NFKC'), { ...parameters, salt: random.bytes(16) });
}

/**
 * Whether the password belongs to the hash, of any kind that can be imported; to any other text none belongs.
 * Systems that hashes are imported from may not have normalised passwords, so for them one also counts as
 * typed.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const normalized = password.normalize('NFKC');
  if (await verifyByKind(normalized, hash)) return true;
  return needsRehash(hash) && normalized !== password && verifyByKind(password, hash);
}

/** True for hashes of another algorithm or with other parameters, which a successful sign-in replaces. */
export function needsRehash(hash: string): boolean {
  return !hash.startsWith(currentPrefix);
}
