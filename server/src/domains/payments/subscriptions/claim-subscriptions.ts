import { and, asc, inArray, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import type { Subscription } from './find-subscription.ts';

/** How long until the provider is asked again. */
const checkAgainMs = 6 * 3_600_000;
/** Per turn; the rest is for the next one. */
const checksMax = 20;

/**
 * Some subscriptions about which a provider is to be asked, those first that waited longest, marked as asked
 * after, so that another process asks after others.
 */
export async function claimSubscriptions(
  ctx: Ctx,
  condition: SQL | undefined,
  againMs = checkAgainMs,
): Promise<Subscription[]> {
  const now = ctx.clock.now();
  const { id, checkedAt } = subscriptions;
  const isDue = or(isNull(checkedAt), lt(checkedAt, new Date(now.getTime() - againMs)));
  return ctx.db.asService(async (tx) => {
    const rows = await tx
      .select({ id })
      .from(subscriptions)
      .where(and(condition, isDue))
      .orderBy(sql`${checkedAt} nulls first`, asc(id))
      .limit(checksMax)
      .for('no key update', { skipLocked: true });
    if (rows.length === 0) return [];
    const claimed = rows.map((row) => row.id);
    return tx.update(subscriptions).set({ checkedAt: now }).where(inArray(id, claimed)).returning();
  });
}
