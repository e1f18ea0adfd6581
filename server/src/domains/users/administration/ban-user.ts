import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { changeAccount, type Administrator } from './change-account.ts';
import type { Account, Ban } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

/**
 * Bans a person, until a time or for good: the account is deactivated, and everything it had open is dead at
 * once. A second ban replaces the first. Throws `request.invalid`, `auth.admin_required`,
 * `request.not_found`, `users.last_admin`.
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
      set: { isActive: false, deactivatedAt: now, bannedAt: now, banEndsAt: endsAt, banReason: reason },
      unless: undefined,
      details: () => ({ until: endsAt?.toISOString() ?? null }),
    }),
  );
  return toAccount(user, await readCreditsOf.one(ctx, userId));
}
