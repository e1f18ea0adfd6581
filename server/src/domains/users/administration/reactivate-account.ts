import type { Ctx } from '../../../ctx.ts';
import { changeAccount, type Administrator } from './change-account.ts';
import type { Account } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/**
 * Activates an account again, and lifts its ban. Nothing that ended with it comes back: the person signs in
 * anew. Throws `auth.admin_required`, `request.not_found`.
 */
export async function reactivateAccount(
  ctx: Ctx,
  administrator: Administrator,
  readCreditsOf: ReadCreditsOf,
  { userId, reason }: { userId: string; reason?: string | undefined },
): Promise<Account> {
  const user = await ctx.db.asAdministrator(administrator.caller, (tx) =>
    changeAccount(ctx, tx, administrator, userId, {
      action: 'user.reactivated',
      reason,
      set: ({ isActive }) => (isActive ? undefined : { isActive: true, deactivatedAt: null, ...withoutBan }),
      details: ({ bannedAt }) => ({ wasBanned: bannedAt !== null }),
    }),
  );
  return toAccount(user, await readCreditsOf.one(ctx, userId));
}

/** What is written when a ban is over. */
export const withoutBan = { bannedAt: null, banEndsAt: null, banReason: null };
