import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { endSessions } from './end-sessions.ts';
import { recordSecurityEvent } from './record-security-event.ts';

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
