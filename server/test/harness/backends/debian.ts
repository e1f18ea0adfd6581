import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverAccount, type Account } from '../../../src/db/embedded/account.ts';
import { freePort } from '../../../src/db/embedded/server.ts';
import { startTestPostgres } from './postgres.ts';
import type { Backend } from './scratch.ts';

const binDir = '/usr/lib/postgresql/15/bin';

/**
 * Debian's PostgreSQL 15, the oldest version we support, behind PgBouncer in transaction mode, and Redis for
 * the rate limits. All run on ports of their own, as the user that PostgreSQL runs as.
 */
export async function startDebianBackend(dir: string): Promise<Backend> {
  const { server, adminUrl } = await startTestPostgres(dir, { binDir }, ['--locale=C.UTF-8']);
  const account = await serverAccount(join(dir, 'postgres'));
  const pooler = await startPooler(dir, server.port, account);
  const redis = await startRedis(dir, account);
  return {
    adminUrl,
    poolerPort: pooler.port,
    redisUrl: `redis://127.0.0.1:${redis.port}`,
    async stop() {
      await redis.stop();
      await pooler.stop();
      await server.stop();
    },
  };
}

async function startPooler(dir: string, postgresPort: number, account: Account | undefined) {
  const port = await freePort();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: 'users.txt',
    pool_mode: 'transaction',
    default_pool_size: 10,
    max_client_conn: 2000,
    server_idle_timeout: 5,
    server_login_retry: 1,
    logfile: 'pgbouncer.log',
  };
  const workingDir = await makeDir(dir, 'pgbouncer', account, {
    'users.txt': '"obol_app" ""\n',
    'pgbouncer.ini': [
      '[databases]',
      `* = host=127.0.0.1 port=${postgresPort}`,
      '[pgbouncer]',
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  });
  return launch('pgbouncer', ['-q', 'pgbouncer.ini'], { port, workingDir, account });
}

async function startRedis(dir: string, account: Account | undefined) {
  const port = await freePort();
  const workingDir = await makeDir(dir, 'redis', account, {});
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--databases', '10000'];
  const inMemory = ['--save', '', '--appendonly', 'no', '--logfile', 'redis.log'];
  return launch('redis-server', [...settings, ...inMemory], { port, workingDir, account });
}

async function makeDir(
  dir: string,
  name: string,
  account: Account | undefined,
  files: Record<string, string>,
): Promise<string> {
  const path = join(dir, name);
  await mkdir(path, { mode: 0o700 });
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  if (account) {
    for (const own of [path, ...Object.keys(files).map((file) => join(path, file))]) {
      await chown(own, account.uid, account.gid);
    }
  }
  return path;
}

type LaunchOptions = { port: number; workingDir: string; account: Account | undefined };

/** Starts a server in the foreground and waits until its port answers; rejects when it ends before that. */
async function launch(program: string, args: string[], { port, workingDir, account }: LaunchOptions) {
  const child = spawn(program, args, {
    cwd: workingDir,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin` },
    ...account,
  });
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('exit', () => resolve());
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = exited.then(() => true);
  while (!(await answers(port))) {
    if (await Promise.race([ended, pause(20, false)])) throw new Error(`${program} did not start`);
  }
  return { port, stop: () => stopChild(child, exited) };
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
