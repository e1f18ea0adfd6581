import type { Logger } from 'pino';
import { ConfigError, type Config } from './config.ts';
import { prepareDatabase } from './db/connect.ts';
import { DataDirInUseError } from './db/embedded.ts';
import { SchemaError } from './db/migrate.ts';
import { loadEnvironment, type Environment } from './environment.ts';
import { createLog, outliveOutput } from './log.ts';
import { loadBuiltPages, PagesNotBuiltError } from './http/pages/built-pages.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import { startPaymentStandIn, type PaymentStandIn } from './payment-stand-in.ts';
import { createFirstAdminLink } from './domains/users/index.ts';
import { createService, type Service } from './service.ts';

const nodeVersionMin = [22, 18] as const;
/** One Ctrl+C arrives several times: from the terminal and from each program that passes it on. */
const sameSignalMs = 1000;
/** By then everything is loaded that a service without work needs. */
const settledAfterMs = 2000;
/** At rest about half a megabyte of young objects comes together in a second. */
const collectEveryMs = 15_000;

type Running = {
  service?: Service;
  /** From when it is being opened. */
  opening?: Promise<OpenDatabase>;
  database?: OpenDatabase;
  standIn?: PaymentStandIn | undefined;
  isStopping?: boolean;
};
type Stop = (exitCode: number) => Promise<void>;

/**
 * Starts the service: configuration, database, migrations, HTTP; stops it in reverse on SIGTERM and SIGINT,
 * or when the program that launched it has died. A second signal leaves out what is under way and stops its
 * own database only; a third ends the process at once.
 */
async function main(): Promise<void> {
  assertNodeVersion(process.versions.node);
  outliveOutput();
  const environment = await loadEnvironment();
  const log = createLog(environment.config);
  const running: Running = {};
  const started = Promise.withResolvers<void>();
  const stop = stopOnce(running, started.promise, log);
  onStopRequest([() => void stop(0), () => void endWithDatabase(running, log), () => process.exit(130)]);
  try {
    await start(environment, { running, stop, log });
    started.resolve();
  } catch (error) {
    started.resolve();
    process.stderr.write(`${explain(error, environment.config)}\n`);
    await stop(1);
  }
}

type StartOptions = { running: Running; stop: Stop; log: Logger };

async function start(environment: Environment, { running, stop, log }: StartOptions): Promise<void> {
  const { config } = environment;
  // Now, and not when the first page is asked for: the next version's build may have replaced them by then.
  await loadBuiltPages();
  running.opening = openDatabase(environment, {
    log,
    onFailure: (error) => {
      log.fatal({ err: error }, 'the database is gone and does not come back');
      void stop(1);
    },
  });
  const database = await running.opening;
  running.database = database;
  if (running.isStopping) return;
  const { appUrl } = await prepareDatabase(config, database.databaseUrl, (name) =>
    log.info({ migration: name }, 'migrating'),
  );
  if (running.isStopping) return;
  running.standIn = await startPaymentStandIn(config, log);
  if (running.isStopping) return;
  running.service = await createService({ config: running.standIn?.config ?? config, appUrl, log });
  if (running.isStopping) return;
  const firstAdminLink = await createFirstAdminLink(running.service.ctx);
  if (running.isStopping) return;
  // Last of what can fail: a service that was once ready does not end because its database is away.
  await running.service.app.listen({ port: config.port, host: config.host });
  setTimeout(keepMemorySmall, settledAfterMs).unref();
  const { isEmbedded } = database;
  process.stdout.write(welcome(config, { isEmbedded, standInUrl: running.standIn?.url, firstAdminLink }));
}

/**
 * Stops what runs, in reverse order of its start, and ends the process. A start that is under way comes to
 * its next step first. Further calls wait for the first.
 */
