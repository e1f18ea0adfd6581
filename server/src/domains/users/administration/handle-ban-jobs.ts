import { asc, inArray, lte, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { users } from '../tables.ts';
import { withoutBan } from './reactivate-account.ts';

/** The rest is for the next minute. */
const bansMax = 100;

/** Names who ends bans whose time is over, every minute. */
export function handleBanJobs(ctx: Ctx): void {
  ctx.jobs.handle('end-bans', async () => {
    await endBans(ctx);
  });
}

/**
 * Ends the bans whose time is over by now, and activates those accounts again that are not deactivated
 * besides. Returns how many bans.
 */
async function endBans(ctx: Ctx): Promise<number> {
  const now = ctx.clock.now();
  return ctx.db.asService(async (tx) => {
    const over = await tx
      .select({ id: users.id })
      .from(users)
      .where(lte(users.banEndsAt, now))
      .orderBy(asc(users.id))
      .limit(bansMax)
      .for('no key update', { skipLocked: true });
    const ids = over.map(({ id }) => id);
    if (ids.length === 0) return 0;
    const freed = await tx
      .update(users)
      .set({ ...withoutBan, isActive: sql`${users.deactivatedAt} is null`, updatedAt: now })
      .where(inArray(users.id, ids))
      .returning({ id: users.id, isActive: users.isActive });
    for (const { id, isActive } of freed) {
      const [actor, target] = [{ type: 'system' as const }, { type: 'user', id }];
      await recordAuditEvent(ctx, tx, { action: 'user.ban_ended', actor, target, details: { isActive } });
    }
    return freed.length;
  });
}
