import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readReal, registerRealPerson } from './people.ts';
import {
  childrenOf,
  launchService,
  makeScratchDir,
  postmasterPid,
  repositoryDir,
  startRealService,
  untilReady,
  type RealService,
  type RealServiceOptions,
} from './real-service.ts';

const run = promisify(execFile);
const program = join(repositoryDir, 'server/src/cli/main.ts');
const isRoot = process.getuid?.() === 0;
/** Debian's user for programs that own nothing. */
const nobody = { uid: 65_534, gid: 65_534 };

describe('a running service with an embedded PostgreSQL', { timeout: 120_000 }, () => {
  let closedDir: string;
  let dataDir: string;
  let service: RealService;
  beforeAll(async () => {
    closedDir = await makeScratchDir();
    dataDir = join(closedDir, 'data');
    service = await startRealService({ env: { DATA_DIR: dataDir, LOG_LEVEL: 'info' } });
  }, 60_000);

  test('keeps its secrets to its owner', async () => {
    expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
  });

  test('runs it as a user that is not root, even below a directory that only root can enter', async () => {
    const { uid } = await stat(join(dataDir, 'postgres'));
    expect(uid).not.toBe(0);
    expect((await stat(`/proc/${await postmasterPid(dataDir)}`)).uid).toBe(uid);
    expect((await stat(closedDir)).mode & 0o777).toBe(0o700);
  });

  test('is the only one on its data directory: a second one refuses and names it', async () => {
    const second = await launchService(on(dataDir));
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`process ${service.pid}`);
    await untilReady(service);
  });

  test('is the only one on its port: another one refuses and leaves no database running', async () => {
    const otherDir = await makeScratchDir();
    const port = Number(new URL(service.url).port);
    const second = await launchService({ ...on(otherDir), port });
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`Port ${port} is taken`);
    expect(await postmasterPid(otherDir)).toBeUndefined();
  });

  test('gets its PostgreSQL back when that dies, and nothing acknowledged is lost', async () => {
    const person = await registerRealPerson(service.url);
    const { available } = await readReal(service.url, person, 'balance');
    const pid = await postmasterPid(dataDir);
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    process.kill(pid, 'SIGKILL');
    while ([pid, undefined].includes(await postmasterPid(dataDir))) {
      await fetch(`${service.url}/health/ready`);
    }
    await untilReady(service);
    expect(await readReal(service.url, person, 'balance')).toMatchObject({ available });
  });

  test('gets it back when one of its processes dies, and then those that recover it', async () => {
    const person = await registerRealPerson(service.url);
    const { available } = await readReal(service.url, person, 'balance');
    await killOneOf(dataDir, 'checkpointer');
    for (let times = 0; times < 3; times++) await killOneOf(dataDir, 'startup');
    await untilReady(service);
    expect(await readReal(service.url, person, 'balance')).toMatchObject({ available });
    // What it said of the first death is still there to be read.
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toMatch(/checkpointer process .+ signal 9/);
  });

  test('gets it back when another program has had its port for a while', async () => {
    const thief = await killAndTakePort(dataDir);
    await vi.waitFor(() => expect(service.output()).toContain('it is tried again'), 20_000);
    thief.close();
    await untilReady(service);
  });

  test('serves on when nobody takes its log any more', async () => {
    service.closeOutput();
    const statusOf = async (path: string) => (await fetch(`${service.url}${path}`)).status;
    for (let line = 0; line < 3; line++) expect(await statusOf('/api/v1/auth/me')).toBe(401);
    expect(await statusOf('/health/ready')).toBe(200);
  });
});

