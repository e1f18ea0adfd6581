import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import { pingEventType } from './event-types.ts';
import { requireDelivery, toDeliveryObject, type DeliveryRow } from './list-deliveries.ts';
import { requireEndpoint } from './require-endpoint.ts';
import type { DeliveryObject } from './schemas.ts';
import { deliveries, events } from './tables.ts';
import type { Endpoint } from './to-endpoint-object.ts';

/**
 * Sends an event to its endpoint again, under the same `webhook-id`. Throws `request.not_found`,
 * `applications.admin_required`, `webhooks.endpoint_disabled`, `webhooks.too_many_pending`.
 */
export async function replayDelivery(ctx: Ctx, caller: Caller, id: string): Promise<DeliveryObject> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { delivery } = await requireDelivery(tx, caller, id);
    const endpoint = await requireEndpoint(tx, caller.userId, delivery.endpointId);
    const event = await keepEvent(tx, id);
    return toDeliveryObject(await addDelivery(ctx, tx, { endpoint, event, isReplay: true }));
  });
}

/**
 * Sends an event that means nothing, so that a receiver can be tried out. Throws `request.not_found`,
 * `applications.admin_required`, `webhooks.endpoint_disabled`, `webhooks.too_many_pending`.
 */
export async function pingEndpoint(ctx: Ctx, caller: Caller, endpointId: string): Promise<DeliveryObject> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const endpoint = await requireEndpoint(tx, caller.userId, endpointId);
    const event = {
      id: newId(ctx),
      type: pingEventType,
      data: { endpointId },
      happenedAt: ctx.clock.now(),
    };
    await tx.insert(events).values(event);
    return toDeliveryObject(await addDelivery(ctx, tx, { endpoint, event, isReplay: false }));
  });
}

/**
 * The event of a delivery, kept with it until the transaction ends: what removes old deliveries waits for no
 * lock of the application, and would take the new delivery along.
 */
async function keepEvent(tx: Tx, deliveryId: string): Promise<DeliveryRow['event']> {
  const [kept] = await tx
    .select({ event: events })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(eq(deliveries.id, deliveryId))
    .for('key share');
  if (!kept) throw new AppError('request.not_found');
  return kept.event;
}

type Wanted = { endpoint: Endpoint; event: DeliveryRow['event']; isReplay: boolean };

async function addDelivery(ctx: Ctx, tx: Tx, { endpoint, event, isReplay }: Wanted): Promise<DeliveryRow> {
  if (!endpoint.isEnabled) throw new AppError('webhooks.endpoint_disabled');
  const { rows } = await tx.execute<{ full: boolean }>(sql`select webhooks.is_full(${endpoint.id}) as full`);
  if (rows[0]?.full) throw new AppError('webhooks.too_many_pending');
  const now = ctx.clock.now();
  const values = { id: newId(ctx), endpointId: endpoint.id, eventId: event.id, isReplay };
  const [delivery] = await tx
    .insert(deliveries)
    .values({ ...values, createdAt: now, nextAttemptAt: now })
    .returning();
  if (!delivery) throw new Error('The insert returned no row');
  await ctx.jobs.enqueue(tx, 'serve-endpoint', { endpointId: endpoint.id });
  return { delivery, event };
}
