import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { moveCredits } from '../grants/move-credits.ts';
import type { MovementAnswer } from '../grants/schemas.ts';
import type { Spender } from '../holds/transact-credits.ts';
import { judgeStranger } from '../judge-stranger.ts';

/**
 * Moves credits from the caller's own wallet into that of a team they are in, in the order of consumption.
 * They keep source, kind, priority and expiry. Who has left the team meanwhile gets the first answer to a
 * repeated key, in the turn of their own wallet alone. Throws `auth.session_ended`, `request.not_found`,
 * `idempotency.mismatch`, `credits.wallet_inactive`, `credits.in_debt`, `credits.insufficient`,
 * `credits.too_many`.
 */
export async function transferCredits(
  ctx: Ctx,
  asker: Spender & { ipAddress?: string },
  teamId: string,
  {
    description = 'Transfer to a team',
    ...transfer
  }: { amount: number; description?: string; idempotencyKey?: string },
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  const refused = await judgeStranger(ctx, asker, teamId);
  const movement = { ...transfer, description, walletId: teamId };
  if (refused === null) return moveCredits(ctx, 'transfer_credits', asker, movement);
  if (transfer.idempotencyKey === undefined || !('userId' in asker)) throw new AppError(refused);
  return moveCredits(ctx, 'transfer_credits', asker, movement, [asker.userId, asker.userId]);
}
