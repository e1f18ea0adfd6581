import { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import { withoutTransaction } from './sql.ts';

/** While the database is away every poll fails; it is logged once per this span. */
const sameErrorPauseMs = 30_000;

/**
 * pg-boss with every statement in a transaction of its own, as the service. What would need the owner's
 * rights (migrations, index rebuilds) or a connection kept for one session (LISTEN) is off; job dependencies
 * are not used. Its maintenance, which tries again what a dead process had in hand, runs every minute, and so
 * does the timekeeper, which lets one process enter each turn of the timetable.
 */
export function createBoss(db: Database, log: Logger): PgBoss {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => db.runAsService(withoutTransaction(text), values) },
    migrate: false,
    createSchema: false,
    schedule: true,
    cronMonitorIntervalSeconds: 30,
    cronWorkerIntervalSeconds: 5,
    reindex: false,
    monitorVacuum: false,
    persistWarnings: false,
    persistQueueStats: false,
    flowIntervalSeconds: 3600,
  });
  let lastErrorAtMs = -Infinity;
  boss.on('error', (error) => {
    const atMs = performance.now();
    if (atMs - lastErrorAtMs < sameErrorPauseMs) return;
    lastErrorAtMs = atMs;
    log.warn({ err: error }, 'the job queue could not be reached');
  });
  boss.on('warning', (warning) => log.warn({ warning: warning.message, data: warning.data }, 'job queue'));
  return boss;
}
