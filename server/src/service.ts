import type { Logger } from 'pino';
import { buildApp, type App } from './app.ts';
import type { Config } from './config.ts';
import type { Clock, Ctx, Random } from './ctx.ts';
import { createDatabase } from './db/index.ts';
import { openPool } from './db/pool.ts';
import { createApplicationVerifier, handleAccessJobs } from './domains/applications/index.ts';
import { createKeyring, createPasswordHasher, handleRecoveryJobs } from './domains/auth/index.ts';
import {
  createWalletTurns,
  handleAuditJobs,
  handleHoldJobs,
  handleRetentionJobs,
} from './domains/credits/index.ts';
import { handleOauthJobs } from './domains/oauth/index.ts';
import { handlePrivacyJobs } from './domains/privacy/index.ts';
import { handleWebhookJobs } from './domains/webhooks/index.ts';
import { createJobs } from './jobs/index.ts';
import type { Resolve } from './lib/find-addresses.ts';
import { createRandomBytes } from './lib/random-bytes.ts';
import { createLog } from './log.ts';
import { createMailer } from './mail/index.ts';
import { createMetrics } from './metrics/index.ts';

export type ServiceOptions = {
  config: Config;
  /** Address at which the service connects as an unprivileged role (see prepareDatabase). */
  appUrl: string;
  clock?: Clock;
  random?: Random;
  log?: Logger;
  /** Finds the addresses of names that webhooks go to; DNS unless said otherwise. */
  resolve?: Resolve;
  /** Whether this process polls for jobs (mail and the like); true unless said otherwise. */
  runsJobs?: boolean;
};

export type Service = { app: App; ctx: Ctx; stop(): Promise<void> };

/**
 * Puts the parts together, ready to listen. `stop` drains requests and jobs, then closes what was opened, in
 * reverse.
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { config } = options;
  const clock = options.clock ?? { now: () => new Date() };
  const random = options.random ?? { bytes: createRandomBytes() };
  const log = options.log ?? createLog(config);
  const metrics = createMetrics();
  const pool = await openPool({ url: options.appUrl, connectionsMax: config.databasePoolMax, log, metrics });
  const db = createDatabase(pool, clock);
  const mail = createMailer({ config, clock });
  if (config.isProduction && config.smtpHost === '') log.warn('SMTP_HOST is not set: mails wait until it is');
  const jobs = createJobs({ db, log, metrics });
  const keys = await createKeyring({ config, db, clock, random, log });
  const passwords = createPasswordHasher({ config, random });
  metrics.observe('obol_passwords_waiting', 'Passwords waiting to be hashed', () => passwords.waiting());
  const applications = createApplicationVerifier({ db, clock });
  const turns = createWalletTurns();
  metrics.observe('obol_movements_waiting', 'Calls that wait for the turn of their wallet', () =>
    turns.waiting(),
  );
  const ctx: Ctx = {
    config,
    db,
    clock,
    random,
    mail,
    jobs,
    keys,
    passwords,
    applications,
    turns,
    metrics,
    log,
  };
  handleRecoveryJobs(ctx);
  handleAccessJobs(ctx);
  handleWebhookJobs(ctx, options.resolve);
  handleOauthJobs(ctx, options.resolve);
  handleAuditJobs(ctx);
  handleHoldJobs(ctx);
  handleRetentionJobs(ctx);
  handlePrivacyJobs(ctx);
  const app = await buildApp(ctx, options.resolve);
  if (options.runsJobs !== false) await jobs.start();
  return {
    app,
    ctx,
    async stop() {
      await app.close();
      keys.close();
      await jobs.stop();
      await mail.close();
      await db.close();
    },
  };
}
