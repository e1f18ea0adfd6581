import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { spenderColumns, type Spender } from '../holds/transact-credits.ts';
import { judgeStranger } from '../judge-stranger.ts';
import { assertOwnApp, resolveWallet } from '../resolve-wallet.ts';
import { bindingLimit } from './binding-limit.ts';
import { findPassingTime, type Prospect } from './find-passing-time.ts';
import type { LimitView, MandateView, Quote, QuoteRequest } from './schemas.ts';

type Refusal = NonNullable<Quote['blockedBy']>;
type Seen = {
  refusal: Refusal | null;
  lots: Quote['lots'];
  limits: LimitView[];
  mandate: MandateView | null;
  prospect: Prospect | null;
};

/**
 * What a spend would come to, without spending: decided by the function that decides spends, so it passes
 * exactly when the spend would, by the same lots; and when it would pass, if not now. Throws
 * `request.invalid`, `auth.session_ended`, `auth.application_invalid`, `request.not_found`,
 * `mandate.required` (none was ever given).
 */
export async function quoteSpend(ctx: Ctx, spender: Spender, asked: QuoteRequest): Promise<Quote> {
  assertOwnApp(spender, asked.appId);
  const walletId = resolveWallet(spender, asked);
  const refused = await judgeStranger(ctx, spender, walletId);
  if (refused !== null) throw new AppError(refused);
  const { creditsDailyFree: dailyFree, creditsDailyCap: dailyCap } = ctx.config;
  const now = ctx.clock.now();
  const request = {
    ...spenderColumns(spender),
    operation: 'spend',
    wallet_id: walletId,
    app_id: asked.appId,
    amount: asked.amount,
  };
  const [row] = await ctx.turns.take(walletId, () =>
    ctx.db.call<{ seen: Seen }>('select credits.quote($1, $2, $3, $4) as seen', [
      JSON.stringify(request),
      now,
      dailyFree,
      dailyCap,
    ]),
  );
  if (!row) throw new Error('credits.quote returned no row');
  const { refusal, lots, limits, mandate, prospect } = row.seen;
  const mayPassLater = refusal?.code === 'credits.insufficient' || refusal?.code === 'mandate.exceeded';
  const question = { amount: asked.amount, now: now.getTime(), dailyFree, dailyCap, mandate };
  const passesAt = mayPassLater && prospect ? findPassingTime(prospect, question) : undefined;
  return {
    passes: refusal === null,
    blockedBy: refusal,
    passesAt: passesAt ?? null,
    lots,
    ...bindingLimit(limits),
    limits,
  };
}
