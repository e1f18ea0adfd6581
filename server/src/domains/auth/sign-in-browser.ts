import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { endSessions } from './end-sessions.ts';
import { findSession } from './find-session.ts';
import { openSessionFor, verifyPassword, type Identified } from './log-in.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Credentials } from './schemas.ts';

/** Who is signed in, and the cookie that says so; without one, the cookie so far stays. */
export type BrowserSignIn = {
  userId: string;
  sessionId: string;
  cookie?: { value: string; ttlSeconds: number };
};

/**
 * Signs a person in at this browser with their password. Throws `auth.invalid_credentials`,
 * `auth.account_deactivated`, `server.busy`.
 */
export async function signInBrowser(
  ctx: Ctx,
  { credentials, cookie }: { credentials: Credentials; cookie: string | undefined },
  origin: RequestOrigin,
): Promise<BrowserSignIn> {
  const verified = await verifyPassword(ctx, credentials, origin);
  return enterBrowser(ctx, verified, { cookie }, origin);
}

/**
 * Signs in at this browser whoever has just shown who they are, by password or at another provider. Who is
 * signed in already shows that it is still them, in the session they have; somebody else gets a session of
 * their own, and the one before ends. Throws `auth.invalid_credentials` when what they showed does not hold
 * any more.
 */
export async function enterBrowser(
  ctx: Ctx,
  identified: Identified,
  { cookie }: { cookie: string | undefined },
  origin: RequestOrigin,
): Promise<BrowserSignIn> {
  const { userId } = identified;
  const current = await ctx.db.asService(async (tx) => {
    const session = cookie === undefined ? undefined : await findSession(ctx, tx, { cookie });
    if (session === undefined || session.userId === userId) return session;
    await endSessions(ctx, tx, { userId: session.userId, only: session.id }, 'signed_out');
    const event = { type: 'session.ended' as const, userId: session.userId, sessionId: session.id };
    await recordSecurityEvent(ctx, tx, { ...event, details: { reason: 'signed_out' } }, origin);
    return undefined;
  });
  if (current) return { userId, sessionId: current.id };
  const signedIn = await openSessionFor(ctx, identified, {}, origin);
  if (!signedIn) throw new AppError('auth.invalid_credentials');
  const { session } = signedIn;
  const ttlSeconds = ctx.config.refreshTokenTtlSeconds;
  return { userId, sessionId: session.id, cookie: { value: session.cookie, ttlSeconds } };
}
