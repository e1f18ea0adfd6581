import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import { loadConfig } from '../../server/src/config.ts';
import { prepareDatabase } from '../../server/src/db/connect.ts';
import { verifyLedger } from '../../server/src/domains/credits/index.ts';
import { createService } from '../../server/src/service.ts';
import { serviceSettings } from '../lib/environment.ts';

/** Verifies the whole ledger and says how long that took. Throws when it is not sound. */
export async function timeVerification(ownerUrl: string): Promise<string> {
  const config = loadConfig({ DATABASE_URL: ownerUrl, ...serviceSettings });
  const { appUrl } = await prepareDatabase(config, ownerUrl);
  const service = await createService({ config, appUrl, log: pino({ level: 'error' }), runsJobs: false });
  try {
    const startedAt = performance.now();
    const { isSound, transactions, findings } = await verifyLedger(service.ctx.db);
    if (!isSound) throw new Error(`the ledger is not sound: ${JSON.stringify(findings.slice(0, 5))}`);
    const seconds = (performance.now() - startedAt) / 1000;
    const megabytes = Math.round(process.memoryUsage().rss / 1e6);
    return `verified ${transactions} transactions in ${Math.round(seconds)} s, with ${megabytes} MB`;
  } finally {
    await service.stop();
  }
}
