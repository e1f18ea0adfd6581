import { desc } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RefusedDelivery } from './schemas.ts';
import { refusedDeliveries } from './tables.ts';

/**
 * The youngest deliveries that were refused, for administrators. Throws `auth.session_ended`,
 * `auth.admin_required`.
 */
export async function listRefusedDeliveries(
  ctx: Ctx,
  caller: Caller,
  { limit }: { limit: number },
): Promise<RefusedDelivery[]> {
  const rows = await ctx.db.asAdministrator(caller, (tx) =>
    tx.select().from(refusedDeliveries).orderBy(desc(refusedDeliveries.id)).limit(limit),
  );
  return rows.map(({ receivedAt, ...delivery }) => ({ ...delivery, receivedAt: receivedAt.toISOString() }));
}
