import type { Logger } from 'pino';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './db/embedded.ts';
import type { Environment } from './environment.ts';

export type OpenDatabase = {
  /** Address for prepareDatabase. */
  databaseUrl: string;
  isEmbedded: boolean;
  announceStop(): void;
  close(): Promise<void>;
};

export type OpenDatabaseOptions = {
  log: Logger;
  /** Called when the embedded PostgreSQL died and could not be brought back. */
  onFailure?: (error: unknown) => void;
  /** For a command beside a running service: uses that service's embedded PostgreSQL instead of refusing. */
  mayShare?: boolean;
};

/**
 * The database to work on: the one DATABASE_URL names, else the embedded PostgreSQL of the data directory,
 * which is started here and stopped by `close`. Throws DataDirInUseError when another service runs on the
 * directory.
 */
export async function openDatabase(
  { config, dataSecrets }: Environment,
  options: OpenDatabaseOptions,
): Promise<OpenDatabase> {
  const borrowed = { announceStop: () => {}, close: async () => {} };
  if (config.databaseUrl !== '' || !dataSecrets) {
    return { databaseUrl: config.databaseUrl, isEmbedded: false, ...borrowed };
  }
  const passwords = {
    superuser: dataSecrets.databaseSuperuserPassword,
    owner: dataSecrets.databaseOwnerPassword,
  };
  if (options.mayShare) {
    const running = await findEmbeddedPostgres(config.dataDir, passwords);
    if (running) return { databaseUrl: running.ownerUrl, isEmbedded: true, ...borrowed };
  }
  const { log, onFailure } = options;
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    passwords,
    log,
    ...(onFailure ? { onFailure } : {}),
  });
  return {
    databaseUrl: embedded.ownerUrl,
    isEmbedded: true,
    announceStop: () => embedded.announceStop(),
    close: () => embedded.stop(),
  };
}
