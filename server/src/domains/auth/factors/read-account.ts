import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';

/** Whose password is checked, or replaced; without a hash they have none. */
export type Account = { email: string; username: string | null; name: string | null; hash: string | null };

/** Reads the caller's account. Throws `auth.session_ended`. */
export async function readAccount(ctx: Ctx, caller: Caller): Promise<Account> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { rows } = await tx.execute<Account>(sql`
      select u.email, u.username, u.name, p.hash
        from auth.users u left join auth.passwords p on p.user_id = u.id
       where u.id = ${caller.userId}`);
    const [account] = rows;
    if (!account) throw new AppError('auth.session_ended');
    return account;
  });
}
