import { and, count, desc, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import type { SecurityEvents, SecurityEventsQuery, SecurityEventView } from './schemas.ts';
import { securityEvents } from './tables.ts';

/**
 * A page of what happened to the caller's account, the newest first, and how much there is in all. A cursor
 * that is no event of the caller leads to an empty page. Throws `auth.session_ended`.
 */
export async function listSecurityEvents(
  ctx: Ctx,
  caller: Caller,
  query: SecurityEventsQuery,
): Promise<SecurityEvents> {
  return ctx.db.asCaller(caller, (tx) => readSecurityEvents(tx, caller.userId, query));
}

/** The same of any person whose trail `tx` may see. */
export async function readSecurityEvents(
  tx: Tx,
  userId: string,
  { limit, offset, cursor }: SecurityEventsQuery,
): Promise<SecurityEvents> {
  const isTheirs = eq(securityEvents.userId, userId);
  const { createdAt, id } = securityEvents;
  const last = tx
    .select({ createdAt, id })
    .from(securityEvents)
    .where(and(isTheirs, eq(id, cursor ?? '')));
  const rows = await tx
    .select()
    .from(securityEvents)
    .where(and(isTheirs, cursor === undefined ? undefined : sql`(${createdAt}, ${id}) < (${last})`))
    .orderBy(desc(createdAt), desc(id))
    // One more than asked for shows whether there is a next page.
    .limit(limit + 1)
    .offset(cursor === undefined ? offset : 0);
  const [counted] = await tx.select({ total: count() }).from(securityEvents).where(isTheirs);
  const page = rows.slice(0, limit);
  return {
    events: page.map(toView),
    total: counted?.total ?? 0,
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

function toView(row: typeof securityEvents.$inferSelect): SecurityEventView {
  const { id, type, sessionId, ipAddress, userAgent, details, createdAt } = row;
  return { id, type, sessionId, ipAddress, userAgent, details, createdAt: createdAt.toISOString() };
}
