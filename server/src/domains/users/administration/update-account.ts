import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { changeAccount, type Administrator } from './change-account.ts';
import type { Account, accountChangesSchema } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/**
 * Changes somebody's profile on an administrator's word; what is absent stays. The address is not changed
 * here: whose it is has to be shown. Throws `auth.admin_required`, `request.not_found`,
 * `users.username_taken`.
 */
export async function updateAccount(
  ctx: Ctx,
  administrator: Administrator,
  readCreditsOf: ReadCreditsOf,
  { userId, reason, name, username, picture }: { userId: string } & Static<typeof accountChangesSchema>,
): Promise<Account> {
  const set = {
    ...(name === undefined ? {} : { name: name?.trim() || null }),
    ...(username === undefined ? {} : { username }),
    ...(picture === undefined ? {} : { picture }),
  };
  const fields = Object.keys(set);
  const user = await ctx.db.asAdministrator(administrator.caller, (tx) =>
    changeAccount(ctx, tx, administrator, userId, {
      action: 'user.updated',
      reason,
      set: () => set,
      details: () => ({ fields }),
    }),
  );
  return toAccount(user, await readCreditsOf.one(ctx, userId));
}
