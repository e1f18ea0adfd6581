import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { changeAccount, type Administrator } from './change-account.ts';

/**
 * Deactivates an account on an administrator's word: its sessions, refresh tokens, API keys and what it
 * consented to are dead at once, by a trigger of the table; what it owns stays. A ban for a time becomes one
 * that only an administrator lifts. Doing it again changes nothing. Throws `auth.admin_required`,
 * `request.not_found`, `users.last_admin`.
 */
export async function deactivateAccount(
  ctx: Ctx,
  administrator: Administrator,
  { userId, reason }: { userId: string; reason?: string | undefined },
): Promise<void> {
  await ctx.db.asAdministrator(administrator.caller, (tx) =>
    deactivate(ctx, tx, administrator, userId, reason),
  );
}

/** Deactivates the caller's own account, in the same way. Throws `users.last_admin`. */
export async function deactivateOwnAccount(ctx: Ctx, person: Administrator): Promise<void> {
  const { caller } = person;
  await ctx.db.asServiceFor(caller, (tx) => deactivate(ctx, tx, person, caller.userId, undefined));
}

async function deactivate(
  ctx: Ctx,
  tx: Tx,
  by: Administrator,
  userId: string,
  reason: string | undefined,
): Promise<void> {
  await changeAccount(ctx, tx, by, userId, {
    action: 'user.deactivated',
    reason,
    // A ban alone is no deactivation: it may be replaced by one that ends.
    set: ({ isActive, bannedAt, banEndsAt, deactivatedAt }) =>
      isActive || banEndsAt !== null || (bannedAt !== null && deactivatedAt === null)
        ? { isActive: false, deactivatedAt: ctx.clock.now(), banEndsAt: null }
        : undefined,
    details: ({ banEndsAt }) => (banEndsAt === null ? {} : { bannedUntil: banEndsAt.toISOString() }),
  });
}
