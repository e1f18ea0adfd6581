import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { endSessions } from './end-sessions.ts';
import { recordSecurityEvent } from './record-security-event.ts';

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
