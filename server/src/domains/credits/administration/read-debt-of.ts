import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { balances } from '../tables.ts';

/** What somebody owes, as of when their wallet was last looked at; without a wallet nothing. */
export function readDebtOf(ctx: Ctx, userId: string): Promise<number> {
  return ctx.db.asService(async (tx) => {
    const [wallet] = await tx
      .select({ debt: balances.debt })
      .from(balances)
      .where(eq(balances.walletId, userId));
    return wallet?.debt ?? 0;
  });
}
