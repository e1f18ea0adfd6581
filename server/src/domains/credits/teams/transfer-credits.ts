import type { Ctx } from '../../../ctx.ts';
import { moveCredits, type Asker } from '../grants/move-credits.ts';
import type { MovementAnswer } from '../grants/schemas.ts';

/**
 * Moves credits from the caller's own wallet into that of a team they are in, in the order of consumption.
 * They keep source, kind, priority and expiry. Throws `auth.session_ended`, `request.not_found`,
 * `idempotency.mismatch`, `credits.wallet_inactive`, `credits.in_debt`, `credits.insufficient`,
 * `credits.too_many`.
 */
export async function transferCredits(
  ctx: Ctx,
  asker: Asker,
  teamId: string,
  {
    description = 'Transfer to a team',
    ...transfer
  }: { amount: number; description?: string; idempotencyKey?: string },
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  return moveCredits(ctx, 'transfer_credits', asker, { ...transfer, description, walletId: teamId });
}
