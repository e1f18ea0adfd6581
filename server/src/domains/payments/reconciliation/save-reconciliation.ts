import { and, eq, lt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { newId } from '../../../lib/ids.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { listAdministrators } from '../list-administrators.ts';
import { reconciliations } from '../tables.ts';
import { countOpen, type ReconciliationReport } from './count-open.ts';

const keptMs = 400 * 86_400_000;

/**
 * Keeps what came of a comparison, notes it in the audit trail, and has administrators told when something is
 * left to them.
 */
export async function saveReconciliation(ctx: Ctx, report: ReconciliationReport): Promise<void> {
  const id = newId(ctx);
  const { findings, ...counts } = report;
  await ctx.db.asService(async (tx) => {
    await tx.insert(reconciliations).values({ id, ...counts, findings });
    const tooOld = new Date(ctx.clock.now().getTime() - keptMs);
    const isOld = and(eq(reconciliations.provider, report.provider), lt(reconciliations.startedAt, tooOld));
    await tx.delete(reconciliations).where(isOld);
    await recordAuditEvent(ctx, tx, {
      action: 'payments.reconciled',
      actor: { type: 'system' },
      target: { type: 'reconciliation', id },
      details: { ...counts, open: countOpen(report) },
    });
    if (countOpen(report) === 0) return;
    for (const email of await listAdministrators(tx)) {
      await ctx.jobs.enqueue(tx, 'send-reconciliation-mail', { email, reconciliationId: id });
    }
  });
}
