import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2';
import { verify as bcryptVerify } from '@node-rs/bcrypt';
import type { Random } from '../ctx.ts';

/**
 * 19 MiB, two passes, one lane: the first choice of OWASP's password storage sheet. Argon2id is the default.
 */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = '$argon2id$v=19$m=19456,t=2,p=1$';
const bcryptPattern = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/**
 * Hashes a password; the parameters stand in the hash (PHC string). Unicode is normalised, nothing is cut
 * off.
 */
export function hashPassword(password: string, random: Random): Promise<string> {
  return argon2Hash(password.normalize('NFKC'), { ...parameters, salt: random.bytes(16) });
}

/**
 * Whether the password belongs to the hash, argon2 or bcrypt; to any other text none belongs. The systems
 * that bcrypt hashes are imported from did not normalise, so for them the password counts as typed.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  if (bcryptPattern.test(hash)) return bcryptVerify(password, hash);
  if (!hash.startsWith('$argon2')) return false;
  return argon2Verify(hash, password.normalize('NFKC'));
}

/** True for hashes of another algorithm or with other parameters, which a successful sign-in replaces. */
export function needsRehash(hash: string): boolean {
  return !hash.startsWith(currentPrefix);
}
