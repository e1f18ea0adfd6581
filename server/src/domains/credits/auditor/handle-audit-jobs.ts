import { Counter, Gauge } from 'prom-client';
import type { Ctx } from '../../../ctx.ts';
import { epochSeconds } from '../../../lib/exact.ts';
import { auditLedger } from './audit-ledger.ts';

/**
 * Names who audits the ledger by the timetable, and what Prometheus reads of it: `obol_ledger_audit_*`. What
 * is off is logged as an error, row by row, and counted; `deploy/prometheus/alerts.yml` alerts on it.
 */
export function handleAuditJobs(ctx: Ctx): void {
  const metrics = createAuditMetrics(ctx);
  ctx.jobs.handle('audit-ledger', async () => {
    const stopTimer = metrics.durationSeconds.startTimer();
    const { wallets, transactions, findings } = await auditLedger(ctx);
    for (const finding of findings) ctx.log.error({ finding }, 'the ledger is not sound');
    metrics.wallets.inc(wallets);
    metrics.transactions.inc(transactions);
    metrics.findings.inc(findings.length);
    stopTimer();
    metrics.finishedAt.set(epochSeconds(ctx.clock.now()));
    ctx.log.info({ wallets, transactions, findings: findings.length }, 'ledger audited');
  });
}

const name = (end: string) => `obol_ledger_audit_${end}`;

function createAuditMetrics({ metrics: { registry } }: Ctx) {
  const registers = [registry];
  return {
    wallets: new Counter({ name: name('wallets_total'), help: 'Wallets proved by audits', registers }),
    transactions: new Counter({
      name: name('transactions_total'),
      help: 'Transactions whose seals audits have recomputed',
      registers,
    }),
    findings: new Counter({
      name: name('findings_total'),
      help: 'Rows of the ledger that audits have found to be off',
      registers,
    }),
    durationSeconds: new Gauge({
      name: name('duration_seconds'),
      help: 'How long the last audit took',
      registers,
    }),
    finishedAt: new Gauge({
      name: name('finished_timestamp_seconds'),
      help: 'When this process last finished an audit',
      registers,
    }),
  };
}
