import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { endSessions } from './end-sessions.ts';
import { recordSecurityEvent } from './record-security-event.ts';

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
