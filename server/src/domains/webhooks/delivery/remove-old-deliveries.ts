import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';

/** More than one attempt adds, so that the log cannot outgrow the days it is kept. */
const removedAtOnceMax = 20;

/**
 * Removes a few deliveries that ended longer ago than WEBHOOK_LOG_RETENTION, with their attempts, and events
 * that nothing refers to any more. Every attempt tidies a little, besides the nightly job. `tx` is the
 * service's.
 */
export async function removeOldDeliveries(ctx: Ctx, tx: Tx): Promise<void> {
  const before = new Date(
    ctx.clock.now().getTime() - ctx.config.webhookLogRetentionSeconds * 1000,
  ).toISOString();
  await tx.execute(sql`
    with old as (
      select d.id from webhooks.deliveries d
       where d.completed_at < ${before} order by d.completed_at limit ${removedAtOnceMax}
         for update skip locked),
    removed as (
      delete from webhooks.deliveries d using old where d.id = old.id returning d.id, d.event_id)
    delete from webhooks.events e
     where e.id in (select event_id from removed)
       and not exists (select from webhooks.deliveries d
                        where d.event_id = e.id and d.id not in (select id from removed))`);
}
