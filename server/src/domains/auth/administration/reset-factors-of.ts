import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { resetFactors } from '../factors/reset-factors.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { lockBoth } from './lock-both.ts';

/**
 * Removes every second factor of somebody who lost them, on an administrator's word, see `resetFactors`;
 * `reason` says how they know who is asking, and stands in the audit trail. Of another administrator only
 * after a recent sign-in, and nobody's own. Throws `auth.admin_required`, `request.not_found`,
 * `users.reset_refused`, `auth.step_up_required`.
 */
export async function resetFactorsOf(
  ctx: Ctx,
  caller: Caller,
  { userId, reason }: { userId: string; reason: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asAdministrator(caller, async (tx) => {
    const person = await lockBoth(tx, caller, userId);
    if (person.id === caller.userId || !person.isActive) throw new AppError('users.reset_refused');
    if (person.role === 'admin') await assertRecentSignIn(ctx, caller, tx);
    await resetFactors(ctx, tx, userId);
    const actor = { type: 'user' as const, id: caller.userId };
    const target = { type: 'user', id: userId };
    await recordAuditEvent(ctx, tx, { action: 'user.factors_reset', actor, target, reason }, origin);
  });
}
