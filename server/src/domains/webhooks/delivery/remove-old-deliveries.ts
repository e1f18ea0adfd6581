import { and, inArray, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { events } from '../tables.ts';

/** More than one attempt adds, so that the log cannot outgrow the days it is kept. */
const removedAtOnceMax = 20;

/**
 * Removes a few deliveries that ended longer ago than WEBHOOK_LOG_RETENTION, with their attempts, and events
 * that nothing refers to any more. Every attempt tidies a little, besides the nightly job, which also finds
 * the events that this leaves. `tx` is the service's.
 */
export async function removeOldDeliveries(ctx: Ctx, tx: Tx): Promise<void> {
  const before = new Date(
    ctx.clock.now().getTime() - ctx.config.webhookLogRetentionSeconds * 1000,
  ).toISOString();
  const { rows } = await tx.execute<{ eventId: string }>(sql`
    with old as (
      select d.id from webhooks.deliveries d
       where d.completed_at < ${before} order by d.completed_at limit ${removedAtOnceMax}
         for update skip locked)
    delete from webhooks.deliveries d using old where d.id = old.id returning d.event_id as "eventId"`);
  if (rows.length === 0) return;
  // A statement of its own, which sees what has been sent again meanwhile.
  const emptied = rows.map(({ eventId }) => eventId);
  await tx
    .delete(events)
    .where(
      and(
        inArray(events.id, emptied),
        sql`not exists (select from webhooks.deliveries d where d.event_id = ${events.id})`,
      ),
    );
}
