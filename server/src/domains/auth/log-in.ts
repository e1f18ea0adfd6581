import { eq, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { RowDocument } from '../../db/documents.ts';
import { later } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { needsRehash } from '../../lib/password-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { readUserDocument, type User } from '../users/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { openSession, type Device, type OpenedSession } from './open-session.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Credentials, Tokens } from './schemas.ts';
import { passwords } from './tables.ts';

/** A finished sign-in: what the client reads, and the cookie that only the browser does. */
export type SignIn = { tokens: Tokens; cookie: { value: string; ttlSeconds: number } };

/**
 * Signs a person in with their password, on a new session. An unknown address, an account without a password
 * and a wrong password cost the same and answer the same: one hash and one row in the trail. A hash of an
 * older kind is replaced. Throws `auth.invalid_credentials`, `auth.account_deactivated` (only to who knows
 * the password) and `server.busy`. @see OWASP Authentication Cheat Sheet, "Authentication Responses"
 */
export async function logIn(ctx: Ctx, credentials: Credentials, origin: RequestOrigin): Promise<SignIn> {
  const verified = await verifyPassword(ctx, credentials, origin);
  const signedIn = await openSessionFor(ctx, verified, credentials, origin);
  if (!signedIn) throw new AppError('auth.invalid_credentials');
  const { user, session } = signedIn;
  return {
    tokens: await issueTokens(ctx, user, session),
    cookie: { value: session.cookie, ttlSeconds: ctx.config.refreshTokenTtlSeconds },
  };
}

/** A person whose password was right just now; a session is opened only if it still is. */
export type VerifiedPassword = { userId: string; hash: string; nextHash: string | undefined };

/**
 * Verifies a password, and writes a refusal into the trail. Throws what `logIn` does, for the same reasons
 * and at the same cost.
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
  return { userId, hash, nextHash };
}

type AccountRow = { user_id: string | null; is_active: boolean | null; hash: string | null };

/** What a sign-in must know of an address. Nothing of it is there when nobody has the address. */
async function findAccount(
  ctx: Ctx,
  email: string,
): Promise<{ userId: string | undefined; isActive: boolean; hash: string | undefined }> {
  const [row] = await ctx.db.call<AccountRow>('select * from auth.find_credentials($1)', [
    normalizeEmail(email),
  ]);
  return {
    userId: row?.user_id ?? undefined,
    isActive: row?.is_active ?? false,
    hash: row?.hash ?? undefined,
  };
}

/**
 * Opens the session if the password is still the one that was verified. Its row is locked until the commit,
 * so that a change or reset of the password, which ends all sessions, cannot slip in between. Two round
 * trips.
 */
export async function openSessionFor(
  ctx: Ctx,
  verified: VerifiedPassword,
  device: Device,
  origin: RequestOrigin,
): Promise<{ user: User; session: OpenedSession } | undefined> {
  const { userId, nextHash } = verified;
  return ctx.db.asUnit(lockPassword(verified), async ({ opened, tx }) => {
    const user = opened && readUserDocument(opened['person'] as RowDocument);
    if (!user?.isActive) return undefined;
    if (nextHash) {
      await later(tx)
        .update(passwords)
        .set({ hash: nextHash, updatedAt: ctx.clock.now() })
        .where(eq(passwords.userId, userId));
      await recordSecurityEvent(ctx, tx, { type: 'password.upgraded', userId }, origin);
    }
    const session = await openSession(ctx, tx, userId, device, origin);
    await recordSecurityEvent(ctx, tx, { type: 'login.succeeded', userId, sessionId: session.id }, origin);
    return { user, session };
  });
}

/**
 * Locks the row of the password, then reads the person if it is still that password. Two statements, so that
 * the second sees what was committed while the first waited.
 */
function lockPassword({ userId, hash }: VerifiedPassword): SQL {
  const isUnchanged = sql`p.user_id = ${userId} and p.hash = ${hash}`;
  return sql`
    select from auth.passwords p where ${isUnchanged} for update;
    select to_jsonb(u) as person
      from auth.users u
     where u.id = ${userId} and exists (select from auth.passwords p where ${isUnchanged})`;
}
