import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import type { ApplicationCaller } from '../../../db/index.ts';
import { moveCredits, type Asker } from './move-credits.ts';
import type { MovementAnswer, RefundAnswer, refundBodySchema } from './schemas.ts';

/** An application says under which name it has its mandates. */
type RefundAsker =
  Exclude<Asker, ApplicationCaller> | (Extract<Asker, ApplicationCaller> & { clientId: string });

/**
 * Gives a spend or the capture of a hold back, whole or in parts, to the very lots that it was taken from;
 * what had been taken last returns first. A lot that has expired meanwhile lets it expire at once. For
 * administrators, and for the application that charged, which is told nothing of the wallet without a mandate
 * in force. Throws `auth.session_ended`, `auth.application_invalid`, `auth.admin_required`,
 * `request.not_found`, `idempotency.mismatch`, `credits.wallet_inactive` (closed),
 * `credits.refund_exceeds`.
 */
export async function refundCredits(
  ctx: Ctx,
  asker: RefundAsker,
  { transactionId, reason, ...refund }: Static<typeof refundBodySchema>,
): Promise<{ answer: RefundAnswer; isReplay: boolean }> {
  const { answer, isReplay, isTold } = await moveCredits(ctx, 'refund_credits', asker, {
    ...refund,
    targetId: transactionId,
    description: reason,
  });
  return { answer: isTold ? answer : withoutBalances(answer), isReplay };
}

function withoutBalances({ success, transaction }: MovementAnswer): RefundAnswer {
  const { balanceBefore: _before, balanceAfter: _after, ...rest } = transaction;
  return { success, transaction: rest };
}
