import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { stopLeftovers } from '../../src/db/embedded/leftovers.ts';
import { freePort } from '../../src/db/embedded/server.ts';

export const repositoryDir = join(import.meta.dirname, '../../..');

export type RealServiceOptions = {
  /** Settings besides PORT; nothing else of this process's environment counts. */
  env: Record<string, string>;
  port?: number;
  /** Where the program lies, when not in this repository. */
  programDir?: string;
  /** Whom it runs as, when not as this process. */
  account?: { uid: number; gid: number };
};

/** The service as an operator runs it: a process of its own, started from `main.ts`. */
export type RealService = {
  pid: number;
  url: string;
  /** Everything it has printed so far. */
  output(): string;
  /** Takes no more of what it prints, as when whoever kept its log has died. */
  closeOutput(): void;
  kill(signal: NodeJS.Signals): void;
  /** The exit code; null when a signal ended it. */
  exited: Promise<number | null>;
};

const readyMs = 60_000;
const compileCache = process.env.NODE_COMPILE_CACHE;
const services: RealService[] = [];
const scratchDirs: string[] = [];

afterAll(async () => {
  for (const service of services) {
    service.kill('SIGTERM');
    await service.exited;
  }
  for (const dir of scratchDirs) {
    await stopLeftovers(join(dir, 'postgres'));
    await rm(dir, { recursive: true, force: true });
  }
});

/** A directory with mode 0700, gone after the file; good for a DATA_DIR. */
export async function makeScratchDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'obol-crash-'));
  scratchDirs.push(dir);
  return dir;
}

/** Starts the service's process, without waiting for anything. */
export async function launchService(options: RealServiceOptions): Promise<RealService> {
  const port = options.port ?? (await freePort());
  const programDir = options.programDir ?? repositoryDir;
  const child = spawn(nodeOf(programDir), ['server/src/main.ts'], {
    cwd: programDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
      PORT: String(port),
      LOG_LEVEL: 'warn',
      RATE_LIMIT_ENABLED: 'false',
      ...options.env,
    },
    ...options.account,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', (error) => {
      output += String(error);
      resolve(null);
    });
  });
  const service: RealService = {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    output: () => output,
    closeOutput() {
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    },
    kill: (signal) => child.kill(signal),
    exited,
  };
  services.push(service);
  return service;
}

/** The Node that runs this test; a copy of the program brings its own copy of it. */
function nodeOf(programDir: string): string {
  const path = relative(repositoryDir, process.execPath);
  return path.startsWith('..') ? process.execPath : join(programDir, path);
}

/** Starts the service and waits until it is ready. Rejects with what it printed when it ends instead. */
export async function startRealService(options: RealServiceOptions): Promise<RealService> {
  const service = await launchService(options);
  await untilReady(service);
  return service;
}

/** Waits until the service says that it is ready. */
export async function untilReady(service: RealService): Promise<void> {
  const ended = service.exited.then(() => true);
  for (let waitedMs = 0; waitedMs < readyMs; waitedMs += 25) {
    if (await isReady(service.url)) return;
    if (await Promise.race([ended, pause(25, false)])) break;
  }
  throw new Error(`The service did not become ready:\n${service.output()}`);
}

/** The process of the embedded server of a data directory; undefined when none runs. */
export async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split('\n')[0]);
}

/** The processes that a process has started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const line = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return line
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false;
  }
}
