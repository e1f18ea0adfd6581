import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { Spender } from './transact-credits.ts';

/**
 * Reads what belongs to a wallet, after what time has done to it. A person reads under their own context; for
 * an app the work itself must name the app. Throws `auth.session_ended`, `auth.application_invalid`.
 */
export async function readWallet<T>(
  ctx: Ctx,
  spender: Spender,
  walletId: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  const refreshed = async (tx: Tx): Promise<T> => {
    await tx.execute(
      sql`select credits.refresh_wallets(array[${walletId}::uuid], ${at}, ${creditsDailyFree}, ${creditsDailyCap})`,
    );
    return work(tx);
  };
  return ctx.turns.take(walletId, () =>
    'userId' in spender
      ? ctx.db.asCaller(spender, refreshed)
      : ctx.db.asServiceForApplication(spender, refreshed),
  );
}
