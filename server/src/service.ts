import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { pino, type Logger } from 'pino';
import { buildApp, type App } from './app.ts';
import type { Config } from './config.ts';
import type { Clock, Ctx, Random } from './ctx.ts';
import { assertUnprivileged } from './db/connect.ts';
import { createDatabase } from './db/index.ts';
import { createMetrics } from './metrics/index.ts';

export type ServiceOptions = {
  config: Config;
  /** Address at which the service connects as an unprivileged role (see prepareDatabase). */
  appUrl: string;
  clock?: Clock;
  random?: Random;
  log?: Logger;
};

export type Service = { app: App; ctx: Ctx; stop(): Promise<void> };

/** Puts the parts together, ready to listen. `stop` drains requests, then closes what was opened, in reverse. */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { config } = options;
  const clock = options.clock ?? { now: () => new Date() };
  const random = options.random ?? { bytes: randomBytes };
  const log = options.log ?? pino({ level: config.logLevel });
  const pool = new pg.Pool({
    connectionString: options.appUrl,
    max: config.databasePoolMax,
    application_name: 'obol',
  });
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'));
  await assertUnprivileged(pool);
  const db = createDatabase(pool, clock);
  const metrics = createMetrics();
  const ctx = { config, db, clock, random, metrics, log } as Ctx;
  const app = await buildApp(ctx);
  return {
    app,
    ctx,
    async stop() {
      await app.close();
      await db.close();
    },
  };
}
