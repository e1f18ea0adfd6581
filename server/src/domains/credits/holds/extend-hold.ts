import type { Ctx } from '../../../ctx.ts';
import type { HoldExtension, MovedHold } from './schemas.ts';
import { toMovedHold } from './to-moved-hold.ts';
import { transactCredits, type Spender } from './transact-credits.ts';

/**
 * Lets an open hold live `expiresInSeconds` from now on, if that is longer, and sets `amount` more credits
 * aside, if given; not beyond 30 days after it was placed. Under a mandate, which must be in force. Throws
 * `auth.session_ended`, `auth.application_invalid`, `request.not_found`, `idempotency.mismatch`,
 * `credits.wallet_inactive`, `hold.closed`, `hold.too_long`, `credits.too_many`, `mandate.required`,
 * `mandate.exceeded`, `credits.insufficient`, in this precedence.
 */
export async function extendHold(
  ctx: Ctx,
  spender: Spender,
  holdId: string,
  { expiresInSeconds, ...extension }: HoldExtension,
): Promise<{ answer: MovedHold; isReplay: boolean }> {
  const outcome = await transactCredits(ctx, spender, {
    ...extension,
    operation: 'extend',
    holdId,
    lastsSeconds: expiresInSeconds,
  });
  return { answer: toMovedHold(outcome), isReplay: outcome.is_replay };
}
