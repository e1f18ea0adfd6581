import { and, asc, eq, gt, isNull, ne } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { endSessions } from '../end-sessions.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { sessions } from '../tables.ts';

/**
 * Ends whatever the caller looks at as an administrator, but for one session. It stands in the trails of
 * those people, without the administrator's address. Returns whose accounts it was.
 */
export async function stopImpersonating(
  ctx: Ctx,
  caller: Caller,
  { except }: { except?: string } = {},
): Promise<string[]> {
  const { id, userId, impersonatorId, revokedAt, expiresAt } = sessions;
  return ctx.db.asService(async (tx) => {
    const living = await tx
      .select({ id, userId })
      .from(sessions)
      .where(
        and(
          eq(impersonatorId, caller.userId),
          isNull(revokedAt),
          gt(expiresAt, ctx.clock.now()),
          except === undefined ? undefined : ne(id, except),
        ),
      )
      .orderBy(asc(id));
    for (const { id: sessionId, userId: person } of living) {
      const which = { userId: person, only: sessionId };
      if ((await endSessions(ctx, tx, which, 'impersonation_ended')) === 0) continue;
      const details = { reason: 'impersonation_ended' };
      const event = { type: 'session.ended' as const, userId: person, sessionId, details };
      await recordSecurityEvent(ctx, tx, event, null);
    }
    return living.map((session) => session.userId);
  });
}
