import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { requireUser } from '../../users/index.ts';
import { readCountedTrail, readTrail, type Trail } from '../list-security-events.ts';
import { readLiveSessions, toSessionView } from '../list-sessions.ts';
import type { SecurityEvents, SecurityEventsQuery, SessionView } from '../schemas.ts';

type TrailQuery = { userId: string } & SecurityEventsQuery;

/**
 * A page of what happened to somebody's account, and how much there is in all, for administrators. Throws
 * `auth.admin_required`, `request.not_found`.
 */
export async function listSecurityEventsOf(
  ctx: Ctx,
  caller: Caller,
  { userId, ...query }: TrailQuery,
): Promise<SecurityEvents> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    return readCountedTrail(tx, userId, query);
  });
}

/** The same for a page, which shows no total. */
export async function readTrailOf(
  ctx: Ctx,
  caller: Caller,
  { userId, ...query }: TrailQuery,
): Promise<Trail> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    return readTrail(tx, userId, query);
  });
}

/**
 * The devices on which somebody is signed in, for administrators. Throws `auth.admin_required`,
 * `request.not_found`.
 */
export async function readSessionsOf(ctx: Ctx, caller: Caller, userId: string): Promise<SessionView[]> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    const rows = await readLiveSessions(ctx, tx, userId);
    return rows.map((row) => toSessionView(row, caller.sessionId));
  });
}
