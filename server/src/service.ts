import type { Logger } from 'pino';
import { buildApp, type App } from './app.ts';
import type { Config } from './config.ts';
import type { Clock, Ctx, Random } from './ctx.ts';
import { createDatabase } from './db/index.ts';
import { openPool } from './db/pool.ts';
import { createApiKeyVerifier, handleApiKeyJobs } from './domains/api-keys/index.ts';
import { createApplicationVerifier, handleAccessJobs } from './domains/applications/index.ts';
import { handleSealJobs } from './domains/audit/index.ts';
import {
  createKeyring,
  createLiveCallers,
  createSignIns,
  createPasswordHasher,
  createTokenAcceptor,
  createUpstream,
  handleRecoveryJobs,
  lowerPoolThreads,
} from './domains/auth/index.ts';
import {
  agreeOnScale,
  createBalanceReader,
  createWalletTurns,
  handleAuditJobs,
  handleBonusJobs,
  handleHoldJobs,
  handleRetentionJobs,
  type ScaleDuty,
} from './domains/credits/index.ts';
import { handleOauthJobs } from './domains/oauth/index.ts';
import {
  configuredProviders,
  createPayments,
  handlePaymentJobs,
  handlePaymentMailJobs,
  handleSubscriptionJobs,
  type PaymentProvider,
} from './domains/payments/index.ts';
import { handlePrivacyJobs } from './domains/privacy/index.ts';
import { handleBanJobs } from './domains/users/index.ts';
import { handleWebhookJobs } from './domains/webhooks/index.ts';
import { createFailureLog } from './failure-log.ts';
import { createJobs } from './jobs/index.ts';
import { atMost } from './lib/at-most.ts';
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
  /** Payment providers in place of those that the settings set up. */
  paymentProviders?: readonly PaymentProvider[];
  /** Whether this process polls for jobs (mail and the like); true unless said otherwise. */
  runsJobs?: boolean;
  /** What this process does about the scale of credits; `note` unless said otherwise. */
  scaleDuty?: ScaleDuty;
  /** How long a statement may take; `Infinity` for a command, which somebody watches. */
  statementMs?: number;
};

export type Service = { app: App; ctx: Ctx; stop(): Promise<void> };

/** For what is left once requests are done or cut: longer than running jobs are waited for. */
const closingMs = 35_000;

/**
 * Puts the parts together, ready to listen. `stop` drains requests and jobs, then closes what was opened, in
 * reverse; what cannot be closed in time, such as a connection to a database that is gone, is left.
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { config } = options;
  const clock = options.clock ?? { now: () => new Date() };
  const random = options.random ?? { bytes: createRandomBytes() };
  const log = options.log ?? createLog(config);
  const metrics = createMetrics();
  const db = await openLedger(options, { config, clock, log, metrics });
  const mail = createMailer({ config, clock });
  if (config.isProduction && config.smtpHost === '') log.warn('SMTP_HOST is not set: mails wait until it is');
  const jobs = createJobs({ db, log, metrics });
  const keys = await createKeyring({ config, db, clock, random, log });
  const passwords = createPasswordHasher({ config, random });
  await lowerPoolThreads();
  metrics.observe('obol_passwords_waiting', 'Passwords waiting to be hashed', () => passwords.waiting());
  const applications = createApplicationVerifier({ db, clock });
  const apiKeys = createApiKeyVerifier({ db, clock, log });
  const turns = createWalletTurns();
  metrics.observe('obol_movements_waiting', 'Calls that wait for the turn of their wallet', () =>
    turns.waiting(),
  );
  const { callers, balances } = createReads({ db, clock, metrics });
  const { paymentProviders = configuredProviders({ config, clock, db, log }) } = options;
  const ctx: Ctx = {
    config,
    db,
    clock,
    random,
    mail,
    jobs,
    keys,
    passwords,
    upstream: createUpstream({ config, clock }),
    acceptToken: createTokenAcceptor(() => ctx),
    applications,
    apiKeys,
    turns,
    callers,
    signIns: createSignIns({ db }),
    balances,
    payments: createPayments({ config, db, clock, random, log }, paymentProviders),
    metrics,
    log,
    failureLog: createFailureLog({ clock, log }),
  };
  handleJobs(ctx, options.resolve);
  const app = await buildApp(ctx, options.resolve);
  if (options.runsJobs !== false) await jobs.start();
  return {
    app,
    ctx,
    async stop() {
      const stoppingMs = config.shutdownTimeoutSeconds * 1000 + closingMs;
      if (!(await atMost(stoppingMs, closeParts(app, ctx))))
        log.warn('What could not be closed in time was left open');
      ctx.failureLog.close();
    },
  };
}

async function closeParts(app: App, ctx: Ctx): Promise<void> {
  await app.close();
  await Promise.all([ctx.callers, ctx.signIns, ctx.balances, ctx.payments].map((part) => part.drain()));
  await ctx.apiKeys.close();
  ctx.keys.close();
  await ctx.jobs.stop();
  await ctx.mail.close();
  await ctx.db.close();
}

/** Opens the database. Throws ConfigError when its wallets count otherwise than the settings say. */
async function openLedger(
  { appUrl: url, scaleDuty = 'note', statementMs }: ServiceOptions,
  { config, clock, log, metrics }: Pick<Ctx, 'config' | 'clock' | 'log' | 'metrics'>,
): Promise<Ctx['db']> {
  const pool = await openPool({ url, connectionsMax: config.databasePoolMax, log, metrics });
  const db = createDatabase(pool, clock, statementMs);
  try {
    await agreeOnScale({ config, db, log }, scaleDuty);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Has the jobs of every domain done. What cleans up or verifies takes as long as it takes. */
function handleJobs(ctx: Ctx, resolve: Resolve | undefined): void {
  const unhurried = { ...ctx, db: ctx.db.unhurried };
  handleRecoveryJobs(ctx);
  handleAccessJobs(ctx);
  handleApiKeyJobs(ctx);
  handleWebhookJobs(ctx, resolve);
  handleOauthJobs(unhurried, resolve);
  handleAuditJobs(unhurried);
  handleBonusJobs(ctx);
  handleSealJobs(unhurried);
  handleBanJobs(ctx);
  handleHoldJobs(ctx);
  handleRetentionJobs(unhurried);
  handlePrivacyJobs(unhurried);
  handlePaymentJobs(ctx);
  handlePaymentMailJobs(ctx);
  handleSubscriptionJobs(ctx);
}

/** What is read for many at once. */
function createReads({ db, clock, metrics }: Pick<Ctx, 'db' | 'clock' | 'metrics'>) {
  const callers = createLiveCallers({ db, clock });
  const balances = createBalanceReader({ db, clock });
  metrics.observe(
    'obol_reads_waiting',
    'Reads that wait to be sent together',
    () => callers.waiting() + balances.waiting(),
  );
  return { callers, balances };
}
