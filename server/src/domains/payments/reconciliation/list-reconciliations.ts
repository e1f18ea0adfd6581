import { desc, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { reconciliations } from '../tables.ts';
import { countOpen, type Finding } from './count-open.ts';
import type { ReconciliationView } from './schemas.ts';

/**
 * A page of comparisons of providers with the ledger, the youngest first, for administrators. Throws
 * `auth.session_ended`, `auth.admin_required`.
 */
export async function listReconciliations(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ items: ReconciliationView[]; total: number }> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    const rows = await tx
      .select()
      .from(reconciliations)
      .orderBy(desc(reconciliations.startedAt), desc(reconciliations.id))
      .limit(limit)
      .offset(offset);
    const [count] = await tx.select({ total: sql<number>`count(*)::integer` }).from(reconciliations);
    return { items: rows.map(toView), total: count?.total ?? 0 };
  });
}

function toView({ isLive, repairs, ...row }: typeof reconciliations.$inferSelect): ReconciliationView {
  return {
    ...row,
    isTest: !isLive,
    hasRepaired: repairs,
    open: countOpen(row),
    since: row.since.toISOString(),
    startedAt: row.startedAt.toISOString(),
    findings: row.findings as Finding[],
  };
}
