import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { requireUser } from '../../users/index.ts';
import { endSessions } from '../end-sessions.ts';
import { recordSecurityEvent } from '../record-security-event.ts';

export type EndSessionsOf = {
  userId: string;
  /** Only this one. */
  sessionId?: string;
  reason?: string | undefined;
};

/**
 * Signs somebody out on an administrator's word, on one device or on all. Returns how many sessions were
 * ended. Throws `auth.admin_required`, `request.not_found`.
 */
export async function endSessionsOf(
  ctx: Ctx,
  caller: Caller,
  { userId, sessionId, reason }: EndSessionsOf,
  origin: RequestOrigin,
): Promise<number> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    const which = sessionId === undefined ? { userId } : { userId, only: sessionId };
    const count = await endSessions(ctx, tx, which, 'revoked_by_administrator');
    if (count === 0 && sessionId !== undefined) throw new AppError('request.not_found');
    const actor = { type: 'user' as const, id: caller.userId };
    const target = { type: 'user', id: userId };
    const details = { count, ...(sessionId === undefined ? {} : { sessionId }) };
    await recordAuditEvent(
      ctx,
      tx,
      { action: 'user.sessions_ended', actor, target, reason, details },
      origin,
    );
    const trail = { reason: 'revoked_by_administrator', count };
    await recordSecurityEvent(ctx, tx, { type: 'sessions.ended', userId, sessionId, details: trail }, null);
    return count;
  });
}
