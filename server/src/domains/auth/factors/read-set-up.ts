import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readUser } from '../../users/index.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { twoFactorAuth } from '../tables.ts';
import { drawQrCode, type QrCode } from './qr-code.ts';
import { otpauthUrlOf, totpSealer } from './totp.ts';

/**
 * What the caller has begun to set up, and not switched on yet, for the page that shows it. Undefined when
 * there is nothing. Throws `auth.step_up_required`.
 */
export async function readSetUp(
  ctx: Ctx,
  caller: Caller,
): Promise<{ secret: string; qrCode: QrCode } | undefined> {
  const { userId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const [app] = await tx
      .select({ sealedSecret: twoFactorAuth.sealedSecret })
      .from(twoFactorAuth)
      .where(and(eq(twoFactorAuth.userId, userId), isNull(twoFactorAuth.enabledAt)));
    if (!app) return undefined;
    const secret = totpSealer(ctx).open(app.sealedSecret, userId);
    const { email } = await readUser(tx, userId);
    return { secret, qrCode: drawQrCode(otpauthUrlOf(ctx, email, secret)) };
  });
}
