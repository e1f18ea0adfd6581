import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { changeAccount, type Administrator } from './change-account.ts';
import type { Account, Ban } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/**
 * Bans a person, until a time or for good: the account is not active, and everything it had open is dead at
 * once. A second ban replaces the first. An account that was deactivated before stays so when the ban is
 * over. Throws `request.invalid`, `auth.admin_required`, `request.not_found`,
 * `users.last_admin`.
 */
export async function banUser(
  ctx: Ctx,
  administrator: Administrator,
  readCreditsOf: ReadCreditsOf,
  { userId, reason, until }: { userId: string } & Ban,
): Promise<Account> {
  const now = ctx.clock.now();
  const endsAt = until === undefined || until === null ? null : new Date(readInstant(until, '/body/until'));
  if (endsAt !== null && endsAt <= now) {
    throw new AppError('request.invalid', { errors: [{ path: '/body/until', message: 'must lie ahead' }] });
  }
  const user = await ctx.db.asAdministrator(administrator.caller, (tx) =>
    changeAccount(ctx, tx, administrator, userId, {
      action: 'user.banned',
      reason,
      set: ({ isActive, bannedAt, deactivatedAt }) => ({
        isActive: false,
        // Somebody who was brought in inactive has no time of it.
        deactivatedAt: isActive || bannedAt !== null ? deactivatedAt : (deactivatedAt ?? now),
        bannedAt: now,
        banEndsAt: endsAt,
        banReason: reason,
      }),
      details: () => ({ until: endsAt?.toISOString() ?? null }),
    }),
  );
  return toAccount(user, await readCreditsOf.one(ctx, userId));
}
