import { desc, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { Purchase } from './find-purchase.ts';
import { purchases } from './sales-tables.ts';

/**
 * The caller's newest purchases, `limit` at most, and how many there are in all. Throws `auth.session_ended`.
 */
export async function listRecentPurchases(
  ctx: Ctx,
  caller: Caller,
  limit: number,
): Promise<{ items: Purchase[]; total: number }> {
  const own = eq(purchases.walletId, caller.userId);
  return ctx.db.asCaller(caller, async (tx) => {
    const items = await tx
      .select()
      .from(purchases)
      .where(own)
      .orderBy(desc(purchases.createdAt), desc(purchases.id))
      .limit(limit);
    const [row] = await tx
      .select({ total: sql<number>`count(*)::integer` })
      .from(purchases)
      .where(own);
    return { items, total: row?.total ?? 0 };
  });
}
