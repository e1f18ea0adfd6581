import type { Ctx } from '../../../ctx.ts';
import type { CapturedHold, HoldCapture } from './schemas.ts';
import { toToldHold } from './to-moved-hold.ts';
import { transactCredits, type Spender } from './transact-credits.ts';

/**
 * Spends what the work has cost from an open hold. Unless more captures are to follow, the hold ends and
 * gives the rest back to the very lots that it came from. Above the hold the overrun policy counts: that of
 * the mandate, or of the request. An app whose mandate is over is not told what the wallet has. Throws
 * `request.invalid`, `auth.session_ended`, `auth.application_invalid`, `request.not_found`,
 * `idempotency.mismatch`, `credits.wallet_inactive`, `hold.closed`, `mandate.required`, `hold.exceeded`,
 * `mandate.exceeded`, `credits.insufficient`, in this precedence.
 */
export async function captureHold(
  ctx: Ctx,
  spender: Spender,
  holdId: string,
  { final: isFinal, ...capture }: HoldCapture,
): Promise<{ answer: CapturedHold; isReplay: boolean }> {
  const outcome = await transactCredits(ctx, spender, { ...capture, operation: 'capture', holdId, isFinal });
  if (!outcome.is_replay) ctx.metrics.creditsSpent.inc(capture.amount);
  const transaction = {
    id: outcome.transaction_id,
    amount: outcome.amount,
    createdAt: outcome.created_at.toISOString(),
    sequence: outcome.sequence,
    hash: outcome.hash.toString('hex'),
  };
  const hold = toToldHold(outcome);
  return { answer: { ...hold, transaction }, isReplay: outcome.is_replay };
}