describe('a service starts on an embedded PostgreSQL', { timeout: 120_000 }, () => {
  let usedDir: string;
  beforeAll(async () => {
    usedDir = await makeScratchDir();
    await stopInOrder(await startRealService(on(usedDir)));
  }, 60_000);

  test('that SIGTERM has stopped in order', async () => {
    const dataDir = await copyOf(usedDir);
    const service = await startRealService(on(dataDir));
    await stopInOrder(service);
    expect(await postmasterPid(dataDir)).toBeUndefined();
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('database system is shut down');
    await startRealService(on(dataDir));
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('recovery');
  });

  test('that SIGTERM has stopped while its database was being started again', async () => {
    const dataDir = await copyOf(usedDir);
    const service = await startRealService(on(dataDir));
    const thief = await killAndTakePort(dataDir);
    await vi.waitFor(() => expect(service.output()).toContain('it is tried again'), 20_000);
    service.kill('SIGTERM');
    thief.close();
    expect(await service.exited).toBe(0);
    expect(await postmasterPid(dataDir)).toBeUndefined();
    await startRealService(on(dataDir));
  });

  test('that a second signal has stopped, which waits for no request', async () => {
    const dataDir = await copyOf(usedDir);
    const env = { DATA_DIR: dataDir, LOG_LEVEL: 'warn', SHUTDOWN_TIMEOUT: '1h', REQUEST_TIMEOUT: '5m' };
    const service = await startRealService({ env });
    const { hostname, port } = new URL(service.url);
    const request = connect(Number(port), hostname).on('error', () => {});
    const head =
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n';
    request.write(head);
    // Now the service has it, and waits for its body.
    expect(String(await once(request, 'data'))).toContain('100 Continue');
    const ended = service.exited.then(() => true);
    do service.kill('SIGTERM');
    while (!(await Promise.race([ended, pause(20, false)])));
    expect(service.output()).toContain('stopping at once');
    expect(await service.exited).toBe(130);
    expect(await postmasterPid(dataDir)).toBeUndefined();
    request.destroy();
  });

  test('that a command had started when Ctrl+C ended it', async () => {
    const dataDir = await copyOf(usedDir);
    const command = spawn(process.execPath, [program, 'ledger', 'verify'], {
      cwd: dataDir,
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
      stdio: 'ignore',
    });
    const ended = once(command, 'exit');
    while ((await postmasterPid(dataDir)) === undefined) await pause(5);
    command.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(await postmasterPid(dataDir)).toBeUndefined();
  });

  test('whose postmaster.pid names a process that is not PostgreSQL', async () => {
    const dataDir = await copyOf(usedDir);
    const lines = [process.pid, '/proc/self/cwd', 1, 1, '', '127.0.0.1', '1 1', 'ready'];
    await writeFile(join(dataDir, 'postgres/postmaster.pid'), `${lines.join('\n')}\n`);
    await startRealService(on(dataDir));
    expect([process.pid, undefined]).not.toContain(await postmasterPid(dataDir));
  });

  test('whose making was cut off', async () => {
    const dataDir = await makeScratchDir();
    await mkdir(join(dataDir, 'postgres.new/cluster/base'), { recursive: true });
    await writeFile(join(dataDir, 'postgres.new/cluster/PG_VERSION'), '18\n');
    await startRealService(on(dataDir));
    await expect(stat(join(dataDir, 'postgres.new'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('but not with secrets that are not the ones it was made with', async () => {
    const dataDir = await copyOf(usedDir);
    const path = join(dataDir, 'secrets.json');
    const secrets = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...secrets, databaseSuperuserPassword: 'another' }));
    const service = await launchService(on(dataDir));
    expect(await service.exited).toBe(1);
    expect(service.output()).toContain('Restore secrets.json from a backup');
  });

  test('as a normal user', async () => {
    // Without root there is nobody to switch to, and this process is a normal user itself.
    const dataDir = join(await makeScratchDir(), 'data');
    const service = await (isRoot ? startAsNobody(dataDir) : startRealService(on(dataDir)));
    const expected = isRoot ? nobody.uid : process.getuid?.();
    expect((await stat(`/proc/${service.pid}`)).uid).toBe(expected);
    expect((await stat(`/proc/${await postmasterPid(dataDir)}`)).uid).toBe(expected);
  });
});

test('in production, what is missing is named and nothing is made up', { timeout: 60_000 }, async () => {
  const dataDir = join(await makeScratchDir(), 'data');
  const service = await launchService({ env: { NODE_ENV: 'production', DATA_DIR: dataDir } });
  expect(await service.exited).toBe(1);
  expect(service.output()).toContain('OBOL_SECRET is missing');
  expect(service.output()).toContain('DATABASE_URL is missing');
  await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
});

function on(dataDir: string): RealServiceOptions {
  return { env: { DATA_DIR: dataDir } };
}

async function stopInOrder(service: RealService): Promise<void> {
  service.kill('SIGTERM');
  expect(await service.exited).toBe(0);
}

/** A copy of a data directory, with its owners. */
async function copyOf(dataDir: string): Promise<string> {
  const copy = await makeScratchDir();
  await run('cp', ['-a', `${dataDir}/.`, copy]);
  return copy;
}

/** Starts a copy of the program that everybody can read, as a user of no rights. */
async function startAsNobody(dataDir: string): Promise<RealService> {
  const dir = join(dataDir, '..');
  const programDir = join(dir, 'program');
  await chmod(dir, 0o777);
  for (const folder of ['server', 'web']) await mkdir(join(programDir, folder), { recursive: true });
  const parts = ['package.json', 'node_modules', 'server/package.json', 'server/src', 'stand-in', 'web/dist'];
  // Where npm puts what two workspaces want in two versions.
  const own = 'server/node_modules';
  for (const part of existsSync(join(repositoryDir, own)) ? [...parts, own] : parts) {
    // Links cost nothing; where the copy lies on another file system they are not possible.
    const copy = (flags: string) => run('cp', [flags, join(repositoryDir, part), join(programDir, part)]);
    await copy('-al').catch(() => copy('-a'));
  }
  return startRealService({ ...on(dataDir), programDir, account: nobody });
}

/** Waits until the server of a data directory has a process that does this, and kills it. */
async function killOneOf(dataDir: string, title: string): Promise<void> {
  for (;;) {
    const postmaster = await postmasterPid(dataDir);
    for (const pid of postmaster === undefined ? [] : await childrenOf(postmaster)) {
      const shown = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (new RegExp(`^postgres: obol: ${title}\\b`).test(shown)) {
        process.kill(pid, 'SIGKILL');
        return;
      }
    }
    await pause(1);
  }
}

/** Kills the server of a data directory, and listens on its port before it is started again. */
async function killAndTakePort(dataDir: string): Promise<Server> {
  const lines = (await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(lines[0]), 'SIGKILL');
  for (;;) {
    const server = createServer().listen(Number(lines[3]), '127.0.0.1');
    const isListening = once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (await isListening) return server;
  }
}
