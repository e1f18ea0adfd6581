import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
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

export type StartOptions = {
  settings: Record<string, string>;
  logFile: string;
  port?: number;
  /** Stops the server while it comes up; the start fails then. */
  signal?: AbortSignal;
};

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

/** How a process has ended: with an exit code, by a signal (null), or before it began. */
type Ending = { code: number | null; error?: Error };

const readyPollMs = 20;
const fastStopMs = 30_000;
/** A log longer than this is set aside by the next start. */
const logBytesMax = 1_000_000;

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
  const { code, error } = await endingOf(child);
  if (error) throw error;
  if (code !== 0) throw new Error(`The database could not be created: ${output.trim()}`);
  await rename(directory, cluster.directory);
  await rm(stagingDir, { recursive: true, force: true });
}

/**
 * Starts the server of a cluster and waits until it takes connections, through crash recovery if need be.
 * Without a `port` it takes a free one. What the server has to say is added to `logFile`, below what the ones
 * before it said. Throws with the end of that when it ends; KilledWhileStarting when that was a signal's
 * doing.
 */
export async function startServer(cluster: Cluster, options: StartOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const { child, ended, logStart } = await launchServer(cluster, options, port);
    const exited = ended.then(() => {});
    const stop = () => stopServer(child, exited);
    if (await becomesReady(cluster.directory, { child, exited, signal: options.signal }))
      return { port, pid: child.pid ?? 0, exited, stop };
    const { code, error } = await ended;
    if (error) throw error;
    const said = (await readFile(options.logFile)).subarray(logStart).toString().trim().split('\n');
    const isPortTaken = said.some((line) => /address already in use/i.test(line));
    if (isPortTaken && options.port === undefined && attempt < 5) continue;
    const wasKilled = code === null || said.some((line) => /was terminated by signal 9/.test(line));
    throw new (wasKilled ? KilledWhileStarting : Error)(
      `PostgreSQL did not start:\n${said.slice(-5).join('\n')}`,
    );
  }
}

/** Starts the process of a server. `logStart` is where in the log it begins. */
async function launchServer(cluster: Cluster, options: StartOptions, port: number) {
  const { logFile } = options;
  const settings = { ...options.settings, port: String(port) };
  const arguments_ = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const size = await stat(logFile).then(
    (file) => file.size,
    () => 0,
  );
  if (size > logBytesMax) await rename(logFile, `${logFile}.old`);
  const log = await open(logFile, 'a', 0o600);
  try {
    const { size: logStart } = await log.stat();
    const child = launch(cluster, 'postgres', arguments_, log.fd);
    return { child, ended: endingOf(child), logStart };
  } finally {
    await log.close();
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

/** Resolves when the process has ended, or could not even be started. */
function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error })).once('close', (code) => resolve({ code }));
  });
}

type Starting = { child: ChildProcess; exited: Promise<void>; signal: AbortSignal | undefined };

/** True as soon as the server takes connections, false when it ends before that. */
async function becomesReady(clusterDir: string, { child, exited, signal }: Starting): Promise<boolean> {
  const ended = exited.then(() => true);
  for (;;) {
    if (signal?.aborted) await stopServer(child, exited);
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