function stopOnce(running: Running, started: Promise<void>, log: Logger): Stop {
  let stopping: Promise<void> | undefined;
  const stopAll = async (exitCode: number): Promise<void> => {
    process.exitCode = exitCode;
    running.isStopping = true;
    log.info('stopping');
    running.database?.announceStop();
    await started;
    const { service, standIn, database } = running;
    // The database is stopped whatever becomes of the rest: it is a process of its own, and would stay.
    for (const end of [() => service?.stop(), () => standIn?.stop(), () => database?.close()]) {
      await end()?.catch((error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exitCode = 1;
      });
    }
    log.info('stopped');
    process.exit();
  };
  return (exitCode) => (stopping ??= stopAll(exitCode));
}

/** Ends the process without waiting for what is under way, but for the database that it has started. */
async function endWithDatabase({ opening }: Running, log: Logger): Promise<void> {
  log.warn('stopping at once');
  try {
    await (await opening)?.close();
  } finally {
    process.exit(130);
  }
}

/** Does for each signal what is to be done for the first, the second and so on. */
function onStopRequest(steps: (() => void)[]): void {
  let requestedAt = Number.NEGATIVE_INFINITY;
  const request = (): void => {
    const now = performance.now();
    if (now - requestedAt <= sameSignalMs) return;
    requestedAt = now;
    steps.shift()?.();
  };
  process.on('SIGTERM', request).on('SIGINT', request);
  // Launched by scripts/lib.mjs: when the launcher is killed, nobody is left to stop this process.
  if (process.channel) {
    process.on('disconnect', request).on('SIGHUP', () => {});
    process.channel.unref();
  }
}

/**
 * Gives back, once, what loading the sources took and nobody uses. From then on young objects are collected
 * before they spread over memory that Node would keep; this takes milliseconds.
 */
function keepMemorySmall(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  setInterval(() => globalThis.gc?.({ type: 'minor' }), collectEveryMs).unref();
}

function assertNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = nodeVersionMin;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  process.stderr.write(
    `Obol needs Node.js ${majorMin}.${minorMin} or newer; this is ${version}. ` +
      '`npm start` brings its own.\n',
  );
  process.exit(1);
}

/** What went wrong, in words where we know them, with a stack where we do not. */
function explain(error: unknown, config: Config): string {
  if (error instanceof SchemaError || error instanceof DataDirInUseError) return error.message;
  if (error instanceof PagesNotBuiltError || error instanceof ConfigError) return error.message;
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return `Port ${config.port} is taken by another program. Stop it, or set PORT to another number.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

type Circumstances = {
  isEmbedded: boolean;
  standInUrl: string | undefined;
  firstAdminLink: string | undefined;
};

function welcome(config: Config, { isEmbedded, standInUrl, firstAdminLink }: Circumstances): string {
  const api = `${config.baseUrl}/api/v1`;
  const json = `-H "Content-Type: application/json"`;
  const person = '{"email":"test@example.com","password":"Test1234!","name":"Test User"}';
  const mail =
    config.smtpHost !== ''
      ? `go out through ${config.smtpHost}`
      : config.isProduction
        ? 'wait until SMTP_HOST is set'
        : `are kept at ${config.baseUrl}/dev/mail`;
  return `
Obol is ready at ${config.baseUrl}   (API reference: ${config.baseUrl}/docs)

  Data         ${isEmbedded ? `embedded PostgreSQL in ${config.dataDir}` : 'the PostgreSQL of DATABASE_URL'}
  Mails        ${mail}
${standInUrl === undefined ? '' : `  Payments     go to a stand-in, no money moves: ${standInUrl}\n`}${firstAdminLink === undefined ? '' : `  First admin  ${firstAdminLink}\n`}
Try it:
  curl -X POST ${api}/auth/register ${json} -d '${person}'
  curl -X POST ${api}/auth/login ${json} -d '{"email":"test@example.com","password":"Test1234!"}'
  curl ${api}/credits/balance -H "Authorization: Bearer $ACCESS_TOKEN"

`;
}

await main().catch((error: unknown) => {
  const message = explain(error, { port: 0 } as Config);
  process.stderr.write(`${message}\n`);
  process.exit(1);
});
