import { and, asc, eq, gt, inArray, isNull, ne } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { sessions } from './tables.ts';

export type EndReason =
  | 'signed_out'
  | 'revoked'
  | 'revoked_by_administrator'
  | 'password_changed'
  | 'password_reset'
  | 'deactivated'
  | 'impersonation_ended';

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
