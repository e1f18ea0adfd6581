import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';

/** What the caller's password is checked against; without a hash they have none. */
export type Account = { email: string; hash: string | null };

/** Reads the caller's account. Throws `auth.session_ended`. */
export async function readAccount(ctx: Ctx, caller: Caller): Promise<Account> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { rows } = await tx.execute<Account>(sql`
      select u.email, p.hash
        from auth.users u left join auth.passwords p on p.user_id = u.id
       where u.id = ${caller.userId}`);
    const [account] = rows;
    if (!account) throw new AppError('auth.session_ended');
    return account;
  });
}

/**
 * Checks the caller's current password, at the same cost whether or not they have one. Throws
 * `auth.session_ended`, `auth.password_wrong`, `server.busy`.
 */
export async function checkOwnPassword(ctx: Ctx, caller: Caller, password: string): Promise<Account> {
  const account = await readAccount(ctx, caller);
  if (await ctx.passwords.verify(password, account.hash ?? undefined)) return account;
  throw new AppError('auth.password_wrong');
}
