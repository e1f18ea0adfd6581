import type { Ctx } from '../../../ctx.ts';
import { transactCredits, type Spender } from '../holds/transact-credits.ts';
import { assertOwnApp, resolveWallet } from '../resolve-wallet.ts';
import type { SpendAnswer } from '../schemas.ts';
import type { Spend } from '../spend-credits.ts';
import { toSpendAnswer } from '../to-spend-answer.ts';

/**
 * Spends a person's credits as an app, or a team's as one of its members, under the mandate that was given
 * for it: wallet and mandate are debited by one call of the database. Throws `request.invalid`,
 * `auth.session_ended`, `auth.application_invalid`, `idempotency.mismatch`, `credits.wallet_inactive`,
 * `mandate.required`, `mandate.exceeded`, `credits.insufficient`, in this precedence. What the mandate
 * refuses is not remembered under the key: once the allowance has been raised, the same request goes through.
 */
export async function spendUnderMandate(
  ctx: Ctx,
  spender: Spender,
  { onBehalfOf, walletId: wanted, ...spend }: Spend,
): Promise<{ answer: SpendAnswer; isReplay: boolean }> {
  assertOwnApp(spender, spend.appId);
  const walletId = resolveWallet(spender, { onBehalfOf, walletId: wanted });
  const outcome = await transactCredits(ctx, spender, { ...spend, operation: 'spend', walletId });
  ctx.metrics.spends.inc({ outcome: outcome.is_replay ? 'replayed' : 'spent' });
  if (!outcome.is_replay) ctx.metrics.creditsSpent.inc(spend.amount);
  return { answer: toSpendAnswer(spend, outcome), isReplay: outcome.is_replay };
}
