import { and, asc, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { readEndpointSecrets } from '../endpoint-secrets.ts';
import { deliveries, endpoints, events } from '../tables.ts';
import type { Endpoint } from '../to-endpoint-object.ts';

/** A delivery that is to be made now, with all that it takes. */
export type Pending = {
  delivery: typeof deliveries.$inferSelect;
  event: typeof events.$inferSelect;
  endpoint: Endpoint;
  secrets: string[];
};

/** Longer than an attempt and what is written of it may take; then it is due again, whoever had it. */
const claimGraceSeconds = 60;

/**
 * Takes up to `countMax` deliveries that are due at an endpoint, the longest due first, so that no other
 * process takes them meanwhile; a process that dies with them leaves them due again a minute after the
 * attempt would have ended. When nothing is due, sees to it that somebody comes back when the next one is.
 * An endpoint that was switched off gives up all that waits for it.
 */
export async function claimDeliveries(ctx: Ctx, endpointId: string, countMax: number): Promise<Pending[]> {
  return ctx.db.asService(async (tx) => {
    const [endpoint] = await tx.select().from(endpoints).where(eq(endpoints.id, endpointId));
    if (!endpoint) return [];
    if (!endpoint.isEnabled) {
      await giveUpAll(ctx, tx, endpointId);
      return [];
    }
    const due = await claimDue(ctx, tx, { endpointId, countMax });
    if (due.length === 0) {
      await wakeLater(ctx, tx, endpointId);
      return [];
    }
    const secrets = await readEndpointSecrets(ctx, tx, endpointId);
    return due.map((row) => ({ ...row, endpoint, secrets }));
  });
}

async function claimDue(
  ctx: Ctx,
  tx: Tx,
  { endpointId, countMax }: { endpointId: string; countMax: number },
): Promise<Pick<Pending, 'delivery' | 'event'>[]> {
  const now = ctx.clock.now();
  const claimedMs = (ctx.config.webhookTimeoutSeconds + claimGraceSeconds) * 1000;
  const claimedUntil = new Date(now.getTime() + claimedMs).toISOString();
  // Materialized: a subquery in the condition may be run once per row, and then its limit holds nobody back.
  const { rows } = await tx.execute<{ id: string }>(sql`
    with due as materialized (
      select o.id from webhooks.deliveries o
       where o.endpoint_id = ${endpointId} and o.status = 'pending'
         and o.next_attempt_at <= ${now.toISOString()}
       order by o.next_attempt_at, o.id limit ${countMax} for update skip locked)
    update webhooks.deliveries d set next_attempt_at = ${claimedUntil}
      from due where d.id = due.id
    returning d.id`);
  if (rows.length === 0) return [];
  return tx
    .select({ delivery: deliveries, event: events })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(
      inArray(
        deliveries.id,
        rows.map(({ id }) => id),
      ),
    )
    .orderBy(asc(deliveries.id));
}

async function giveUpAll(ctx: Ctx, tx: Tx, endpointId: string): Promise<void> {
  await tx
    .update(deliveries)
    .set({ status: 'failed', nextAttemptAt: null, completedAt: ctx.clock.now() })
    .where(and(eq(deliveries.endpointId, endpointId), eq(deliveries.status, 'pending')));
}

/** One job for the next delivery to be due, however many wait. */
async function wakeLater(ctx: Ctx, tx: Tx, endpointId: string): Promise<void> {
  const { rows } = await tx.execute<{ at: string | Date | null }>(sql`
    select min(d.next_attempt_at) as at from webhooks.deliveries d
     where d.endpoint_id = ${endpointId} and d.status = 'pending'`);
  if (!rows[0]?.at) return;
  const [now, wakesAt] = [ctx.clock.now(), new Date(rows[0].at)];
  const { id, wakesAt: planned } = endpoints;
  const isPlanned = await tx
    .update(endpoints)
    .set({ wakesAt })
    .where(and(eq(id, endpointId), or(isNull(planned), lte(planned, now), gt(planned, wakesAt))));
  if (isPlanned.rowCount === 0) return;
  // A second more, so that it is due by the clock of the process, too.
  const waitSeconds = Math.ceil((wakesAt.getTime() - now.getTime()) / 1000) + 1;
  await ctx.jobs.enqueue(tx, 'serve-endpoint', { endpointId }, { waitSeconds: Math.max(waitSeconds, 1) });
}
