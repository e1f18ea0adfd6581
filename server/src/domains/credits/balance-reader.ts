import type { Clock } from '../../ctx.ts';
import { createGatherer, type Caller, type Database } from '../../db/index.ts';
import type { LotView } from './read-balance.ts';

/** What the ledger says of a wallet. */
export type WalletFigures = {
  status: string;
  free: number;
  paid: number;
  held: number;
  debt: number;
  totalEarned: number;
  totalSpent: number;
  nextDailyAt: string;
  lots: LotView[];
};

/** What was found: a wallet, or that it has to be brought up to the moment first, or why there is none. */
export type FoundBalance =
  | (WalletFigures & { code?: undefined; isDue?: undefined })
  | { code?: undefined; isDue: true }
  | { code: 'auth.session_ended' | 'request.not_found' };

/** Reads the own wallets of many callers at once, each for who is signed in. */
export type BalanceReader = {
  /** Throws `server.busy`. */
  read(caller: Caller): Promise<FoundBalance>;
  waiting: () => number;
  drain: () => Promise<void>;
};

/** Gathers the wallets that are asked for at once into one call of the database. */
export function createBalanceReader({ db, clock }: { db: Database; clock: Clock }): BalanceReader {
  const { ask, waiting, drain } = createGatherer(async (callers: Caller[]) => {
    const [row] = await db.call<{ found: string }>('select credits.read_balances($1, $2, $3) as found', [
      callers.map(({ userId }) => userId),
      callers.map(({ sessionId }) => sessionId),
      clock.now(),
    ]);
    return JSON.parse(row?.found ?? '[]') as FoundBalance[];
  });
  return { read: ask, waiting, drain };
}
