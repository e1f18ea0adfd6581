import { and, asc, inArray, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import type { Subscription } from './find-subscription.ts';

/** Per turn; the rest is for the next one. */
const checksMax = 20;

/**
 * Asks a provider about some of the subscriptions for which the condition holds, those first that waited
 * longest. Each is marked as asked after, so that another process asks after others; one about which `ask`
 * rejects is logged with the complaint, and is asked about again after `againMs`, like the others.
 */
export async function askAboutSubscriptions(
  ctx: Ctx,
  { condition, againMs, complaint }: { condition: SQL | undefined; againMs: number; complaint: string },
  ask: (subscription: Subscription) => Promise<void>,
): Promise<void> {
  const claimed = await claim(ctx, condition, againMs);
  await Promise.all(
    claimed.map((subscription) =>
      ask(subscription).catch((error: unknown) => {
        ctx.log.warn({ err: error, subscriptionId: subscription.id }, complaint);
      }),
    ),
  );
}

async function claim(ctx: Ctx, condition: SQL | undefined, againMs: number): Promise<Subscription[]> {
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
