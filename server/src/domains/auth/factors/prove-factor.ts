import { and, eq, isNotNull, isNull, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import type { User } from '../../users/index.ts';
import { usePasskey } from '../passkeys/use-passkey.ts';
import type { AssertionResponse, VerifiedAssertion } from '../passkeys/verify-assertion.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import type { AuthenticationMethod } from '../sign-in/acr-of.ts';
import { twoFactorAuth } from '../tables.ts';
import { forgetAttempts, takeAttempt } from './attempts.ts';
import { spendBackupCode } from './backup-codes.ts';
import { stepOfCode, totpSealer } from './totp.ts';

/** What somebody shows: a code of their app, a backup code, or what their passkey signed. */
export type FactorProof = { code: string } | { passkey: AssertionResponse };

/** The same, with everything done that needs no transaction; see `prepareProof`. */
export type PreparedProof =
  { code: string; isKnownAddress: boolean } | { assertion: VerifiedAssertion | undefined };

/** Why a proof did not count, to be thrown once what was written of it is committed. */
export type FactorRefusal = {
  refusal: 'auth.challenge_invalid' | 'auth.code_wrong' | 'auth.passkey_invalid' | 'request.rate_limited';
  retryAfter?: number;
};

/** A refusal that was committed, as what is thrown. */
export function toRefusal({ refusal, retryAfter }: FactorRefusal): AppError {
  if (retryAfter === undefined) return new AppError(refusal);
  return new AppError(refusal, { headers: { 'retry-after': String(retryAfter) } });
}

/**
 * Takes a second factor of a person and spends it: the step of a code, the backup code, or the challenge of
 * the passkey. Codes are counted, see `takeAttempt`; a refusal stands in the trail. `tx` is the service's,
 * and is to be committed either way.
 */
export async function proveFactor(
  ctx: Ctx,
  tx: Tx,
  { user, prepared }: { user: User; prepared: PreparedProof },
  origin: RequestOrigin,
): Promise<{ amr: AuthenticationMethod[] } | FactorRefusal> {
  const { id: userId, email } = user;
  if (!('code' in prepared)) {
    const amr = prepared.assertion && (await usePasskey(ctx, tx, prepared.assertion, origin));
    if (amr) return { amr };
    return refuse(ctx, tx, { userId, refusal: 'auth.passkey_invalid' }, origin);
  }
  const { code, isKnownAddress } = prepared;
  const retryAfter = await takeAttempt(ctx, tx, { userId, email, isKnownAddress }, origin);
  if (retryAfter !== undefined) return { refusal: 'request.rate_limited', retryAfter };
  const amr = await spendCode(ctx, tx, userId, code, origin);
  if (!amr) return refuse(ctx, tx, { userId, refusal: 'auth.code_wrong' }, origin);
  await forgetAttempts(tx, userId);
  return { amr };
}

async function refuse(
  ctx: Ctx,
  tx: Tx,
  { userId, refusal }: { userId: string; refusal: 'auth.code_wrong' | 'auth.passkey_invalid' },
  origin: RequestOrigin,
): Promise<FactorRefusal> {
  const details = { reason: refusal };
  await recordSecurityEvent(ctx, tx, { type: 'factor.refused', userId, details }, origin);
  return { refusal };
}

async function spendCode(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  code: string,
  origin: RequestOrigin,
): Promise<AuthenticationMethod[] | undefined> {
  const digits = code.replaceAll(/\s/g, '');
  if (/^\d{6}$/.test(digits)) return (await spendTotpCode(ctx, tx, userId, digits)) ? ['otp'] : undefined;
  if (!(await spendBackupCode(ctx, tx, userId, code))) return undefined;
  await recordSecurityEvent(ctx, tx, { type: 'backup_code.used', userId }, origin);
  return ['recovery'];
}

/**
 * Whether the code is right for the app of this person, whose secret is in use unless `isSetUp` says that it
 * is only about to be. Its step counts once: whoever comes second finds it taken, in the same statement.
 * @see RFC 6238 §5.2
 */
export async function spendTotpCode(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  code: string,
  { isEnabled = true } = {},
): Promise<boolean> {
  const state = isEnabled ? isNotNull(twoFactorAuth.enabledAt) : isNull(twoFactorAuth.enabledAt);
  const [app] = await tx
    .select({ sealedSecret: twoFactorAuth.sealedSecret })
    .from(twoFactorAuth)
    .where(and(eq(twoFactorAuth.userId, userId), state));
  const step = app && stepOfCode(ctx, totpSealer(ctx).open(app.sealedSecret, userId), code);
  if (step === undefined) return false;
  const rows = await tx
    .update(twoFactorAuth)
    .set({ lastStep: step })
    .where(
      and(
        eq(twoFactorAuth.userId, userId),
        state,
        or(isNull(twoFactorAuth.lastStep), lt(twoFactorAuth.lastStep, step)),
      ),
    )
    .returning({ userId: twoFactorAuth.userId });
  return rows.length > 0;
}
