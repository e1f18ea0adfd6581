import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';

export type LotView = {
  id: string;
  source: string;
  kind: 'free' | 'paid';
  remaining: number;
  expiresAt: string | null;
};

/**
 * A wallet as its owner sees it. `balance` counts paid credits only; `available` is what can be spent right
 * now.
 */
export type Balance = {
  balance: number;
  freeCreditsRemaining: number;
  totalEarned: number;
  totalSpent: number;
  available: number;
  held: number;
  debt: number;
  dailyFreeCredits: number;
  nextDailyAt: string;
  status: string;
  scale: number;
  lots: LotView[];
};

type BalanceRow = {
  status: string;
  free: number;
  paid: number;
  held: number;
  debt: number;
  total_earned: number;
  total_spent: number;
  next_daily_at: Date;
  lots: LotView[];
};

/**
 * The caller's balance at this moment: a daily grant that is due is in it, what has expired is not. One round
 * trip, which also checks the session. Throws `auth.session_ended`, and `request.not_found` when the caller
 * has no wallet.
 */
export async function readBalance(ctx: Ctx, caller: Caller): Promise<Balance> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const [row] = await ctx.turns.take(caller.userId, () =>
    ctx.db.call<BalanceRow>('select * from credits.read_balance($1, $2, $1, $3, $4, $5)', [
      caller.userId,
      caller.sessionId,
      ctx.clock.now(),
      creditsDailyFree,
      creditsDailyCap,
    ]),
  );
  if (!row) throw new Error('credits.read_balance returned no row');
  return {
    balance: row.paid,
    freeCreditsRemaining: row.free,
    totalEarned: row.total_earned,
    totalSpent: row.total_spent,
    available: row.free + row.paid - row.held,
    held: row.held,
    debt: row.debt,
    dailyFreeCredits: creditsDailyFree,
    nextDailyAt: row.next_daily_at.toISOString(),
    status: row.status,
    scale: ctx.config.creditsScale,
    lots: row.lots.map((lot) => ({
      ...lot,
      expiresAt: lot.expiresAt === null ? null : new Date(lot.expiresAt).toISOString(),
    })),
  };
}
