import { desc, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { purchases } from './sales-tables.ts';
import type { PurchaseView } from './schemas.ts';

export type PurchasePage = { items: PurchaseView[]; total: number; nextOffset: number | undefined };

/** A page of the caller's purchases, newest first. Throws `auth.session_ended`. */
export async function listPurchases(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: { limit: number; offset: number },
): Promise<PurchasePage> {
  return ctx.db.asCaller(caller, async (tx) => {
    const own = eq(purchases.walletId, caller.userId);
    const [row] = await tx
      .select({ total: sql<number>`count(*)::integer` })
      .from(purchases)
      .where(own);
    const total = row?.total ?? 0;
    const rows = await tx
      .select()
      .from(purchases)
      .where(own)
      .orderBy(desc(purchases.createdAt), desc(purchases.id))
      .limit(limit)
      .offset(offset);
    return {
      items: rows.map((purchase) => ({
        ...purchase,
        createdAt: purchase.createdAt.toISOString(),
        completedAt: purchase.completedAt?.toISOString() ?? null,
      })),
      total,
      nextOffset: offset + rows.length < total ? offset + rows.length : undefined,
    };
  });
}
