import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { MandateView } from './schemas.ts';

/**
 * The budget of a key as it is, unless it has none or it was revoked; locked, so that what is decided by its
 * terms still holds when `tx`, the service's, changes them. Whoever locks the key as well does so before.
 */
export async function lockBudget(ctx: Ctx, tx: Tx, keyId: string): Promise<MandateView | undefined> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await tx.execute<{ view: MandateView | null }>(
    sql`select credits.lock_budget(${keyId}, ${at}) as view`,
  );
  return rows[0]?.view ?? undefined;
}
