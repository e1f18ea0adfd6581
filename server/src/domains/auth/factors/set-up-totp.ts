import { isNull } from 'drizzle-orm';
import { toDataURL } from 'qrcode';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readUser } from '../../users/index.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { twoFactorAuth } from '../tables.ts';
import { newTotpSecret, otpauthUrlOf, totpSealer } from './totp.ts';

/** What an app needs to make codes; shown this once. `qrCode` is a PNG as a data URL. */
export type TotpSetUp = { secret: string; otpauthUrl: string; qrCode: string };

/**
 * Makes a secret for an app of the caller. It counts for nothing until `enableTotp` has seen a code of it; a
 * secret that was never confirmed is replaced. Throws `auth.step_up_required`, `auth.factor_active`.
 */
export async function setUpTotp(ctx: Ctx, caller: Caller): Promise<TotpSetUp> {
  const { userId } = caller;
  const secret = newTotpSecret(ctx);
  const { email } = await ctx.db.asServiceFor(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const sealedSecret = totpSealer(ctx).seal(secret, userId);
    const createdAt = ctx.clock.now();
    const rows = await tx
      .insert(twoFactorAuth)
      .values({ userId, sealedSecret, createdAt })
      .onConflictDoUpdate({
        target: twoFactorAuth.userId,
        set: { sealedSecret, createdAt, lastStep: null },
        setWhere: isNull(twoFactorAuth.enabledAt),
      })
      .returning({ userId: twoFactorAuth.userId });
    if (rows.length === 0) throw new AppError('auth.factor_active');
    return readUser(tx, userId);
  });
  const otpauthUrl = otpauthUrlOf(ctx, email, secret);
  return { secret, otpauthUrl, qrCode: await toDataURL(otpauthUrl, { margin: 4, scale: 6 }) };
}
