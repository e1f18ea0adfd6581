import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
} from '@simplewebauthn/server';
import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readUser } from '../../users/index.ts';
import { passkeys } from '../factor-tables.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { challengeTtlSeconds, newChallenge } from './challenge.ts';
import { relyingPartyOf } from './relying-party.ts';

/** Whom a challenge is for that registers a passkey: not the one that shows a factor. */
export const registrationSubject = (userId: string) => `register ${userId}`;

/**
 * What `navigator.credentials.create` needs to make a passkey for the caller, on a device that has none of
 * theirs. The challenge lives five minutes. Throws `auth.step_up_required`.
 * @see WebAuthn Level 3 §7.1
 */
export async function beginRegistration(
  ctx: Ctx,
  caller: Caller,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { userId } = caller;
  const { user, existing } = await ctx.db.asServiceFor(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const rows = await tx.select().from(passkeys).where(eq(passkeys.userId, userId));
    return { user: await readUser(tx, userId), existing: rows };
  });
  const { id, name } = relyingPartyOf(ctx.config);
  return generateRegistrationOptions({
    rpID: id,
    rpName: name,
    userID: new Uint8Array(Buffer.from(userId)),
    userName: user.email,
    userDisplayName: user.name ?? user.email,
    challenge: newChallenge(ctx, registrationSubject(userId)),
    timeout: challengeTtlSeconds * 1000,
    attestationType: 'none',
    excludeCredentials: existing.map((passkey) => ({ id: passkey.credentialId.toString('base64url') })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}
