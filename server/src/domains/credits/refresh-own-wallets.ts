import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';

/**
 * Puts what time has done to the caller's wallets (daily grants, expiries) into the journal before it is
 * read.
 */
export async function refreshOwnWallets(ctx: Ctx, tx: Tx): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  await tx.execute(sql`select credits.refresh_own_wallets(${at}, ${creditsDailyFree}, ${creditsDailyCap})`);
}
