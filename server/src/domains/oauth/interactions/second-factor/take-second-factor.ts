import type { Ctx } from '../../../../ctx.ts';
import type { RequestOrigin } from '../../../audit/index.ts';
import {
  assertionSchema,
  finishInBrowser,
  readPasskeyField,
  type BrowserSignIn,
  type FactorProof,
} from '../../../auth/index.ts';
import type { SecondFactorForm } from '../schemas.ts';

/** What the browser keeps: the sign-in that waits, and the cookie of whoever was signed in before. */
export type WaitingPlace = { challengeToken: string; cookie: string | undefined };

/** Takes the form of the second step. Throws what `finishSignIn` does. */
export async function takeSecondFactor(
  ctx: Ctx,
  form: SecondFactorForm,
  { challengeToken, cookie }: WaitingPlace,
  origin: RequestOrigin,
): Promise<BrowserSignIn> {
  const step = {
    challengeToken,
    proof: readFactorProof(form),
    remembersDevice: form.rememberDevice === 'on',
    place: { cookie },
  };
  return finishInBrowser(ctx, step, origin);
}

/** What was shown: a code, or what a passkey answered. Throws `auth.passkey_invalid`. */
export function readFactorProof({ code = '', passkey = '' }: SecondFactorForm): FactorProof {
  return passkey === '' ? { code } : { passkey: readPasskeyField(assertionSchema, passkey) };
}
