import type { Ctx } from '../../../ctx.ts';
import { spenderColumns, type Spender } from '../holds/transact-credits.ts';
import { bindingLimit } from './binding-limit.ts';
import type { EffectiveBalance, LimitView } from './schemas.ts';
import { walletOfMandate } from './wallet-of-mandate.ts';

/**
 * What an app may really spend under a mandate with one spend right now: the minimum of what the wallet has,
 * of what is left of the allowance, and of the most per spend. For the person who gave the mandate, and the
 * app that has it. Throws `auth.session_ended`, `auth.application_invalid`, `request.not_found`.
 */
export async function readEffectiveBalance(
  ctx: Ctx,
  spender: Spender,
  mandateId: string,
): Promise<EffectiveBalance> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const asked = JSON.stringify(spenderColumns(spender));
  const [row] = await ctx.turns.take(await walletOfMandate(ctx, spender, mandateId), () =>
    ctx.db.call<{ seen: { mandateId: string; limits: LimitView[] } }>(
      'select credits.effective_balance($1, $2, $3, $4, $5) as seen',
      [asked, mandateId, ctx.clock.now(), creditsDailyFree, creditsDailyCap],
    ),
  );
  if (!row) throw new Error('credits.effective_balance returned no row');
  return { ...row.seen, ...bindingLimit(row.seen.limits) };
}
