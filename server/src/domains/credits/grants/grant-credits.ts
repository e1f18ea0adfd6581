import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { moveCredits, type Asker } from './move-credits.ts';
import type { grantBodySchema, MovementAnswer } from './schemas.ts';
import { walletOf } from './wallet-of.ts';

/**
 * Gives credits to a wallet on an administrator's word, as a lot of its own. A debt of the wallet is repaid
 * first. Throws `request.invalid`, `auth.session_ended`, `auth.admin_required`, `request.not_found`,
 * `idempotency.mismatch`, `credits.wallet_inactive` (closed), `credits.expires_in_past`,
 * `credits.too_many`.
 */
export async function grantCredits(
  ctx: Ctx,
  asker: Asker,
  { userId, walletId, expiresAt, ...grant }: Static<typeof grantBodySchema>,
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  return moveCredits(ctx, 'grant_credits', asker, {
    ...grant,
    walletId: walletOf({ ...(userId ? { userId } : {}), ...(walletId ? { walletId } : {}) }),
    ...(expiresAt === undefined ? {} : { expiresAt: readInstant(expiresAt, '/body/expiresAt') }),
  });
}
