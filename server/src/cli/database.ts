import { constants } from 'node:os';
import type pg from 'pg';
import { pino } from 'pino';
import type { Ctx } from '../ctx.ts';
import { connectToCurrent, findConnections, prepareDatabase, type Connections } from '../db/connect.ts';
import type { ScaleDuty } from '../domains/credits/index.ts';
import { loadEnvironment, type Environment } from '../environment.ts';
import { openDatabase, type OpenDatabase } from '../open-database.ts';
import { joinPaymentStandIn } from '../payment-stand-in.ts';

/** Commands speak for themselves; only what needs attention is logged, away from their output. */
const log = pino({ level: 'error' }, pino.destination(2));

/**
 * Runs `work` with the use cases' context on the service's database, beside a running service or on its own.
 * The schema must be current. `asksProviders`: in development, payments are those of the stand-in of a
 * running service. `scaleDuty`: what the command does about CREDITS_SCALE; it compares unless said otherwise.
 * Throws SchemaError, DataDirInUseError, ConfigError.
 */
export async function withContext<T>(
  work: (ctx: Ctx, connections: Connections) => Promise<T>,
  { asksProviders = false, scaleDuty = 'compare' }: { asksProviders?: boolean; scaleDuty?: ScaleDuty } = {},
): Promise<T> {
  const environment = await loadEnvironment();
  return withOpenDatabase(environment, async (databaseUrl) => {
    const connections = await connectToCurrent(environment.config, databaseUrl);
    // Only here: whoever asks for help does not wait until the whole service is loaded.
    const { createService } = await import('../service.ts');
    const service = await createService({
      config: asksProviders ? await joinPaymentStandIn(environment.config) : environment.config,
      appUrl: connections.appUrl,
      log,
      runsJobs: false,
      scaleDuty,
      statementMs: Infinity,
    });
    try {
      return await work(service.ctx, connections);
    } finally {
      await service.stop();
    }
  });
}

/** Runs `work` with the owner's address after bringing the schema to this version. */
export async function withOwner<T>(
  options: { onMigration?: (name: string) => void },
  work: (connections: Connections) => Promise<T>,
): Promise<T> {
  const environment = await loadEnvironment();
  return withOpenDatabase(environment, async (databaseUrl) =>
    work(await prepareDatabase(environment.config, databaseUrl, options.onMigration)),
  );
}

/** Runs `work` with the addresses as they are, whatever the state of the schema. */
export async function withConnections<T>(
  environment: Environment,
  work: (connections: Connections) => Promise<T>,
): Promise<T> {
  return withOpenDatabase(environment, async (databaseUrl) =>
    work(await findConnections(environment.config, databaseUrl)),
  );
}

/**
 * A signal ends the command, but not before the database that was started for it: a process of its own, which
 * would stay.
 */
async function withOpenDatabase<T>(
  environment: Environment,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  const opening = openDatabase(environment, { log, mayShare: true });
  let ending: Promise<void> | undefined;
  const end = (signal: NodeJS.Signals): void => {
    ending ??= endWithDatabase(opening, signal);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    const { databaseUrl } = await opening;
    return await work(databaseUrl);
  } finally {
    // Once a signal has come, this is where the command waits for its end: what failed for it is not told.
    await (ending ?? opening.then((database) => database.close()));
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

async function endWithDatabase(opening: Promise<OpenDatabase>, signal: NodeJS.Signals): Promise<void> {
  try {
    await (await opening).close();
  } finally {
    process.exit(128 + constants.signals[signal]);
  }
}

/** Calls of the database on a connection that is there already. */
export function callsOn(client: pg.ClientBase): Pick<Ctx['db'], 'call'> {
  return {
    async call<Row extends pg.QueryResultRow>(text: string, values: unknown[]) {
      return (await client.query<Row>(text, values)).rows;
    },
  };
}
