import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { sessions } from '../tables.ts';
import type { AuthenticationMethod } from './acr-of.ts';

/** Which session, and how its person has just shown that it is still them. */
export type Raise = {
  userId: string;
  sessionId: string;
  amr: AuthenticationMethod[];
  /** Whether the browser that asks has the cookie, and gets another one. */
  renewsCookie: boolean;
};

export type RaisedSession = { id: string; expiresAt: Date; cookie: string | undefined };

/**
 * Notes that the person has just shown anew that it is them, and gives the session another id: access tokens
 * and cookies that somebody took before are dead, and gain nothing by it. What hangs on the session goes
 * along, refresh tokens of sibling apps too; it lives no longer than before. Undefined when it has ended.
 * `tx` is the service's. @see OWASP Session Management, "Renew the Session ID After Any Privilege Level
 * Change"
 */
export async function raiseSession(
  ctx: Ctx,
  tx: Tx,
  { userId, sessionId, amr, renewsCookie }: Raise,
  origin: RequestOrigin,
): Promise<RaisedSession | undefined> {
  const now = ctx.clock.now();
  const id = newId(ctx);
  const cookie = renewsCookie ? newOpaqueToken(ctx.random) : undefined;
  const [raised] = await tx
    .update(sessions)
    .set({
      id,
      amr,
      authenticatedAt: now,
      lastUsedAt: now,
      ...(cookie === undefined ? {} : { cookieHash: hashOpaqueToken(cookie) }),
    })
    .where(
      and(
        eq(sessions.id, sessionId),
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, now),
      ),
    )
    .returning({ expiresAt: sessions.expiresAt });
  if (!raised) return undefined;
  const event = { type: 'session.raised', userId, sessionId: id, details: { methods: amr } } as const;
  await recordSecurityEvent(ctx, tx, event, origin);
  return { id, expiresAt: raised.expiresAt, cookie };
}
