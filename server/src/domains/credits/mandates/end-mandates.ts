import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';

/**
 * Ends for good what an application may spend, of one person or of everybody (`userId` null), in the
 * transaction that ends their consent; the next spend or hold is refused. Returns how many mandates that
 * were. `tx` is the service's.
 */
export async function endMandates(
  ctx: Ctx,
  tx: Tx,
  { clientId, userId }: { clientId: string; userId: string | null },
): Promise<number> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await tx.execute<{ ended: number }>(
    sql`select credits.end_mandates(${clientId}, ${userId}, ${at}) as ended`,
  );
  return rows[0]?.ended ?? 0;
}
