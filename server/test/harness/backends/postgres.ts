import { join } from 'node:path';
import { serverAccount } from '../../../src/db/embedded/account.ts';
import type { Programs } from '../../../src/db/embedded/programs.ts';
import { createCluster, startServer, type Server } from '../../../src/db/embedded/server.ts';
import { clusterDirOf } from './scratch.ts';

/** For speed only: nothing of a test run has to survive a power cut. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  timezone: 'UTC',
  // As the guide asks; sooner, so that no test waits long for it.
  ...(process.platform === 'linux' ? { client_connection_check_interval: '500ms' } : {}),
};

/** Starts a PostgreSQL that trusts everybody on this machine, for a test run. */
export async function startTestPostgres(
  dir: string,
  programs: Programs,
  localeArguments: string[],
): Promise<{ server: Server; adminUrl: string }> {
  const directory = clusterDirOf(dir);
  const cluster = { directory, programs, account: await serverAccount(directory) };
  await createCluster(cluster, {
    superuser: 'postgres',
    password: 'unused',
    authentication: 'trust',
    initdbArguments: [...localeArguments, '--no-sync'],
  });
  const server = await startServer(cluster, { settings, logFile: join(dir, 'postgres.log') });
  process.once('exit', () => void server.stop());
  return { server, adminUrl: `postgres://postgres@127.0.0.1:${server.port}/postgres` };
}
