import { verifyAuthenticationResponse, type AuthenticationResponseJSON } from '@simplewebauthn/server';
import { eq } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { passkeys } from '../factor-tables.ts';
import { isLivingChallenge } from './challenge.ts';
import { relyingPartyOf } from './relying-party.ts';
import type { assertionSchema } from './schemas.ts';

/** What a browser sends of an answer by a passkey. @see WebAuthn Level 3 §5.1.8 */
export type AssertionResponse = Static<typeof assertionSchema>;

/** An answer that a passkey of ours has signed. Its challenge and counter are still to be used. */
export type VerifiedAssertion = {
  passkeyId: string;
  userId: string;
  challenge: string;
  signCount: number;
  isUserVerified: boolean;
  isBackedUp: boolean;
};

export type AssertionOptions = { subject: string; mustVerifyUser: boolean };

/**
 * Verifies signature, challenge, origin, RP ID and flags of what a passkey signed. Undefined when anything is
 * wrong, and when nobody has such a passkey; why goes to the log. The counter is judged where the passkey is
 * used. @see WebAuthn Level 3 §7.2
 */
export async function verifyAssertion(
  ctx: Ctx,
  response: AssertionResponse,
  { subject, mustVerifyUser }: AssertionOptions,
): Promise<VerifiedAssertion | undefined> {
  const credentialId = Buffer.from(response.id, 'base64url');
  const [passkey] = await ctx.db.asService((tx) =>
    tx.select().from(passkeys).where(eq(passkeys.credentialId, credentialId)),
  );
  if (!passkey || !belongsTo(passkey.userId, response)) return undefined;
  const { id, origins } = relyingPartyOf(ctx.config);
  let challenge = '';
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: toLibraryResponse(response),
      expectedChallenge: (given) => {
        challenge = given;
        return isLivingChallenge(ctx, subject, given);
      },
      expectedOrigin: origins,
      expectedRPID: id,
      requireUserVerification: mustVerifyUser,
      credential: { id: response.id, publicKey: new Uint8Array(passkey.publicKey), counter: 0 },
    });
    if (!verified) return undefined;
    return {
      passkeyId: passkey.id,
      userId: passkey.userId,
      challenge,
      signCount: authenticationInfo.newCounter,
      isUserVerified: authenticationInfo.userVerified,
      isBackedUp: authenticationInfo.credentialBackedUp,
    };
  } catch (error) {
    ctx.log.info({ err: error }, 'a passkey was not accepted');
    return undefined;
  }
}

function toLibraryResponse({ id, rawId, response }: AssertionResponse): AuthenticationResponseJSON {
  const { userHandle, ...signed } = response;
  const given = userHandle ? { ...signed, userHandle } : signed;
  return { id, rawId, response: given, clientExtensionResults: {}, type: 'public-key' };
}

/** An authenticator that says whose the passkey is must mean its owner. */
function belongsTo(userId: string, { response: { userHandle } }: AssertionResponse): boolean {
  if (userHandle === undefined || userHandle === null || userHandle === '') return true;
  return Buffer.from(userHandle, 'base64url').toString() === userId;
}
