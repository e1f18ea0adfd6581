import { and, desc, eq, gte, lt, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { cursorParts, readCursor, writeCursor } from '../../http/cursor.ts';
import { readInstant } from '../../http/read-instant.ts';
import type { AuditEvents, AuditEventView, AuditFilters, AuditQuery } from './schemas.ts';
import { auditEvents, auditSeals } from './tables.ts';

/**
 * A page of the audit trail, newest first, for administrators. A page costs the same wherever it is; nothing
 * is counted. Throws `auth.session_ended`, `auth.admin_required`, `request.invalid`.
 */
export async function listAuditEvents(ctx: Ctx, caller: Caller, query: AuditQuery): Promise<AuditEvents> {
  const { limit, cursor, ...filters } = query;
  const last = cursor === undefined ? undefined : readCursor(cursor, [cursorParts.time, cursorParts.id]);
  return ctx.db.asAdministrator(caller, (tx) => readAuditPage(tx, { filters, limit, last }));
}

export type AuditPage = {
  filters: AuditFilters;
  limit: number;
  /** Time and id of the last event of the page before. */
  last: string[] | undefined;
};

/** A page of the trail. `tx` is an administrator's. */
export async function readAuditPage(tx: Tx, { filters, limit, last }: AuditPage): Promise<AuditEvents> {
  const { createdAt, id } = auditEvents;
  const rows = await tx
    .select({ event: auditEvents, seal: auditSeals })
    .from(auditEvents)
    .leftJoin(auditSeals, eq(auditSeals.eventId, id))
    .where(and(...conditionsOf(filters), last && sql`(${createdAt}, ${id}) < (${last[0]}, ${last[1]})`))
    .orderBy(desc(createdAt), desc(id))
    .limit(limit + 1);
  const events = rows.slice(0, limit).map(toView);
  const end = events.at(-1);
  const nextCursor = rows.length > limit && end ? writeCursor([end.createdAt, end.id]) : null;
  return { events, nextCursor };
}

function conditionsOf({ actor, subject, type, from, to }: AuditFilters): (SQL | undefined)[] {
  return [
    actor === undefined ? undefined : eq(auditEvents.actorId, actor.toLowerCase()),
    subject === undefined ? undefined : eq(auditEvents.targetId, subject),
    type === undefined ? undefined : eq(auditEvents.action, type),
    from === undefined ? undefined : gte(auditEvents.createdAt, new Date(readInstant(from, '/query/from'))),
    to === undefined ? undefined : lt(auditEvents.createdAt, new Date(readInstant(to, '/query/to'))),
  ];
}

type Row = { event: typeof auditEvents.$inferSelect; seal: typeof auditSeals.$inferSelect | null };

function toView({ event, seal }: Row): AuditEventView {
  const { id, action, actorType, actorId, targetType, targetId, reason, ipAddress, details } = event;
  return {
    id,
    type: action,
    actor: { type: actorType, id: actorId },
    subject: targetType === null || targetId === null ? null : { type: targetType, id: targetId },
    reason,
    ipAddress,
    details,
    createdAt: event.createdAt.toISOString(),
    sequence: seal?.sequence ?? null,
    hash: seal?.hash.toString('hex') ?? null,
  };
}
