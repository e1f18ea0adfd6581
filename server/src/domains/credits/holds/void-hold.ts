import type { Ctx } from '../../../ctx.ts';
import type { ToldHold } from './schemas.ts';
import { toToldHold } from './to-moved-hold.ts';
import { transactCredits, type Spender } from './transact-credits.ts';

/**
 * Ends an open hold and gives what it has left back: to its lots, and to the allowance of its mandate. Works
 * in a frozen wallet, too. An app whose mandate is over is not told what the wallet has. Throws
 * `auth.session_ended`, `auth.application_invalid`, `request.not_found`, `idempotency.mismatch`,
 * `hold.closed`, in this precedence.
 */
export async function voidHold(
  ctx: Ctx,
  spender: Spender,
  holdId: string,
  keyed: { idempotencyKey?: string },
): Promise<{ answer: ToldHold; isReplay: boolean }> {
  const outcome = await transactCredits(ctx, spender, { ...keyed, operation: 'void', holdId });
  return { answer: toToldHold(outcome), isReplay: outcome.is_replay };
}
