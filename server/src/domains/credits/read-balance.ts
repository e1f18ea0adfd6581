import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { exactInteger } from '../../lib/exact.ts';
import type { WalletFigures } from './balance-reader.ts';

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
 * trip, shared with whoever asks at the same time, which also checks the session. Throws
 * `auth.session_ended`, `request.not_found` when the caller has no wallet, and `server.busy`.
 */
export async function readBalance(ctx: Ctx, caller: Caller): Promise<Balance> {
  const found = await ctx.balances.read(caller);
  if (found.code !== undefined) throw new AppError(found.code);
  return toBalance(ctx, found.isDue ? await readDueBalance(ctx, caller) : found);
}

/** Brings the wallet up to the moment first, which takes its lock. */
async function readDueBalance(ctx: Ctx, caller: Caller): Promise<WalletFigures> {
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
  const { total_earned: totalEarned, total_spent: totalSpent, next_daily_at: nextDailyAt, ...rest } = row;
  return { ...rest, totalEarned, totalSpent, nextDailyAt: nextDailyAt.toISOString() };
}

function toBalance({ config }: Ctx, wallet: WalletFigures): Balance {
  const { status, free, paid, held, debt, totalEarned, totalSpent } = wallet;
  return {
    balance: exactInteger(paid),
    freeCreditsRemaining: exactInteger(free),
    totalEarned: exactInteger(totalEarned),
    totalSpent: exactInteger(totalSpent),
    available: exactInteger(free + paid - held),
    held: exactInteger(held),
    debt: exactInteger(debt),
    dailyFreeCredits: config.creditsDailyFree,
    nextDailyAt: new Date(wallet.nextDailyAt).toISOString(),
    status,
    scale: config.creditsScale,
    lots: wallet.lots.map((lot) => ({
      ...lot,
      expiresAt: lot.expiresAt === null ? null : new Date(lot.expiresAt).toISOString(),
    })),
  };
}
