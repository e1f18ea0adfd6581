import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { moveCredits, type Asker } from './move-credits.ts';
import type { adjustmentBodySchema, MovementAnswer } from './schemas.ts';
import { walletOf } from './wallet-of.ts';

/**
 * Takes credits away on an administrator's word, in the order of consumption. What the wallet does not
 * have, or holds have set aside, becomes a debt that the next credits to come in repay. Throws
 * `request.invalid`, `auth.session_ended`, `auth.admin_required`, `request.not_found`,
 * `idempotency.mismatch`, `credits.too_many`.
 */
export async function takeCredits(
  ctx: Ctx,
  asker: Asker,
  { amount, description, idempotencyKey, ...wallet }: Static<typeof adjustmentBodySchema>,
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  return moveCredits(ctx, 'take_credits', asker, { amount, description, walletId: walletOf(wallet), ...key });
}
