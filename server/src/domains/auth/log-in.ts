import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { needsRehash } from '../../lib/password-hash.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { findUserByEmail, readUser, type User } from '../users/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { openSession, type OpenedSession } from './open-session.ts';
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
  const account = await findAccount(ctx, credentials.email);
  const matches = await ctx.passwords.verify(credentials.password, account?.hash);
  if (!account?.hash || !matches || !account.user.isActive) {
    const reason = account && matches ? 'account_deactivated' : 'invalid_credentials';
    await ctx.db.asService((tx) =>
      recordSecurityEvent(
        ctx,
        tx,
        { type: 'login.failed', userId: account?.user.id, details: { reason } },
        origin,
      ),
    );
    throw new AppError(`auth.${reason}`);
  }
  const nextHash = needsRehash(account.hash) ? await ctx.passwords.hash(credentials.password) : undefined;
  const signedIn = await openSessionFor(
    ctx,
    { ...account, hash: account.hash },
    nextHash,
    credentials,
    origin,
  );
  if (!signedIn) throw new AppError('auth.invalid_credentials');
  const { user, session } = signedIn;
  return {
    tokens: await issueTokens(ctx, user, session),
    cookie: { value: session.cookie, ttlSeconds: ctx.config.refreshTokenTtlSeconds },
  };
}

type Account = { user: User; hash: string | undefined };

async function findAccount(ctx: Ctx, email: string): Promise<Account | undefined> {
  return ctx.db.asService(async (tx) => {
    const user = await findUserByEmail(tx, email);
    // Asked for an unknown account too, so that both cost the same number of statements.
    const [password] = await tx
      .select({ hash: passwords.hash })
      .from(passwords)
      .where(eq(passwords.userId, user?.id ?? nobody));
    return user ? { user, hash: password?.hash } : undefined;
  });
}

const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * Opens the session if the password is still the one that was verified. Its row is locked until the commit,
 * so that a change or reset of the password, which ends all sessions, cannot slip in between.
 */
async function openSessionFor(
  ctx: Ctx,
  account: Account & { hash: string },
  nextHash: string | undefined,
  credentials: Credentials,
  origin: RequestOrigin,
): Promise<{ user: User; session: OpenedSession } | undefined> {
  const userId = account.user.id;
  return ctx.db.asService(async (tx) => {
    const [unchanged] = await tx
      .select({ userId: passwords.userId })
      .from(passwords)
      .where(and(eq(passwords.userId, userId), eq(passwords.hash, account.hash)))
      .for('update');
    const user = unchanged && (await readUser(tx, userId));
    if (!user?.isActive) return undefined;
    if (nextHash) {
      await tx
        .update(passwords)
        .set({ hash: nextHash, updatedAt: ctx.clock.now() })
        .where(eq(passwords.userId, userId));
      await recordSecurityEvent(ctx, tx, { type: 'password.upgraded', userId }, origin);
    }
    const session = await openSession(ctx, tx, userId, credentials, origin);
    await recordSecurityEvent(ctx, tx, { type: 'login.succeeded', userId, sessionId: session.id }, origin);
    return { user, session };
  });
}
