import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { markEmailVerified, type User } from '../../users/index.ts';
import { prepareProof } from '../factors/prepare-proof.ts';
import { proveFactor, toRefusal, type FactorProof } from '../factors/prove-factor.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { lockAccount } from './lock-account.ts';
import { consumePendingSignIn, findPendingSignIn, tryPendingSignIn } from './pending-sign-in.ts';
import { rememberDevice } from './remembered-devices.ts';
import { enterSession, noteAccount, type SignInPlace, type SignInResult } from './sign-in-person.ts';

/** A second factor for a sign-in that waits for one. */
export type SecondStep = {
  challengeToken: string;
  proof: FactorProof;
  /** Whether this device is not to be asked again for a while. */
  remembersDevice?: boolean;
  place: Pick<SignInPlace, 'cookie'>;
};

type Finished = Extract<SignInResult, { outcome: 'signed_in' }>;

/**
 * Ends a sign-in that `signInPerson` left waiting: with the right second factor a session is opened, once. A
 * wrong one is counted, for the sign-in and for the account, and stands in the trail. When the account at a
 * provider that was the first factor is disconnected meanwhile, nothing waits any more. Throws
 * `auth.challenge_invalid`, `auth.code_wrong`, `auth.passkey_invalid`, `request.rate_limited`.
 */
export async function finishSignIn(
  ctx: Ctx,
  { challengeToken, proof, remembersDevice = false, place }: SecondStep,
  origin: RequestOrigin,
): Promise<Finished> {
  const waiting = await ctx.db.asService((tx) => findPendingSignIn(ctx, tx, challengeToken));
  if (!waiting) throw new AppError('auth.challenge_invalid');
  const { userId } = waiting;
  const prepared = await prepareProof(ctx, userId, proof, origin);
  const result = await ctx.db.asService(async (tx) => {
    const locked = await lockAccount(tx, userId);
    if (!locked) return { refusal: 'auth.challenge_invalid' as const };
    const pending = await tryPendingSignIn(ctx, tx, challengeToken);
    if (!pending) return { refusal: 'auth.challenge_invalid' as const };
    const proven = await proveFactor(ctx, tx, { user: locked, prepared }, origin);
    if ('refusal' in proven) return proven;
    await consumePendingSignIn(ctx, tx, pending.id);
    const isByLink = pending.amr.includes('email');
    const user = isByLink ? await confirmAddress(ctx, tx, locked, origin) : locked;
    const amr = [...new Set([...pending.amr, ...proven.amr, 'mfa' as const])];
    const entry = { user, amr, place: { ...place, device: pending.device } };
    const session = await enterSession(ctx, tx, entry, origin);
    await noteAccount(tx, session, pending);
    const remembered = remembersDevice ? await keepDevice(ctx, tx, userId, origin) : undefined;
    return { outcome: 'signed_in' as const, user, session, ...(remembered ? { remembered } : {}) };
  });
  if ('refusal' in result) throw toRefusal(result);
  return result;
}

/** A link to the address, and then the second factor: whoever shows both has the mailbox and the account. */
async function confirmAddress(ctx: Ctx, tx: Tx, user: User, origin: RequestOrigin): Promise<User> {
  if (!(await markEmailVerified(ctx, tx, user.id))) return user;
  await recordSecurityEvent(ctx, tx, { type: 'email.verified', userId: user.id }, origin);
  return { ...user, emailVerifiedAt: ctx.clock.now() };
}

async function keepDevice(ctx: Ctx, tx: Tx, userId: string, origin: RequestOrigin) {
  await recordSecurityEvent(ctx, tx, { type: 'device.remembered', userId }, origin);
  return rememberDevice(ctx, tx, userId, origin);
}
