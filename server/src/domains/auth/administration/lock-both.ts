import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { lockUsers, type User } from '../../users/index.ts';

/**
 * An administrator and the person whom they act on, locked until the commit, so that neither of them changes
 * role or activity unseen. Returns the person. `tx` is the administrator's. Throws `auth.admin_required`,
 * `request.not_found`.
 */
export async function lockBoth(tx: Tx, caller: Caller, userId: string): Promise<User> {
  const both = await lockUsers(tx, [caller.userId, userId]);
  const administrator = both.find(({ id }) => id === caller.userId);
  const person = both.find(({ id }) => id === userId);
  if (administrator?.role !== 'admin' || !administrator.isActive) throw new AppError('auth.admin_required');
  if (!person) throw new AppError('request.not_found');
  return person;
}
