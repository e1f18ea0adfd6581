import { and, asc, eq, gt, inArray, isNull, ne } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { sessions } from './tables.ts';

export type EndReason =
  | 'signed_out'
  | 'revoked'
  | 'revoked_by_administrator'
  | 'password_changed'
  | 'password_reset'
  | 'deactivated';

/** Which of a person's sessions: one, or all, or all but one. */
export type WhichSessions = { userId: string; only?: string; except?: string };

/**
 * Ends living sessions of a person; their access tokens, refresh tokens and cookies are dead once `tx`
 * commits, in every process. `tx` is the service's. Returns how many were ended.
 */
export async function endSessions(
  ctx: Ctx,
  tx: Tx,
  { userId, only, except }: WhichSessions,
  reason: EndReason,
): Promise<number> {
  const now = ctx.clock.now();
  // Locked in the order of their ids, so that two devices that end each other's sessions do not deadlock.
  const living = await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, now),
        only === undefined ? undefined : eq(sessions.id, only),
        except === undefined ? undefined : ne(sessions.id, except),
      ),
    )
    .orderBy(asc(sessions.id))
    .for('update');
  const ids = living.map(({ id }) => id);
  if (ids.length > 0) {
    await tx.update(sessions).set({ revokedAt: now, revokedReason: reason }).where(inArray(sessions.id, ids));
  }
  return ids.length;
}

/**
 * Signs the caller out: the session they ask with ends. Of several calls at once, one stands in the trail.
 */
export async function logOut(ctx: Ctx, caller: Caller, origin: RequestOrigin): Promise<void> {
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const count = await endSessions(ctx, tx, { userId, only: sessionId }, 'signed_out');
    if (count === 0) return;
    await recordSecurityEvent(
      ctx,
      tx,
      { type: 'session.ended', userId, sessionId, details: { reason: 'signed_out' } },
      origin,
    );
  });
}

/** Ends one session of the caller. Throws `request.not_found` when they have no such living session. */
export async function revokeSession(
  ctx: Ctx,
  caller: Caller,
  sessionId: string,
  origin: RequestOrigin,
): Promise<void> {
  const { userId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const count = await endSessions(ctx, tx, { userId, only: sessionId }, 'revoked');
    if (count === 0) throw new AppError('request.not_found');
    await recordSecurityEvent(
      ctx,
      tx,
      { type: 'session.ended', userId, sessionId, details: { reason: 'revoked' } },
      origin,
    );
  });
}

/** Ends every session of the caller but the one they ask with. Returns how many. */
export async function revokeOtherSessions(ctx: Ctx, caller: Caller, origin: RequestOrigin): Promise<number> {
  const { userId, sessionId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const count = await endSessions(ctx, tx, { userId, except: sessionId }, 'revoked');
    await recordSecurityEvent(
      ctx,
      tx,
      { type: 'sessions.ended', userId, sessionId, details: { reason: 'revoked', count } },
      origin,
    );
    return count;
  });
}
