import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { findUser } from '../find-user.ts';
import type { User } from '../to-user-object.ts';
import type { Account } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/** Somebody's account, for administrators. Throws `auth.admin_required`, `request.not_found`. */
export async function readAccount(
  ctx: Ctx,
  caller: Caller,
  readCreditsOf: ReadCreditsOf,
  userId: string,
): Promise<Account> {
  const user = await ctx.db.asAdministrator(caller, (tx) => requireUser(tx, userId));
  return toAccount(user, await readCreditsOf.one(ctx, user.id));
}

/** The person with this id; who is erased is nobody. `tx` is the service's. Throws `request.not_found`. */
export async function requireUser(tx: Tx, userId: string): Promise<User> {
  const user = await findUser(tx, userId);
  if (!user || user.erasedAt !== null) throw new AppError('request.not_found');
  return user;
}
