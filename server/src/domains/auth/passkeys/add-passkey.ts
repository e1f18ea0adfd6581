import { verifyRegistrationResponse, type VerifiedRegistrationResponse } from '@simplewebauthn/server';
import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newId } from '../../../lib/ids.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import type { User } from '../../users/index.ts';
import { passkeys } from '../factor-tables.ts';
import { announceChange } from '../factors/announce-change.ts';
import { replaceBackupCodes } from '../factors/backup-codes.ts';
import { endForeignSessions } from '../factors/end-foreign-sessions.ts';
import { readFactors } from '../factors/read-factors.ts';
import { strengthenSession } from '../factors/strengthen-session.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { registrationSubject } from './begin-registration.ts';
import { isLivingChallenge, spendChallenge } from './challenge.ts';
import { toPasskeyView } from './list-passkeys.ts';
import { relyingPartyOf } from './relying-party.ts';
import type { PasskeyView, registrationResponseSchema } from './schemas.ts';

export type RegistrationResponse = Static<typeof registrationResponseSchema>;
export type NewPasskey = { name: string; response: RegistrationResponse };

/** The passkey, and where it is the first second factor also the backup codes, shown this once. */
export type AddedPasskey = { passkey: PasskeyView; backupCodes?: string[] };

const passkeysMax = 20;

/**
 * Registers a passkey that the caller's authenticator has just made. From now on it signs them in by itself,
 * and signing in with the password takes a second factor. Throws `auth.step_up_required`,
 * `auth.passkey_invalid`, `auth.passkey_exists`. @see WebAuthn Level 3 §7.1
 */
export async function addPasskey(
  ctx: Ctx,
  caller: Caller,
  { name, response }: NewPasskey,
  origin: RequestOrigin,
): Promise<AddedPasskey> {
  const { userId } = caller;
  const { info, challenge } = await verify(ctx, userId, response);
  return ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    await assertRecentSignIn(ctx, caller, tx);
    if (!(await spendChallenge(ctx, tx, challenge))) throw new AppError('auth.passkey_invalid');
    const before = await readFactors(tx, userId);
    if (before.passkeyCount >= passkeysMax) throw new AppError('auth.passkey_exists');
    const passkey = await insertPasskey(ctx, tx, { user, name, response, info });
    await endForeignSessions(ctx, tx, userId, origin);
    await strengthenSession(tx, caller, ['hwk']);
    const details = { passkeyId: passkey.id };
    const change = { user, sessionId: caller.sessionId, type: 'passkey.added', details } as const;
    await announceChange(ctx, tx, { ...change, notice: 'passkey_added' }, origin);
    if (before.methods.length > 0) return { passkey };
    return { passkey, backupCodes: await replaceBackupCodes(ctx, tx, userId) };
  });
}

type RegistrationInfo = NonNullable<VerifiedRegistrationResponse['registrationInfo']>;

async function verify(
  ctx: Ctx,
  userId: string,
  { id, rawId, response }: RegistrationResponse,
): Promise<{ info: RegistrationInfo; challenge: string }> {
  const party = relyingPartyOf(ctx.config);
  const { clientDataJSON, attestationObject } = response;
  let challenge = '';
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: {
        id,
        rawId,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject },
      },
      expectedChallenge: (given) => {
        challenge = given;
        return isLivingChallenge(ctx, registrationSubject(userId), given);
      },
      expectedOrigin: party.origins,
      expectedRPID: party.id,
      requireUserVerification: true,
    });
    if (registrationInfo) return { info: registrationInfo, challenge };
  } catch (error) {
    throw new AppError('auth.passkey_invalid', { cause: error });
  }
  throw new AppError('auth.passkey_invalid');
}

async function insertPasskey(
  ctx: Ctx,
  tx: Tx,
  { user, name, response, info }: NewPasskey & { user: User; info: RegistrationInfo },
): Promise<PasskeyView> {
  const [row] = await tx
    .insert(passkeys)
    .values({
      id: newId(ctx),
      userId: user.id,
      credentialId: Buffer.from(info.credential.id, 'base64url'),
      publicKey: Buffer.from(info.credential.publicKey),
      signCount: info.credential.counter,
      transports: response.response.transports ?? [],
      isBackedUp: info.credentialBackedUp,
      isUserVerified: info.userVerified,
      name,
      createdAt: ctx.clock.now(),
    })
    .onConflictDoNothing()
    .returning();
  if (!row) throw new AppError('auth.passkey_exists');
  return toPasskeyView(row);
}
