import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { findUserByEmail } from '../../users/index.ts';
import { resetFactors } from './reset-factors.ts';

/**
 * Removes every second factor of a person on an operator's word, see `resetFactors`; `reason` says how they
 * know who is asking, and stands in the audit trail. Throws `users.unknown_email`.
 */
export async function resetFactorsByOperator(
  ctx: Ctx,
  { email, reason }: { email: string; reason: string },
): Promise<{ id: string; email: string }> {
  return ctx.db.asService(async (tx) => {
    const user = await findUserByEmail(tx, email);
    if (!user || !(await resetFactors(ctx, tx, user.id))) throw new AppError('users.unknown_email');
    await recordAuditEvent(ctx, tx, {
      action: 'user.factors_reset',
      actor: { type: 'operator' },
      target: { type: 'user', id: user.id },
      reason,
    });
    return { id: user.id, email: user.email };
  });
}
