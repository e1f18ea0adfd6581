import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { findUserByEmail, type User } from '../users/index.ts';

/**
 * Whom the operator means by an address, also who cannot sign in. `tx` is the service's. Throws
 * `users.unknown_email`.
 */
export async function findPerson(tx: Tx, email: string): Promise<User> {
  const user = await findUserByEmail(tx, email);
  if (!user || user.erasedAt !== null) throw new AppError('users.unknown_email');
  return user;
}
