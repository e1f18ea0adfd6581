import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { purchases } from './sales-tables.ts';

export type Purchase = typeof purchases.$inferSelect;

/** A purchase of the caller's. Throws `auth.session_ended`, `request.not_found`. */
export async function findPurchase(ctx: Ctx, caller: Caller, purchaseId: string): Promise<Purchase> {
  const [found] = await ctx.db.asCaller(caller, (tx) =>
    tx.select().from(purchases).where(eq(purchases.id, purchaseId)),
  );
  if (!found || found.walletId !== caller.userId) throw new AppError('request.not_found');
  return found;
}
