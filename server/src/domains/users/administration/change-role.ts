import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { changeAccount, type Administrator } from './change-account.ts';
import type { Account, roleBodySchema } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/**
 * Gives somebody another role; it counts from their next request on. The last active administrator stays one:
 * a trigger of the table sees to it, also when two take the role from each other at once. Throws
 * `auth.admin_required`, `request.not_found`, `users.last_admin`.
 */
export async function changeRole(
  ctx: Ctx,
  administrator: Administrator,
  readCreditsOf: ReadCreditsOf,
  { userId, role, reason }: { userId: string } & Static<typeof roleBodySchema>,
): Promise<Account> {
  const user = await ctx.db.asAdministrator(administrator.caller, (tx) =>
    changeAccount(ctx, tx, administrator, userId, {
      action: 'user.role_changed',
      reason,
      set: (before) => (before.role === role ? undefined : { role }),
      details: (before) => ({ from: before.role, to: role }),
    }),
  );
  return toAccount(user, await readCreditsOf.one(ctx, userId));
}
