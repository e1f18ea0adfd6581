import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findEmbeddedPostgres } from './embedded.ts';
import { lockDataDir } from './embedded/lock.ts';
import { startServer } from './embedded/server.ts';

async function makeDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'obol-embedded-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('a command beside a service waits while its database is dead, and until the service has ended', async () => {
  const dataDir = await makeDir();
  const lock = await lockDataDir(dataDir);
  const dying = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(dying, 'listening');
  const { port } = dying.address() as AddressInfo;
  await mkdir(join(dataDir, 'postgres'));
  // What a killed server leaves behind still says that it is ready.
  const lines = [2 ** 22, '.', 1, port, '', '127.0.0.1', '1 1', 'ready'];
  await writeFile(join(dataDir, 'postgres/postmaster.pid'), `${lines.join('\n')}\n`);
  const found = findEmbeddedPostgres(dataDir, { superuser: 'none', owner: 'none' });
  await Promise.race([once(dying, 'connection'), found]);
  dying.close();
  await lock.release();
  expect(await found).toBeUndefined();
});

test('a server whose program cannot be run does not start, and says why', async () => {
  const directory = await makeDir();
  const cluster = { directory, programs: { binDir: join(directory, 'none') }, account: undefined };
  const start = startServer(cluster, { settings: {}, logFile: join(directory, 'postgres.log') });
  await expect(start).rejects.toMatchObject({ code: 'ENOENT' });
});
