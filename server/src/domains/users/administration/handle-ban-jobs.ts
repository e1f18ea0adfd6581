import { asc, inArray, lte } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { users } from '../tables.ts';
import { activeAgain } from './reactivate-account.ts';

/** The rest is for the next minute. */
const bansMax = 100;

/** Names who activates accounts again whose ban is over, every minute. */
export function handleBanJobs(ctx: Ctx): void {
  ctx.jobs.handle('end-bans', async () => {
    await endBans(ctx);
  });
}

/** Activates the accounts whose ban is over by now. Returns how many. */
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
    await tx
      .update(users)
      .set({ ...activeAgain, updatedAt: now })
      .where(inArray(users.id, ids));
    for (const id of ids) {
      const target = { type: 'user', id };
      await recordAuditEvent(ctx, tx, { action: 'user.ban_ended', actor: { type: 'system' }, target });
    }
    return ids.length;
  });
}
