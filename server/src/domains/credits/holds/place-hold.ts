import type { Ctx } from '../../../ctx.ts';
import { assertOwnApp, resolveWallet } from '../resolve-wallet.ts';
import type { MovedHold, NewHold } from './schemas.ts';
import { toMovedHold } from './to-moved-hold.ts';
import { transactCredits, type Spender } from './transact-credits.ts';

/**
 * Sets credits aside for work whose cost is not known yet: nobody else can spend them until the hold is
 * captured, voided or expires. An app needs a mandate; the hold counts against it at once. Throws
 * `request.invalid`, `auth.session_ended`, `auth.application_invalid`, `request.not_found`,
 * `idempotency.mismatch`, `credits.wallet_inactive`, `hold.too_many`, `mandate.required`, `mandate.exceeded`,
 * `credits.insufficient`, in this precedence.
 */
export async function placeHold(
  ctx: Ctx,
  spender: Spender,
  { onBehalfOf, walletId: wanted, expiresInSeconds, ...hold }: NewHold,
): Promise<{ answer: MovedHold; isReplay: boolean }> {
  assertOwnApp(spender, hold.appId);
  const walletId = resolveWallet(spender, { onBehalfOf, walletId: wanted });
  const outcome = await transactCredits(ctx, spender, {
    ...hold,
    operation: 'hold',
    walletId,
    lastsSeconds: expiresInSeconds,
  });
  return { answer: toMovedHold(outcome), isReplay: outcome.is_replay };
}
