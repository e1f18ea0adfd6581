import { inArray } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import type { ReadCreditsOf } from '../../users/index.ts';
import { refreshWallet } from '../refresh-wallet.ts';
import { balances } from '../tables.ts';

/** Credits that other people can spend; a personal wallet has its person's id. */
export const readCreditsOf: ReadCreditsOf = {
  one: async (ctx, userId) =>
    ctx.turns.take(userId, () =>
      ctx.db.asService(async (tx) => {
        await refreshWallet(ctx, tx, userId);
        return (await selectAvailable(tx, [userId])).get(userId) ?? 0;
      }),
    ),
  many: async (ctx, userIds) =>
    userIds.length === 0 ? new Map() : ctx.db.asService((tx) => selectAvailable(tx, userIds)),
};

async function selectAvailable(tx: Tx, userIds: string[]): Promise<Map<string, number>> {
  const { walletId, free, paid, held } = balances;
  const rows = await tx
    .select({ walletId, free, paid, held })
    .from(balances)
    .where(inArray(walletId, userIds));
  return new Map(rows.map((row) => [row.walletId, row.free + row.paid - row.held]));
}
