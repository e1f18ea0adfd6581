import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { moveCredits, type Asker } from './move-credits.ts';
import type { MovementAnswer, refundBodySchema } from './schemas.ts';

/**
 * Gives a spend or the capture of a hold back, whole or in parts, to the very lots that it was taken from;
 * what had been taken last returns first. A lot that has expired meanwhile lets it expire at once. For
 * administrators, and for the application that charged. Throws `auth.session_ended`,
 * `auth.application_invalid`, `auth.admin_required`, `request.not_found`, `idempotency.mismatch`,
 * `credits.wallet_inactive` (closed), `credits.refund_exceeds`.
 */
export async function refundCredits(
  ctx: Ctx,
  asker: Asker,
  { transactionId, reason, ...refund }: Static<typeof refundBodySchema>,
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  return moveCredits(ctx, 'refund_credits', asker, {
    ...refund,
    targetId: transactionId,
    description: reason,
  });
}
