import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readFile, stat } from 'node:fs/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { isConnectionLost } from './errors.ts';
import { giveTo, serverAccount } from './embedded/account.ts';
import { stopLeftovers } from './embedded/leftovers.ts';
import { isDataDirLocked, lockDataDir, type DataDirLock } from './embedded/lock.ts';
import { embeddedPrograms, shareWithOtherUsers } from './embedded/programs.ts';
import {
  createCluster,
  KilledWhileStarting,
  runningPort,
  startServer,
  type Cluster,
  type Server,
  type StartOptions,
} from './embedded/server.ts';

export { DataDirInUseError } from './embedded/lock.ts';

/** Passwords of the embedded server's own roles, kept with the other secrets of the data directory. */
export type EmbeddedPasswords = { superuser: string; owner: string };

export type EmbeddedOptions = {
  dataDir: string;
  passwords: EmbeddedPasswords;
  log: Logger;
  /** Called when the server died and could not be brought back; the service had better end. */
  onFailure?: (error: unknown) => void;
};

export type EmbeddedPostgres = {
  /** Address of the role that owns the database `obol`; it may create roles and is not a superuser. */
  ownerUrl: string;
  /** Tells a process that waits for the data directory that this one is about to end. */
  announceStop(): void;
  /** Stops the server in order, then gives the data directory free. */
  stop(): Promise<void>;
};

const superuser = 'postgres';
const ownerRole = 'obol_owner';
const database = 'obol';
const majorVersion = '18';
const restartsMax = 20;
const restartsWindowMs = 60_000;
/** What keeps the server from starting, such as a program on its port, may be over after a while. */
const nextTryMs = 1000;

/** Durable and reachable from this machine alone; the rest is as `postgresql.conf` in the cluster says. */
const settings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  // When one of its processes dies, all end and are started anew here: left to itself, the server hangs for
  // good when what recovers it is killed as well.
  restart_after_crash: 'off',
  jit: 'off',
  // What nobody waits for any more ends, instead of waiting on for its locks. Only where systems can tell.
  ...(process.platform === 'linux' ? { client_connection_check_interval: '5s' } : {}),
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Refused statements are the service's business; the server logs its own life and what ends a connection.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  cluster_name: 'obol',
};

/**
 * Starts the PostgreSQL that the service brings along, in `<dataDir>/postgres`, and keeps it running: made on
 * first use, recovered after a crash of any kind, restarted when it dies. One process at a time has a data
 * directory.
 * Throws DataDirInUseError, or an Error that says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const lock = await lockDataDir(dataDir);
  try {
    const cluster = await openCluster(dataDir, options);
    if (await stopLeftovers(cluster.directory)) {
      options.log.warn(
        'the last run ended without stopping its database; it has been stopped and starts anew',
      );
    }
    const logFile = join(dataDir, 'postgres.log');
    const server = await startUnlessKilled(cluster, { settings, logFile });
    const restart = async (signal: AbortSignal): Promise<Server> => {
      await stopLeftovers(cluster.directory);
      return startUnlessKilled(cluster, { settings, logFile, port: server.port, signal });
    };
    const supervised = supervise(server, restart, options);
    await ensureDatabase(server.port, options.passwords).catch(async (error: unknown) => {
      await supervised.stop();
      throw error;
    });
    return {
      ownerUrl: ownerUrlAt(server.port, options.passwords),
      announceStop: () => lock.announceStop(),
      stop: () => stopAll(supervised, lock),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * The address of the server that a running service keeps on this data directory, waiting while it starts, or
 * starts again; undefined when no service runs there.
 */
export async function findEmbeddedPostgres(
  dataDir: string,
  passwords: EmbeddedPasswords,
): Promise<{ ownerUrl: string } | undefined> {
  const directory = resolve(dataDir);
  while (await isDataDirLocked(directory)) {
    const port = await runningPort(join(directory, 'postgres'));
    const ownerUrl = port === undefined ? undefined : ownerUrlAt(port, passwords);
    if (ownerUrl !== undefined && (await takesConnections(ownerUrl))) return { ownerUrl };
    await pause(100);
  }
  return undefined;
}

/** False while nobody answers there, as after the death of a server. */
async function takesConnections(ownerUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: ownerUrl }).on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    return !isConnectionLost(error);
  }
}

