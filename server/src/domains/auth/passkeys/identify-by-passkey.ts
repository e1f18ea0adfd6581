import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import type { IdentifiedPerson } from '../sign-in/sign-in-person.ts';
import { anybody } from './begin-authentication.ts';
import { usePasskey } from './use-passkey.ts';
import { verifyAssertion, type AssertionResponse } from './verify-assertion.ts';

/**
 * Who somebody is by their passkey alone, whose authenticator asked for a PIN or a fingerprint: two factors
 * at once. Opens nothing: `signInPerson` does. Throws `auth.passkey_invalid`; a refusal of a passkey that we
 * know stands in the trail.
 */
export async function identifyByPasskey(
  ctx: Ctx,
  response: AssertionResponse,
  origin: RequestOrigin,
): Promise<IdentifiedPerson> {
  const assertion = await verifyAssertion(ctx, response, { subject: anybody, mustVerifyUser: true });
  if (!assertion) throw new AppError('auth.passkey_invalid');
  const { userId } = assertion;
  const amr = await ctx.db.asService(async (tx) => {
    const used = await usePasskey(ctx, tx, assertion, origin);
    const details = { reason: 'auth.passkey_invalid' };
    if (!used) await recordSecurityEvent(ctx, tx, { type: 'factor.refused', userId, details }, origin);
    return used;
  });
  if (!amr) throw new AppError('auth.passkey_invalid');
  return { userId, amr: [...amr, 'mfa'] };
}
