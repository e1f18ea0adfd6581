import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readUser } from '../../users/index.ts';

/** The caller's address, once they have shown that it is theirs. Throws `users.email_unverified`. */
export async function readConfirmedEmail(tx: Tx, caller: Caller): Promise<string> {
  const { email, emailVerifiedAt } = await readUser(tx, caller.userId);
  if (emailVerifiedAt === null) throw new AppError('users.email_unverified');
  return email;
}
