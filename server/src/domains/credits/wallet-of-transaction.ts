import type { Ctx } from '../../ctx.ts';

/** The wallet in whose turn a call about a transaction belongs; the given id when there is no such. */
export async function walletOfTransaction(ctx: Ctx, transactionId: string): Promise<string> {
  const [row] = await ctx.db.call<{ wallet_id: string | null }>(
    'select credits.wallet_of_transaction($1) as wallet_id',
    [transactionId],
  );
  return row?.wallet_id ?? transactionId;
}
