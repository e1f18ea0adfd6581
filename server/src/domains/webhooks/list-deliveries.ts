import { and, asc, desc, eq, lt, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { requireEndpoint } from './require-endpoint.ts';
import type { DeliveriesQuery, DeliveryDetail, DeliveryObject } from './schemas.ts';
import { attempts, deliveries, events } from './tables.ts';

/**
 * What was sent to an endpoint, the youngest first, for an administrator. `nextCursor` leads to the next
 * page. Throws `request.not_found`, `applications.admin_required`.
 */
export async function listDeliveries(
  ctx: Ctx,
  caller: Caller,
  { id, limit, status, eventType, cursor }: DeliveriesQuery & { id: string },
): Promise<{ items: DeliveryObject[]; nextCursor: string | null }> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    await requireEndpoint(tx, caller.userId, id);
    const rows = await selectDeliveries(
      tx,
      and(
        eq(deliveries.endpointId, id),
        status === undefined ? undefined : eq(deliveries.status, status),
        eventType === undefined ? undefined : eq(events.type, eventType),
        cursor === undefined ? undefined : lt(deliveries.id, cursor),
      ),
      limit + 1,
    );
    const items = rows.slice(0, limit);
    const nextCursor = rows.length > limit ? (items.at(-1)?.delivery.id ?? null) : null;
    return { items: items.map(toDeliveryObject), nextCursor };
  });
}

/**
 * A delivery with its event and every attempt, for an administrator. Throws `request.not_found`,
 * `applications.admin_required`.
 */
export async function readDelivery(ctx: Ctx, caller: Caller, id: string): Promise<DeliveryDetail> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const row = await requireDelivery(tx, caller, id);
    const made = await tx
      .select()
      .from(attempts)
      .where(eq(attempts.deliveryId, id))
      .orderBy(asc(attempts.startedAt), asc(attempts.id));
    return {
      ...toDeliveryObject(row),
      data: row.event.data as Record<string, unknown>,
      attempts: made.map(({ startedAt, durationMs, statusCode, error, responseExcerpt }) => ({
        startedAt: startedAt.toISOString(),
        durationMs,
        statusCode,
        error,
        responseExcerpt,
      })),
    };
  });
}

export type DeliveryRow = { delivery: typeof deliveries.$inferSelect; event: typeof events.$inferSelect };

/** The delivery, if the caller administers its application. `tx` is the service's. */
export async function requireDelivery(tx: Tx, { userId }: Caller, id: string): Promise<DeliveryRow> {
  const [row] = await selectDeliveries(tx, eq(deliveries.id, id), 1);
  if (!row) throw new AppError('request.not_found');
  await requireEndpoint(tx, userId, row.delivery.endpointId);
  return row;
}

async function selectDeliveries(tx: Tx, where: SQL | undefined, limit: number): Promise<DeliveryRow[]> {
  return tx
    .select({ delivery: deliveries, event: events })
    .from(deliveries)
    .innerJoin(events, eq(events.id, deliveries.eventId))
    .where(where)
    .orderBy(desc(deliveries.id))
    .limit(limit);
}

/** A delivery as the API lists it. */
export function toDeliveryObject({ delivery, event }: DeliveryRow): DeliveryObject {
  return {
    id: delivery.id,
    endpointId: delivery.endpointId,
    eventId: delivery.eventId,
    eventType: event.type as DeliveryObject['eventType'],
    status: delivery.status,
    isReplay: delivery.isReplay,
    attemptCount: delivery.attemptCount,
    happenedAt: event.happenedAt.toISOString(),
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    completedAt: delivery.completedAt?.toISOString() ?? null,
  };
}
