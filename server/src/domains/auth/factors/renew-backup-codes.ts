import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { announceChange } from './announce-change.ts';
import { replaceBackupCodes } from './backup-codes.ts';
import { readFactors } from './read-factors.ts';

/**
 * Gives the caller ten new backup codes; those before are void. Throws `auth.step_up_required`,
 * `auth.factor_missing`.
 */
export async function renewBackupCodes(ctx: Ctx, caller: Caller, origin: RequestOrigin): Promise<string[]> {
  const { userId, sessionId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    await assertRecentSignIn(ctx, caller, tx);
    const { methods } = await readFactors(tx, userId);
    if (methods.length === 0) throw new AppError('auth.factor_missing');
    const codes = await replaceBackupCodes(ctx, tx, userId);
    const type = 'backup_codes.replaced';
    await announceChange(ctx, tx, { user, sessionId, type, notice: 'backup_codes_replaced' }, origin);
    return codes;
  });
}
