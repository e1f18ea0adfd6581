import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { readUser } from '../users/index.ts';

/**
 * Throws `auth.admin_required` unless the caller of `tx` is an administrator now, whatever the token says.
 */
export async function assertAdministrator(tx: Tx, caller: Caller): Promise<void> {
  const { role } = await readUser(tx, caller.userId);
  if (role !== 'admin') throw new AppError('auth.admin_required');
}
