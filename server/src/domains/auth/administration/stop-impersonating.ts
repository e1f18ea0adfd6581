import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { endSessions } from '../end-sessions.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { sessions } from '../tables.ts';

/** Ends whatever the caller looks at as an administrator. Returns whose accounts it was. */
export function stopImpersonating(ctx: Ctx, { userId }: Caller): Promise<string[]> {
  return ctx.db.asService((tx) => endImpersonationsBy(ctx, tx, userId));
}

/** The same in the transaction of what ends it. `tx` is the service's. */
export async function endImpersonationsBy(ctx: Ctx, tx: Tx, impersonatorId: string): Promise<string[]> {
  const { id, userId, revokedAt, expiresAt } = sessions;
  const isTheirs = eq(sessions.impersonatorId, impersonatorId);
  const living = await tx
    .select({ id, userId })
    .from(sessions)
    .where(and(isTheirs, isNull(revokedAt), gt(expiresAt, ctx.clock.now())))
    .orderBy(asc(id));
  for (const session of living) {
    const which = { userId: session.userId, only: session.id };
    if ((await endSessions(ctx, tx, which, 'impersonation_ended')) > 0) {
      await recordImpersonationEnd(ctx, tx, { userId: session.userId, sessionId: session.id });
    }
  }
  return living.map((session) => session.userId);
}

/** In the trail of the person, without the address of the administrator. */
export function recordImpersonationEnd(ctx: Ctx, tx: Tx, session: Caller): Promise<void> {
  const details = { reason: 'impersonation_ended' };
  return recordSecurityEvent(ctx, tx, { type: 'session.ended', ...session, details }, null);
}
