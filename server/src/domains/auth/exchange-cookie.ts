import { and, eq, gt, isNull, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { hashOpaqueToken } from '../../lib/secrets.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { readUser } from '../users/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { addRefreshToken } from './open-session.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Tokens } from './schemas.ts';
import { sessions } from './tables.ts';
import { spendSessionCode } from './upstream/session-code.ts';

/** What names a session: the sign-in cookie, or the one-time code that a sign-in elsewhere ended with. */
export type ShownForTokens =
  | { cookie: string | undefined }
  | { code: string; boundTo: string | undefined; verifier: string | undefined };

/**
 * Gives a sibling app tokens of its own for the session that the sign-in cookie or a one-time code names:
 * signing out anywhere ends them all. The cookie and the tokens of other apps stay as they are. Throws
 * `auth.cookie_invalid`, `auth.code_invalid`.
 */
export async function exchangeCookie(
  ctx: Ctx,
  shown: ShownForTokens,
  origin: RequestOrigin,
): Promise<Tokens> {
  const now = ctx.clock.now();
  const shared = await ctx.db.asService(async (tx) => {
    const isNamed = await findNamed(ctx, tx, shown);
    if (!isNamed) return undefined;
    // The lock makes a sign-out wait, so that no token is added to a session that has ended.
    const [session] = await tx
      .update(sessions)
      .set({ lastUsedAt: now })
      .where(and(isNamed, isNull(sessions.revokedAt), gt(sessions.expiresAt, now)))
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
  if (!shared) throw new AppError('code' in shown ? 'auth.code_invalid' : 'auth.cookie_invalid');
  return issueTokens(ctx, shared.user, shared.session);
}

async function findNamed(ctx: Ctx, tx: Tx, shown: ShownForTokens): Promise<SQL | undefined> {
  if ('code' in shown) {
    const spent = await spendSessionCode(ctx, tx, shown);
    return spent && 'sessionId' in spent ? eq(sessions.id, spent.sessionId) : undefined;
  }
  return shown.cookie ? eq(sessions.cookieHash, hashOpaqueToken(shown.cookie)) : undefined;
}
