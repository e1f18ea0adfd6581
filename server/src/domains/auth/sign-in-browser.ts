import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { verifyPassword } from './log-in.ts';
import type { Credentials } from './schemas.ts';
import { finishSignIn, type SecondStep } from './sign-in/finish-sign-in.ts';
import type { SecondFactorChallenge } from './sign-in/pending-sign-in.ts';
import type { DeviceToken } from './sign-in/remembered-devices.ts';
import {
  signInPerson,
  type IdentifiedPerson,
  type SignInPlace,
  type SignInResult,
} from './sign-in/sign-in-person.ts';

/** Who is signed in, how they showed it, and the cookie that says so. */
export type BrowserSignIn = {
  outcome: 'signed_in';
  userId: string;
  sessionId: string;
  amr: string[];
  cookie: { value: string; ttlSeconds: number };
  /** What the browser keeps when it is to be remembered. */
  remembered?: DeviceToken;
};

export type BrowserSecondFactor = { outcome: 'second_factor'; challenge: SecondFactorChallenge };

/** What a browser brings along: the sign-in cookie, and what it keeps to be remembered. */
export type BrowserPlace = Pick<SignInPlace, 'cookie' | 'deviceToken'>;

/**
 * Signs a person in at this browser with their password. Who is signed in already shows that it is still
 * them: their session is raised. Somebody else gets a session of their own, and the one before ends. Throws
 * `auth.invalid_credentials`, `auth.account_deactivated`, `server.busy`.
 */
export async function signInBrowser(
  ctx: Ctx,
  { credentials, ...place }: BrowserPlace & { credentials: Credentials },
  origin: RequestOrigin,
): Promise<BrowserSignIn | BrowserSecondFactor> {
  const verified = await verifyPassword(ctx, credentials, origin);
  return enterBrowser(ctx, verified, place, origin);
}

/** The same for somebody who has been identified by other means. Throws `auth.invalid_credentials`. */
export async function enterBrowser(
  ctx: Ctx,
  person: IdentifiedPerson,
  place: BrowserPlace,
  origin: RequestOrigin,
): Promise<BrowserSignIn | BrowserSecondFactor> {
  const result = await signInPerson(ctx, person, place, origin);
  if (result.outcome === 'refused') throw new AppError('auth.invalid_credentials');
  return result.outcome === 'second_factor' ? result : toBrowserSignIn(ctx, result);
}

/** Ends the second step of a sign-in at this browser. Throws what `finishSignIn` does. */
export async function finishInBrowser(
  ctx: Ctx,
  step: SecondStep,
  origin: RequestOrigin,
): Promise<BrowserSignIn> {
  return toBrowserSignIn(ctx, await finishSignIn(ctx, step, origin));
}

function toBrowserSignIn(
  ctx: Ctx,
  { user, session, remembered }: Extract<SignInResult, { outcome: 'signed_in' }>,
): BrowserSignIn {
  return {
    outcome: 'signed_in',
    userId: user.id,
    sessionId: session.id,
    amr: session.amr,
    cookie: { value: session.cookie, ttlSeconds: ctx.config.refreshTokenTtlSeconds },
    ...(remembered ? { remembered } : {}),
  };
}
