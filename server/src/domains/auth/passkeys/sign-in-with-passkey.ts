import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { answerSignIn, type SecondFactorNeeded, type SignIn } from '../log-in.ts';
import { finishSignIn } from '../sign-in/finish-sign-in.ts';
import { signInPerson } from '../sign-in/sign-in-person.ts';
import { identifyByPasskey } from './identify-by-passkey.ts';
import type { AssertionResponse } from './verify-assertion.ts';

/** What a passkey signed: by itself, or for a sign-in that waits for its second factor. */
export type PasskeySignIn = {
  response: AssertionResponse;
  challengeToken?: string | undefined;
  rememberDevice?: boolean | undefined;
};

/**
 * Signs a person in with a passkey: without a password, or as the second factor of the sign-in that
 * `challengeToken` names. Throws `auth.passkey_invalid`, `auth.challenge_invalid`,
 * `auth.account_deactivated`.
 */
export async function signInWithPasskey(
  ctx: Ctx,
  { response, challengeToken, rememberDevice = false }: PasskeySignIn,
  origin: RequestOrigin,
): Promise<SignIn | SecondFactorNeeded> {
  if (challengeToken !== undefined) {
    const step = { challengeToken, proof: { passkey: response }, remembersDevice: rememberDevice, place: {} };
    return answerSignIn(ctx, await finishSignIn(ctx, step, origin));
  }
  const result = await signInPerson(ctx, await identifyByPasskey(ctx, response, origin), {}, origin);
  if (result.outcome === 'refused') throw new AppError('auth.account_deactivated');
  return answerSignIn(ctx, result);
}
