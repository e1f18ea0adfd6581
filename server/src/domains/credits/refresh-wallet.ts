import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';

/** Puts what time has done to a wallet (daily grants, expiries) into the journal before it is read. */
export async function refreshWallet(ctx: Ctx, tx: Tx, walletId: string): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  await tx.execute(
    sql`select credits.refresh_wallets(array[${walletId}::uuid], ${at}, ${creditsDailyFree}, ${creditsDailyCap})`,
  );
}
