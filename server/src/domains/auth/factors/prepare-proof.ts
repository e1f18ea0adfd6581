import type { Ctx } from '../../../ctx.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { readUser } from '../../users/index.ts';
import { isKnownPlace } from '../is-known-place.ts';
import { verifyAssertion } from '../passkeys/verify-assertion.ts';
import type { FactorProof, PreparedProof } from './prove-factor.ts';

/**
 * Does what a proof needs before the transaction that spends it: verifies what a passkey signed for this
 * person, or finds out whether a code comes from an address that is known to be theirs.
 */
export async function prepareProof(
  ctx: Ctx,
  userId: string,
  proof: FactorProof,
  origin: RequestOrigin,
): Promise<PreparedProof> {
  if ('code' in proof) {
    const { email } = await ctx.db.asService((tx) => readUser(tx, userId));
    return { code: proof.code, isKnownAddress: await isKnownPlace(ctx, email, origin) };
  }
  const assertion = await verifyAssertion(ctx, proof.passkey, { subject: userId, mustVerifyUser: false });
  return { assertion: assertion?.userId === userId ? assertion : undefined };
}
