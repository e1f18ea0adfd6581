import { serverAccount } from '../../../src/db/embedded/account.ts';
import { embeddedPrograms, shareWithOtherUsers } from '../../../src/db/embedded/programs.ts';
import { startTestPostgres } from './postgres.ts';
import { clusterDirOf, type Backend } from './scratch.ts';

/** The PostgreSQL that the service brings along, without a pooler; rate limits are counted in memory. */
export async function startEmbeddedBackend(dir: string): Promise<Backend> {
  const installed = await embeddedPrograms();
  const account = await serverAccount(clusterDirOf(dir));
  const programs = account ? await shareWithOtherUsers(installed) : installed;
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const { server, adminUrl } = await startTestPostgres(dir, programs, locale);
  return { adminUrl, poolerPort: null, redisUrl: null, stop: () => server.stop() };
}
