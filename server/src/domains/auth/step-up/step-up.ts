import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import type { User } from '../../users/index.ts';
import { checkOwnPassword } from '../factors/check-own-password.ts';
import { prepareProof } from '../factors/prepare-proof.ts';
import {
  proveFactor,
  toRefusal,
  type FactorProof,
  type FactorRefusal,
  type PreparedProof,
} from '../factors/prove-factor.ts';
import { readFactors } from '../factors/read-factors.ts';
import { findSession } from '../find-session.ts';
import { issueTokens } from '../issue-tokens.ts';
import type { SignIn } from '../log-in.ts';
import { addRefreshToken } from '../open-session.ts';
import type { AuthenticationMethod } from '../sign-in/acr-of.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { raiseSession, type RaisedSession } from '../sign-in/raise-session.ts';
import { passwords } from '../tables.ts';
import { stepUpMethodsOf } from './step-up-methods.ts';

export type StepUpProof = { password: string } | FactorProof;

/** What is shown, checked as far as it can be before the transaction. */
type Prepared = { hash: string } | PreparedProof;

/** What a client gets; `cookie` for the browser that asked with one, `amr` for who goes on from there. */
export type SteppedUp = {
  tokens: SignIn['tokens'];
  amr: AuthenticationMethod[];
  cookie: SignIn['cookie'] | undefined;
};

type Raised = { user: User; session: RaisedSession; amr: AuthenticationMethod[]; refreshToken: string };

/**
 * Takes from the caller that it is still them, and raises their session: it gets another id, so that the
 * access tokens before are dead, and new tokens are the answer; the browser that asks with the cookie gets
 * another one. Who has a second factor shows that; a password is not enough then. Throws
 * `auth.step_up_required` (with `methods`), `auth.password_wrong`, `auth.code_wrong`,
 * `auth.passkey_invalid`, `request.rate_limited`, `auth.session_ended`.
 * @see RFC 9470, OWASP Session Management, "Renew the Session ID After Any Privilege Level Change"
 */
export async function stepUp(
  ctx: Ctx,
  caller: Caller,
  { proof, cookie }: { proof: StepUpProof; cookie: string | undefined },
  origin: RequestOrigin,
): Promise<SteppedUp> {
  const { user, session, amr, refreshToken } = await raiseBy(ctx, caller, { proof, cookie }, origin);
  const authenticatedAt = ctx.clock.now();
  const { id, expiresAt } = session;
  const ttlSeconds = Math.ceil((expiresAt.getTime() - authenticatedAt.getTime()) / 1000);
  return {
    tokens: await issueTokens(ctx, user, { id, expiresAt, refreshToken, amr, authenticatedAt }),
    amr,
    cookie: session.cookie === undefined ? undefined : { value: session.cookie, ttlSeconds },
  };
}

async function raiseBy(
  ctx: Ctx,
  caller: Caller,
  { proof, cookie }: { proof: StepUpProof; cookie: string | undefined },
  origin: RequestOrigin,
): Promise<Raised> {
  const { userId, sessionId } = caller;
  const prepared = await prepare(ctx, caller, proof, origin);
  const result = await ctx.db.asServiceFor(caller, async (tx): Promise<Raised | FactorRefusal> => {
    const user = await lockAccount(tx, userId);
    const before = user && (await findSession(ctx, tx, { id: sessionId }));
    if (!user || !before) throw new AppError('auth.session_ended');
    const proven = await prove(ctx, tx, { user, prepared }, origin);
    if ('refusal' in proven) return proven;
    const byCookie = cookie === undefined ? undefined : await findSession(ctx, tx, { cookie });
    const known = before.amr as AuthenticationMethod[];
    const isSecond = !('hash' in prepared);
    const amr = isSecond ? [...new Set([...known, ...proven.amr, 'mfa' as const])] : proven.amr;
    const which = { userId, sessionId, amr, renewsCookie: byCookie?.id === sessionId };
    const session = await raiseSession(ctx, tx, which, origin);
    if (!session) throw new AppError('auth.session_ended');
    const refreshToken = await addRefreshToken(ctx, tx, { ...session, userId });
    return { user, session, amr, refreshToken };
  });
  if ('refusal' in result) throw toRefusal(result);
  return result;
}

async function prepare(
  ctx: Ctx,
  caller: Caller,
  proof: StepUpProof,
  origin: RequestOrigin,
): Promise<Prepared> {
  const factors = await ctx.db.asServiceFor(caller, (tx) => readFactors(tx, caller.userId));
  const methods = stepUpMethodsOf(factors);
  const isEnough = 'password' in proof ? methods.includes('password') : factors.methods.length > 0;
  if (!isEnough) {
    throw new AppError('auth.step_up_required', {
      extensions: { methods, maxAgeSeconds: ctx.config.stepUpSeconds },
    });
  }
  if (!('password' in proof)) return prepareProof(ctx, caller.userId, proof, origin);
  const { hash } = await checkOwnPassword(ctx, caller, proof.password, origin);
  return { hash: hash ?? '' };
}

async function prove(
  ctx: Ctx,
  tx: Tx,
  { user, prepared }: { user: User; prepared: Prepared },
  origin: RequestOrigin,
): Promise<{ amr: AuthenticationMethod[] } | FactorRefusal> {
  if (!('hash' in prepared)) return proveFactor(ctx, tx, { user, prepared }, origin);
  const [unchanged] = await tx
    .select({ userId: passwords.userId })
    .from(passwords)
    .where(and(eq(passwords.userId, user.id), eq(passwords.hash, prepared.hash)));
  if (!unchanged) throw new AppError('auth.password_wrong');
  // A second factor that was set up meanwhile is not passed by.
  const { methods } = await readFactors(tx, user.id);
  if (methods.length > 0) throw new AppError('auth.step_up_required', { extensions: { methods } });
  return { amr: ['pwd'] };
}
