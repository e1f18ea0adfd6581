import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { endSessions } from './end-sessions.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { sessions } from './tables.ts';

/**
 * Signs the caller out: the session they ask with ends. An administrator who looks at the account by it stops
 * that, and leaves no address in the trail of the person. Of several calls at once, one stands there.
 */
export async function logOut(ctx: Ctx, caller: Caller, origin: RequestOrigin): Promise<void> {
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const [session] = await tx
      .select({ impersonatorId: sessions.impersonatorId })
      .from(sessions)
      .where(eq(sessions.id, sessionId));
    const isImpersonation = typeof session?.impersonatorId === 'string';
    const reason = isImpersonation ? 'impersonation_ended' : 'signed_out';
    const count = await endSessions(ctx, tx, { userId, only: sessionId }, reason);
    if (count === 0) return;
    const event = { type: 'session.ended' as const, userId, sessionId, details: { reason } };
    await recordSecurityEvent(ctx, tx, event, isImpersonation ? null : origin);
  });
}
