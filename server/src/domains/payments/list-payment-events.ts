import { and, desc, eq, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { cursorParts, readCursor, writeCursor } from '../../http/cursor.ts';
import type { EventDetail, EventsQuery, EventView } from './schemas.ts';
import { paymentEvents } from './tables.ts';

type EventRow = typeof paymentEvents.$inferSelect;

/**
 * A page of what providers have told, the youngest first, for administrators. `nextCursor` leads to the next
 * page. Throws `auth.session_ended`, `auth.admin_required`, `request.invalid`.
 */
export async function listPaymentEvents(
  ctx: Ctx,
  caller: Caller,
  { limit, cursor, provider, outcome, type }: EventsQuery,
): Promise<{ items: EventView[]; nextCursor: string | undefined }> {
  const last = cursor === undefined ? undefined : readCursor(cursor, [cursorParts.time, cursorParts.id]);
  const { receivedAt, id } = paymentEvents;
  const filters = and(
    provider === undefined ? undefined : eq(paymentEvents.provider, provider),
    outcome === undefined ? undefined : eq(paymentEvents.outcome, outcome),
    type === undefined ? undefined : eq(paymentEvents.type, type),
    last === undefined
      ? undefined
      : sql`(${receivedAt}, ${id}) < (${last[0]}::timestamptz, ${last[1]}::uuid)`,
  );
  const rows = await ctx.db.asAdministrator(caller, (tx) =>
    tx
      .select()
      .from(paymentEvents)
      .where(filters)
      .orderBy(desc(receivedAt), desc(id))
      .limit(limit + 1),
  );
  const end = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(toEventView),
    nextCursor: end && writeCursor([end.receivedAt.toISOString(), end.id]),
  };
}

/**
 * An event in full, for administrators. Throws `auth.session_ended`, `auth.admin_required`,
 * `request.not_found`.
 */
export async function readPaymentEvent(ctx: Ctx, caller: Caller, eventId: string): Promise<EventDetail> {
  const where: SQL = eq(paymentEvents.id, eventId);
  const [row] = await ctx.db.asAdministrator(caller, (tx) => tx.select().from(paymentEvents).where(where));
  if (!row) throw new AppError('request.not_found');
  return { ...toEventView(row), facts: row.facts as EventDetail['facts'], payload: row.payload };
}

function toEventView(row: EventRow): EventView {
  return {
    id: row.id,
    provider: row.provider,
    providerEventId: row.providerEventId,
    type: row.type,
    isLive: row.isLive,
    outcome: row.outcome,
    reason: row.reason,
    receivedAt: row.receivedAt.toISOString(),
    appliedAt: row.appliedAt?.toISOString() ?? null,
    happenedAt: row.happenedAt?.toISOString() ?? null,
  };
}
