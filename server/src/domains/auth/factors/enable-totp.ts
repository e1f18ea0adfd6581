import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { isKnownPlace } from '../is-known-place.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { twoFactorAuth } from '../tables.ts';
import { announceChange } from './announce-change.ts';
import { forgetAttempts, takeAttempt } from './attempts.ts';
import { replaceBackupCodes } from './backup-codes.ts';
import { endForeignSessions } from './end-foreign-sessions.ts';
import { spendTotpCode, toRefusal, type FactorRefusal } from './prove-factor.ts';
import { readAccount } from './read-account.ts';
import { strengthenSession } from './strengthen-session.ts';

/**
 * Switches codes from an app on, once it has shown one for the secret of `setUpTotp`. From now on signing in
 * takes a second factor. Returns ten backup codes; those before are void. Throws `auth.step_up_required`,
 * `auth.factor_missing` (nothing was set up), `auth.factor_active`, `auth.code_wrong`,
 * `request.rate_limited`.
 */
export async function enableTotp(
  ctx: Ctx,
  caller: Caller,
  code: string,
  origin: RequestOrigin,
): Promise<string[]> {
  const { userId } = caller;
  const { email } = await readAccount(ctx, caller);
  const isKnown = await isKnownPlace(ctx, email, origin);
  const result = await ctx.db.asServiceFor(caller, async (tx): Promise<FactorRefusal | string[]> => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    await assertRecentSignIn(ctx, caller, tx);
    const [app] = await tx.select().from(twoFactorAuth).where(eq(twoFactorAuth.userId, userId));
    if (!app) throw new AppError('auth.factor_missing');
    if (app.enabledAt) throw new AppError('auth.factor_active');
    const retryAfter = await takeAttempt(ctx, tx, { userId, email, isKnownAddress: isKnown }, origin);
    if (retryAfter !== undefined) return { refusal: 'request.rate_limited', retryAfter };
    const digits = code.replaceAll(/\s/g, '');
    if (!(await spendTotpCode(ctx, tx, userId, digits, { isEnabled: false })))
      return { refusal: 'auth.code_wrong' };
    await forgetAttempts(tx, userId);
    await tx
      .update(twoFactorAuth)
      .set({ enabledAt: ctx.clock.now() })
      .where(eq(twoFactorAuth.userId, userId));
    await endForeignSessions(ctx, tx, userId, origin);
    await strengthenSession(tx, caller, ['otp']);
    const { sessionId } = caller;
    await announceChange(ctx, tx, { user, sessionId, type: 'totp.enabled', notice: 'totp_enabled' }, origin);
    return replaceBackupCodes(ctx, tx, userId);
  });
  if ('refusal' in result) throw toRefusal(result);
  return result;
}
