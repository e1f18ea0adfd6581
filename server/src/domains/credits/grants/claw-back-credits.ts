import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { moveCredits, type Asker } from './move-credits.ts';
import type { clawbackBodySchema, MovementAnswer } from './schemas.ts';

/**
 * Takes back what a purchase or grant brought in, whole or in parts. What its lot still has is taken; what
 * expired of it is not owed; what has been spent becomes a debt that the next credits to come in repay. No
 * other lot is touched. For administrators, and for the service itself when a payment is charged back.
 * Throws `auth.session_ended`, `auth.admin_required`, `request.not_found`, `idempotency.mismatch`,
 * `credits.clawback_exceeds`.
 */
export async function clawBackCredits(
  ctx: Ctx,
  asker: Asker,
  { transactionId, reason, ...clawback }: Static<typeof clawbackBodySchema>,
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  return moveCredits(ctx, 'claw_back_credits', asker, {
    ...clawback,
    targetId: transactionId,
    description: reason,
  });
}
