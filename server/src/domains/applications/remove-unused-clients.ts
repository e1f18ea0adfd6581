import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { endMandates } from '../credits/index.ts';
import { applications } from './tables.ts';

const unusedDays = 30;
const batchMax = 500;

/**
 * Removes applications that registered or described themselves and to which nobody has consented for 30
 * days; those that were verified stay. One that is described by a document comes back when it is asked for
 * again. At most 500 at a time. Returns how many.
 */
export async function removeUnusedClients(ctx: Ctx): Promise<number> {
  const before = new Date(ctx.clock.now().getTime() - unusedDays * 86_400_000);
  const { id, clientId, isSelfRegistered, isVerified, updatedAt } = applications;
  const isUnused = and(
    eq(isSelfRegistered, true),
    eq(isVerified, false),
    lt(updatedAt, before),
    sql`not exists (select from apps.grants g where g.application_id = ${id}
          and (g.revoked_at is null or g.revoked_at >= ${before.toISOString()}))`,
  );
  return ctx.db.asService(async (tx) => {
    const found = await tx
      .select({ id, clientId })
      .from(applications)
      .where(isUnused)
      .orderBy(id)
      .limit(batchMax)
      .for('update', { skipLocked: true });
    const ids = found.map((one) => one.id);
    if (ids.length === 0) return 0;
    // Asked once more under the lock: somebody may have consented while it was waited for.
    const removed = await tx
      .delete(applications)
      .where(and(inArray(id, ids), isUnused))
      .returning({ clientId });
    for (const gone of removed) await endMandates(ctx, tx, { clientId: gone.clientId, userId: null });
    return removed.length;
  });
}
