import {
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { passkeys } from '../factor-tables.ts';
import { findPendingSignIn } from '../sign-in/pending-sign-in.ts';
import { challengeTtlSeconds, newChallenge } from './challenge.ts';
import { relyingPartyOf } from './relying-party.ts';

/** Whom a challenge is for that anybody's passkey may answer. */
export const anybody = 'anybody';

/**
 * What `navigator.credentials.get` needs to sign in without a password: any passkey of this service answers,
 * and the authenticator asks for a PIN or a fingerprint. @see WebAuthn Level 3 §7.2
 */
export function beginPasswordless(ctx: Ctx): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: relyingPartyOf(ctx.config).id,
    challenge: newChallenge(ctx, anybody),
    timeout: challengeTtlSeconds * 1000,
    userVerification: 'required',
  });
}

/** The same for a passkey of one person, as a second factor or to show that it is still them. */
export async function beginSecondFactor(
  ctx: Ctx,
  userId: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const own = await ctx.db.asService((tx) => tx.select().from(passkeys).where(eq(passkeys.userId, userId)));
  return generateAuthenticationOptions({
    rpID: relyingPartyOf(ctx.config).id,
    challenge: newChallenge(ctx, userId),
    timeout: challengeTtlSeconds * 1000,
    userVerification: 'preferred',
    allowCredentials: own.map(({ credentialId }) => ({ id: credentialId.toString('base64url') })),
  });
}

/** The same for a sign-in that waits for its second factor. Throws `auth.challenge_invalid`. */
export async function beginAuthentication(
  ctx: Ctx,
  challengeToken: string | undefined,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  if (challengeToken === undefined) return beginPasswordless(ctx);
  const waiting = await ctx.db.asService((tx) => findPendingSignIn(ctx, tx, challengeToken));
  if (!waiting) throw new AppError('auth.challenge_invalid');
  return beginSecondFactor(ctx, waiting.userId);
}
