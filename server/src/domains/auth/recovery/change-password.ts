import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { readUser } from '../../users/index.ts';
import { assertAcceptablePassword } from '../assert-acceptable-password.ts';
import { assertUnbreachedPassword } from '../assert-unbreached-password.ts';
import { assertOwnPassword } from '../factors/check-own-password.ts';
import { readAccount } from '../factors/read-account.ts';
import { issueTokens, type SessionTokens } from '../issue-tokens.ts';
import type { SignIn } from '../log-in.ts';
import { openSession } from '../open-session.ts';
import { sessions } from '../tables.ts';
import type { AuthenticationMethod } from '../sign-in/acr-of.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { replacePassword } from './replace-password.ts';

/**
 * Replaces the caller's password after checking the current one, ends all their sessions and tells the
 * address. This device goes on in a new session: whoever has copied the tokens or the cookie of the old one
 * is out like everybody else. Throws `auth.session_ended`, `auth.password_unacceptable`,
 * `auth.password_wrong`, `request.rate_limited`. @see OWASP Session Management Cheat Sheet, "Renew the
 * Session ID After Any Privilege Level Change"
 */
export async function changePassword(
  ctx: Ctx,
  caller: Caller,
  { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
  origin: RequestOrigin,
): Promise<SignIn> {
  const account = await readAccount(ctx, caller);
  assertAcceptablePassword(newPassword, account, '/body/newPassword');
  await assertOwnPassword(ctx, caller, { password: currentPassword, hash: account.hash }, origin);
  await assertUnbreachedPassword(ctx, newPassword, '/body/newPassword');
  const newHash = await ctx.passwords.hash(newPassword);
  const { userId, sessionId } = caller;
  const { user, session } = await ctx.db.asServiceFor(caller, async (tx) => {
    await lockAccount(tx, userId);
    // The password that was checked must still be the current one: a change that came in between wins.
    const { rows } = await tx.execute(sql`
      select from auth.passwords where user_id = ${userId} and hash = ${account.hash} for update`);
    if (rows.length === 0) throw new AppError('auth.password_wrong');
    const { email } = account;
    const replacement = { userId, email, newHash, notice: 'password_changed' as const, sessionId };
    await replacePassword(ctx, tx, replacement, origin);
    return { user: await readUser(tx, userId), session: await goOn(ctx, tx, caller, origin) };
  });
  return {
    tokens: await issueTokens(ctx, user, session),
    cookie: { value: session.cookie, ttlSeconds: ctx.config.refreshTokenTtlSeconds },
  };
}

/**
 * Opens a session for the device of the caller's. The password that was just shown is one factor: who has
 * shown more keeps it, with the time at which they did.
 */
async function goOn(
  ctx: Ctx,
  tx: Tx,
  { userId, sessionId }: Caller,
  origin: RequestOrigin,
): Promise<SessionTokens & { cookie: string }> {
  const [ended] = await tx.select().from(sessions).where(eq(sessions.id, sessionId));
  const device = { deviceId: ended?.deviceId ?? undefined, deviceName: ended?.deviceName ?? undefined };
  const amr = (ended?.amr ?? ['pwd']) as AuthenticationMethod[];
  const shownBefore = ended && amr.includes('mfa') ? (ended.authenticatedAt ?? ended.createdAt) : null;
  const opening = { userId, amr, authenticatedAt: shownBefore };
  const session = await openSession(ctx, tx, opening, device, origin);
  return { ...session, amr, authenticatedAt: shownBefore ?? ctx.clock.now() };
}
