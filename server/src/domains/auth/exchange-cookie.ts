import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { hashOpaqueToken } from '../../lib/secrets.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { readUser } from '../users/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { addRefreshToken } from './open-session.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Tokens } from './schemas.ts';
import { sessions } from './tables.ts';

/**
 * Gives a sibling app tokens of its own for the session that the sign-in cookie names: signing out anywhere
 * ends them all. The cookie and the tokens of other apps stay as they are. Throws `auth.cookie_invalid`.
 */
export async function exchangeCookie(
  ctx: Ctx,
  cookie: string | undefined,
  origin: RequestOrigin,
): Promise<Tokens> {
  if (!cookie) throw new AppError('auth.cookie_invalid');
  const now = ctx.clock.now();
  const shared = await ctx.db.asService(async (tx) => {
    // The lock makes a sign-out wait, so that no token is added to a session that has ended.
    const [session] = await tx
      .update(sessions)
      .set({ lastUsedAt: now })
      .where(
        and(
          eq(sessions.cookieHash, hashOpaqueToken(cookie)),
          isNull(sessions.revokedAt),
          gt(sessions.expiresAt, now),
        ),
      )
      .returning();
    if (!session) return undefined;
    const user = await readUser(tx, session.userId);
    if (!user.isActive) return undefined;
    const refreshToken = await addRefreshToken(ctx, tx, session);
    await recordSecurityEvent(
      ctx,
      tx,
      { type: 'session.shared', userId: user.id, sessionId: session.id },
      origin,
    );
    const { id, expiresAt, amr, authenticatedAt, createdAt } = session;
    return {
      user,
      session: { id, expiresAt, refreshToken, amr, authenticatedAt: authenticatedAt ?? createdAt },
    };
  });
  if (!shared) throw new AppError('auth.cookie_invalid');
  return issueTokens(ctx, shared.user, shared.session);
}
