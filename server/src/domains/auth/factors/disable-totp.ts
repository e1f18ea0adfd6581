import { and, eq, isNotNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { twoFactorAuth } from '../tables.ts';
import { announceChange } from './announce-change.ts';
import { checkOwnPassword } from './check-own-password.ts';
import { endFactorsIfNone } from './end-factors.ts';
import { prepareProof } from './prepare-proof.ts';
import { proveFactor, toRefusal } from './prove-factor.ts';

/**
 * Switches codes from an app off, for who shows both factors in the same request. Without another second
 * factor, backup codes and remembered devices go, too. Throws `auth.password_wrong`, `auth.factor_missing`,
 * `auth.code_wrong`, `request.rate_limited`.
 */
export async function disableTotp(
  ctx: Ctx,
  caller: Caller,
  { password, code }: { password: string; code: string },
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  await checkOwnPassword(ctx, caller, password, origin);
  const prepared = await prepareProof(ctx, userId, { code }, origin);
  const result = await ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    const enabled = and(eq(twoFactorAuth.userId, userId), isNotNull(twoFactorAuth.enabledAt));
    const [app] = await tx.select({ userId: twoFactorAuth.userId }).from(twoFactorAuth).where(enabled);
    if (!app) throw new AppError('auth.factor_missing');
    const proven = await proveFactor(ctx, tx, { user, prepared }, origin);
    if ('refusal' in proven) return proven;
    await tx.delete(twoFactorAuth).where(enabled);
    await endFactorsIfNone(tx, userId);
    const change = { user, sessionId, type: 'totp.disabled', notice: 'totp_disabled' } as const;
    await announceChange(ctx, tx, change, origin);
    return undefined;
  });
  if (result) throw toRefusal(result);
}
