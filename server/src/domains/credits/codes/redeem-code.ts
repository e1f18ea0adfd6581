import type { Ctx } from '../../../ctx.ts';
import { moveCredits, type Asker } from '../grants/move-credits.ts';
import type { MovementAnswer } from '../grants/schemas.ts';
import { hashCodeText } from './code-text.ts';

/**
 * Redeems a code into the caller's own wallet. Of many who redeem at once exactly as many succeed as are
 * left. Throws `auth.session_ended`, `idempotency.mismatch`, `credits.wallet_inactive`,
 * `credits.code_invalid` (unknown, expired, used up and withdrawn are one answer), `credits.code_redeemed`,
 * `credits.too_many`, in this precedence.
 */
export async function redeemCode(
  ctx: Ctx,
  asker: Asker,
  { code, idempotencyKey }: { code: string; idempotencyKey?: string },
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  return moveCredits(ctx, 'redeem_code', asker, { codeHash: hashCodeText(code), ...key });
}
