import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { assertAcceptablePassword } from '../assert-acceptable-password.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { replacePassword } from './replace-password.ts';

type Account = { email: string; username: string | null; hash: string | null };

/**
 * Replaces the caller's password after checking the current one, ends all their other sessions and tells the
 * address. Throws `auth.session_ended`, `auth.password_unacceptable`, `auth.password_wrong`.
 */
export async function changePassword(
  ctx: Ctx,
  caller: Caller,
  { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
  origin: RequestOrigin,
): Promise<void> {
  const account = await readAccount(ctx, caller);
  assertAcceptablePassword(newPassword, account, '/body/newPassword');
  if (!(await ctx.passwords.verify(currentPassword, account.hash ?? undefined))) {
    throw new AppError('auth.password_wrong');
  }
  const newHash = await ctx.passwords.hash(newPassword);
  await ctx.db.asServiceFor(caller, async (tx) => {
    await lockAccount(tx, caller.userId);
    // The password that was checked must still be the current one: a change that came in between wins.
    const { rows } = await tx.execute(sql`
      select from auth.passwords where user_id = ${caller.userId} and hash = ${account.hash} for update`);
    if (rows.length === 0) throw new AppError('auth.password_wrong');
    const { userId, sessionId: keepSessionId } = caller;
    const { email } = account;
    await replacePassword(
      ctx,
      tx,
      { userId, email, newHash, notice: 'password_changed', keepSessionId },
      origin,
    );
  });
}

async function readAccount(ctx: Ctx, caller: Caller): Promise<Account> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { rows } = await tx.execute<Account>(sql`
      select u.email, u.username, p.hash
        from auth.users u left join auth.passwords p on p.user_id = u.id
       where u.id = ${caller.userId}`);
    const account = rows[0];
    if (!account) throw new Error('a living session has no user');
    return account;
  });
}