function ownerUrlAt(port: number, passwords: EmbeddedPasswords): string {
  return `postgres://${ownerRole}:${passwords.owner}@127.0.0.1:${port}/${database}`;
}

async function openCluster(dataDir: string, { passwords, log }: EmbeddedOptions): Promise<Cluster> {
  const directory = join(dataDir, 'postgres');
  const account = await serverAccount(directory);
  const installed = await embeddedPrograms();
  const programs = account ? await shareWithOtherUsers(installed) : installed;
  const cluster = { directory, programs, account };
  if (account) await giveTo(account, directory);
  const version = (await readFile(join(directory, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version === '' && !(await isPresent(directory))) {
    log.info({ directory }, 'creating the database');
    const initdbArguments = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const password = passwords.superuser;
    await createCluster(cluster, { superuser, password, authentication: 'scram-sha-256', initdbArguments });
  } else if (version !== majorVersion) {
    throw new Error(
      `${directory} was made by PostgreSQL ${version || '(unknown)'}; Obol brings PostgreSQL ` +
        `${majorVersion}. Move it with pg_dump of the old version, or set DATABASE_URL to a server of yours.`,
    );
  }
  return cluster;
}

function isPresent(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Starts the server of a cluster where nothing runs; again when it is killed while it comes up. */
async function startUnlessKilled(cluster: Cluster, options: StartOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startServer(cluster, options);
    } catch (error) {
      if (options.signal?.aborted || attempt === restartsMax) throw error;
      if (!(error instanceof KilledWhileStarting)) throw error;
      await stopLeftovers(cluster.directory);
    }
  }
}

/**
 * Restarts the server whenever it ends unasked, on the same port, so that pools find it again. What keeps it
 * from starting is given some time to pass.
 */
function supervise(
  first: Server,
  restart: (signal: AbortSignal) => Promise<Server>,
  { log, onFailure }: EmbeddedOptions,
) {
  let server = first;
  const stopping = new AbortController();
  const { signal } = stopping;
  const assertFewRestarts = limitRestarts();
  const startAgain = async (): Promise<Server> => {
    for (let failure: unknown; ;) {
      assertFewRestarts(failure);
      try {
        return await restart(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.error({ err: error }, 'PostgreSQL does not start; it is tried again');
        failure = error;
        await pause(nextTryMs, undefined, { signal });
      }
    }
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      await server.exited;
      if (signal.aborted) return;
      log.error('PostgreSQL ended unexpectedly; starting it again');
      server = await startAgain();
      log.warn('PostgreSQL runs again');
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!signal.aborted) onFailure?.(error);
  });
  return {
    async stop(): Promise<void> {
      stopping.abort();
      // A restart may be under way; what it brings up is stopped too.
      while (!(await Promise.race([watching.then(() => true), pause(20, false)]))) await server.stop();
    },
  };
}

/** Throws, with what failed last, when there were too many restarts within a minute. */
function limitRestarts(): (failure: unknown) => void {
  const restartedAt: number[] = [];
  return (cause) => {
    const now = performance.now();
    restartedAt.push(now);
    const recent = restartedAt.filter((time) => time > now - restartsWindowMs).length;
    if (recent <= restartsMax) return;
    throw new Error(`PostgreSQL ended or did not start ${recent} times within a minute`, { cause });
  };
}

async function stopAll(supervised: { stop(): Promise<void> }, lock: DataDirLock): Promise<void> {
  await supervised.stop();
  await lock.release();
}

/** Makes the owner's role and database when they are missing. */
async function ensureDatabase(port: number, passwords: EmbeddedPasswords): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: superuser,
    password: passwords.superuser,
    database: 'postgres',
  });
  await client.connect().catch((error: unknown) => {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new Error(
      'The embedded database does not accept the password in secrets.json of the data directory: ' +
        'the two do not belong together. Restore secrets.json from a backup.',
      { cause: error },
    );
  });
  try {
    const { rows } = await client.query<{ has_role: boolean; has_database: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as has_role,
              exists (select from pg_database where datname = $2) as has_database`,
      [ownerRole, database],
    );
    if (!rows[0]?.has_role) {
      await client.query(
        `create role ${ownerRole} login createrole password ${pg.escapeLiteral(passwords.owner)}`,
      );
    }
    if (!rows[0]?.has_database) await client.query(`create database ${database} owner ${ownerRole}`);
  } finally {
    await client.end();
  }
}
