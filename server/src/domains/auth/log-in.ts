import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { needsRehash } from '../../lib/password-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Credentials, Tokens } from './schemas.ts';
import type { SecondFactorChallenge } from './sign-in/pending-sign-in.ts';
import { signInPerson, type IdentifiedPerson, type SignInResult } from './sign-in/sign-in-person.ts';

/** A finished sign-in: what the client reads, and the cookie that only the browser does. */
export type SignIn = { tokens: Tokens; cookie: { value: string; ttlSeconds: number } };

/** A sign-in that waits for its second factor. */
export type SecondFactorNeeded = SecondFactorChallenge & { twoFactorRequired: true };

/**
 * Signs a person in with their password, on a new session; who has a second factor gets a challenge instead,
 * unless `deviceToken` is of a device that is remembered. An unknown address, an account without a password
 * and a wrong password cost the same and answer the same: one hash and one row in the trail. A hash of an
 * older kind is replaced. Throws `auth.invalid_credentials`, `auth.account_deactivated` (only to who knows
 * the password) and `server.busy`. @see OWASP Authentication Cheat Sheet, "Authentication Responses"
 */
export async function logIn(
  ctx: Ctx,
  credentials: Credentials,
  origin: RequestOrigin,
): Promise<SignIn | SecondFactorNeeded> {
  const verified = await verifyPassword(ctx, credentials, origin);
  const place = { device: credentials, deviceToken: credentials.deviceToken };
  const result = await signInPerson(ctx, verified, place, origin);
  if (result.outcome === 'refused') throw new AppError('auth.invalid_credentials');
  return answerSignIn(ctx, result);
}

/** What a client reads of a sign-in that is done, or that waits for its second factor. */
export async function answerSignIn(
  ctx: Ctx,
  result: Exclude<SignInResult, { outcome: 'refused' }>,
): Promise<SignIn | SecondFactorNeeded> {
  if (result.outcome === 'second_factor') return { twoFactorRequired: true, ...result.challenge };
  const { user, session, remembered } = result;
  const { refreshToken } = session;
  if (refreshToken === undefined) throw new Error('a sign-in without a cookie opens a session of its own');
  const tokens = await issueTokens(ctx, user, { ...session, refreshToken });
  return {
    tokens: remembered ? { ...tokens, deviceToken: remembered.value } : tokens,
    cookie: { value: session.cookie, ttlSeconds: ctx.config.refreshTokenTtlSeconds },
  };
}

/** A person whose password was right just now; a session is opened only if it still is. */
export type VerifiedPassword = IdentifiedPerson & { hash: string };

/**
 * Verifies a password, and writes a refusal into the trail. Throws what `logIn` does, for the same reasons
 * and at the same cost. Opens nothing: `signInPerson` does.
 */
export async function verifyPassword(
  ctx: Ctx,
  credentials: Credentials,
  origin: RequestOrigin,
): Promise<VerifiedPassword> {
  const account = await findAccount(ctx, credentials.email);
  const { userId, hash } = account;
  const matches = await ctx.passwords.verify(credentials.password, hash);
  if (!userId || !hash || !matches || !account.isActive) {
    const reason = matches ? 'account_deactivated' : 'invalid_credentials';
    const failure = { type: 'login.failed', userId, details: { reason } } as const;
    await ctx.db.asService((tx) => recordSecurityEvent(ctx, tx, failure, origin));
    throw new AppError(`auth.${reason}`);
  }
  const nextHash = needsRehash(hash) ? await ctx.passwords.hash(credentials.password) : undefined;
  return { userId, hash, nextHash, amr: ['pwd'] };
}

/** What a sign-in must know of an address. Nothing of it is there when nobody has the address. */
async function findAccount(
  ctx: Ctx,
  email: string,
): Promise<{ userId: string | undefined; isActive: boolean; hash: string | undefined }> {
  const row = await ctx.signIns.find(normalizeEmail(email));
  return {
    userId: row.user_id ?? undefined,
    isActive: row.is_active ?? false,
    hash: row.hash ?? undefined,
  };
}
