import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from './account.ts';
import type { Programs } from './programs.ts';

/** A cluster and what runs it. `account` is whom the programs run as; undefined means as this process. */
export type Cluster = { directory: string; programs: Programs; account: Account | undefined };

export type ClusterOptions = {
  superuser: string;
  password: string;
  authentication: 'scram-sha-256' | 'trust';
  /** Further arguments of `initdb`, such as those for the locale. */
  initdbArguments: string[];
};

export type StartOptions = { settings: Record<string, string>; logFile: string; port?: number };

export type Server = {
  port: number;
  pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  exited: Promise<void>;
  /** Stops the server in order: clients are disconnected, everything is on disk. */
  stop(): Promise<void>;
};

/** The server, or one of its processes, was killed while it came up. Nothing is wrong with the cluster. */
export class KilledWhileStarting extends Error {}

const readyPollMs = 20;
const fastStopMs = 30_000;

/**
 * Makes a cluster. It appears under its name only when it is complete; whatever an earlier attempt left is
 * cleared.
 */
export async function createCluster(cluster: Cluster, options: ClusterOptions): Promise<void> {
  const stagingDir = `${cluster.directory}.new`;
  const directory = join(stagingDir, 'cluster');
  const passwordFile = join(stagingDir, 'password');
  await rm(stagingDir, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (cluster.account) {
    const { uid, gid } = cluster.account;
    for (const path of [stagingDir, directory, passwordFile]) await chown(path, uid, gid);
  }
  const staged = { ...cluster, directory };
  const child = launch(staged, 'initdb', [
    `--username=${options.superuser}`,
    '--pwfile=../password',
    `--auth=${options.authentication}`,
    '--encoding=UTF8',
    ...options.initdbArguments,
  ]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`The database could not be created: ${output.trim()}`);
  await rename(directory, cluster.directory);
  await rm(stagingDir, { recursive: true, force: true });
}

/**
 * Starts the server of a cluster and waits until it takes connections, through crash recovery if need be.
 * Without a `port` it takes a free one. `logFile` gets what the server has to say. Throws with the end of the
 * log when it ends; KilledWhileStarting when that was a signal's doing.
 */
export async function startServer(cluster: Cluster, options: StartOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    await rename(options.logFile, `${options.logFile}.old`).catch(() => {});
    const log = await open(options.logFile, 'w', 0o600);
    const settings = { ...options.settings, port: String(port) };
    const arguments_ = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = launch(cluster, 'postgres', arguments_, log.fd);
    const ended = exitOf(child);
    const exited = ended.then(() => {});
    await log.close();
    if (await becomesReady(cluster.directory, child, exited)) {
      return { port, pid: child.pid ?? 0, exited, stop: () => stopServer(child, exited) };
    }
    const said = (await readFile(options.logFile, 'utf8')).trim().split('\n');
    if (attempt < 5 && said.some((line) => /address already in use/i.test(line))) continue;
    const wasKilled = (await ended) === null || said.some((line) => /was terminated by signal 9/.test(line));
    throw new (wasKilled ? KilledWhileStarting : Error)(
      `PostgreSQL did not start:\n${said.slice(-5).join('\n')}`,
    );
  }
}

/** The port of the server that runs in a cluster, as the server itself has noted it. */
export async function runningPort(clusterDir: string): Promise<number | undefined> {
  const lines = await pidFileLines(clusterDir);
  return lines[7]?.trim() === 'ready' ? Number(lines[3]) : undefined;
}

/**
 * Another user may not be able to walk down to the cluster (root's home is closed), but a process can always
 * name its working directory; root enters it before it becomes that user. The process leads a session of its
 * own, so that Ctrl+C in the terminal reaches the service, which stops the database last.
 */
function launch(cluster: Cluster, program: string, arguments_: string[], logFd?: number): ChildProcess {
  const directory = cluster.account ? '/proc/self/cwd' : cluster.directory;
  return spawn(join(cluster.programs.binDir, program), ['-D', directory, ...arguments_], {
    cwd: cluster.directory,
    detached: true,
    stdio: logFd === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', logFd, logFd],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    ...cluster.account,
  });
}

/** Resolves with the exit code when the process ends; rejects when it could not even be started. */
function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
}

/** True as soon as the server takes connections, false when it ends before that. */
async function becomesReady(
  clusterDir: string,
  child: ChildProcess,
  exited: Promise<void>,
): Promise<boolean> {
  const ended = exited.then(() => true);
  for (;;) {
    const lines = await pidFileLines(clusterDir);
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    if (await Promise.race([ended, pause(readyPollMs, false)])) return false;
  }
}

async function pidFileLines(clusterDir: string): Promise<string[]> {
  return (await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

async function stopServer(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.kill('SIGINT');
  const inTime = await Promise.race([exited.then(() => true), pause(fastStopMs, false, { ref: false })]);
  if (!inTime) child.kill('SIGQUIT');
  await exited;
}

/** A TCP port of the loopback address that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
  });
}
