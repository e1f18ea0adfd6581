import { and, count, desc, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import type { SecurityEvents, SecurityEventsQuery, SecurityEventView } from './schemas.ts';
import { securityEvents } from './tables.ts';

/** A page of a trail, the newest first, without how much there is in all. */
export type Trail = Omit<SecurityEvents, 'total'>;

/**
 * A page of what happened to the caller's account, the newest first, and how much there is in all. A cursor
 * that is no event of the caller leads to an empty page. Throws `auth.session_ended`.
 */
export async function listSecurityEvents(
  ctx: Ctx,
  caller: Caller,
  query: SecurityEventsQuery,
): Promise<SecurityEvents> {
  return ctx.db.asCaller(caller, (tx) => readCountedTrail(tx, caller.userId, query));
}

/** The same for a page, which shows no total. */
export async function readOwnTrail(ctx: Ctx, caller: Caller, query: SecurityEventsQuery): Promise<Trail> {
  return ctx.db.asCaller(caller, (tx) => readTrail(tx, caller.userId, query));
}

/** What `listSecurityEvents` says, of any person whose trail `tx` may see. */
export async function readCountedTrail(
  tx: Tx,
  userId: string,
  query: SecurityEventsQuery,
): Promise<SecurityEvents> {
  const { events, nextCursor } = await readTrail(tx, userId, query);
  const [counted] = await tx
    .select({ total: count() })
    .from(securityEvents)
    .where(eq(securityEvents.userId, userId));
  return { events, total: counted?.total ?? 0, nextCursor };
}

/** The same without the total. */
export async function readTrail(
  tx: Tx,
  userId: string,
  { limit, offset, cursor }: SecurityEventsQuery,
): Promise<Trail> {
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
  const page = rows.slice(0, limit);
  return {
    events: page.map(toView),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

function toView(row: typeof securityEvents.$inferSelect): SecurityEventView {
  const { id, type, sessionId, ipAddress, userAgent, details, createdAt } = row;
  return { id, type, sessionId, ipAddress, userAgent, details, createdAt: createdAt.toISOString() };
}
