import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../server/src/db/embedded.ts';
import { seed, type Seeded } from './seed.ts';

/** Everything a scenario measures with: the service, its limits, and people who are signed in. */
export type Environment = Seeded & {
  port: number;
  emptyPort: number;
  plainPort: number;
  /** Owns the database that the service works on. */
  ownerUrl: string;
  /** The superuser's address, to make further databases beside the first. */
  superuserUrl: string;
  dataDir: string;
  stop(): Promise<void>;
};

export type EnvironmentOptions = { wallets: number; onProgress: (line: string) => void };

const serviceFile = join(import.meta.dirname, '../../server/src/main.ts');
const emptyServiceFile = join(import.meta.dirname, 'empty-service.ts');
const plainServiceFile = join(import.meta.dirname, 'plain-service.ts');

/** What the service is told besides where its database is. */
export const serviceSettings = {
  OBOL_SECRET: 'a secret for benchmarks, of no use elsewhere',
  RATE_LIMIT_ENABLED: 'false',
  LOG_LEVEL: 'error',
};

/**
 * Starts a durable PostgreSQL of its own, the service on it as a process of its own, the empty service and
 * the books that we are measured against, and seeds the ledger. `stop` ends all of it and leaves nothing
 * behind, and so does a signal.
 */
export async function startEnvironment({ wallets, onProgress }: EnvironmentOptions): Promise<Environment> {
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-bench-'));
  const children: ChildProcess[] = [];
  const passwords = { superuser: randomUUID(), owner: randomUUID() };
  onProgress('starting PostgreSQL (fsync on) and the service …');
  const postgres = await startEmbeddedPostgres({ dataDir, passwords, log: pino({ level: 'fatal' }) });
  const stop = async (): Promise<void> => {
    for (const child of children) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  }
  try {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    const service = start(
      children,
      serviceFile,
      serviceEnv({ ownerUrl: postgres.ownerUrl, dataDir, port, privateKey: keys.privateKey }),
    );
    await untilReady(service, `http://127.0.0.1:${port}/health/ready`);
    const empty = start(children, emptyServiceFile, {});
    const emptyPort = Number(await firstLine(empty));
    onProgress(`seeding ${wallets.toLocaleString('en')} wallets …`);
    await seedPeers(postgres.ownerUrl);
    const plain = start(children, plainServiceFile, { DATABASE_URL: postgres.ownerUrl });
    const plainPort = Number(await firstLine(plain));
    const seeded = await seed({
      ownerUrl: postgres.ownerUrl,
      wallets,
      issuer: baseUrl,
      privateKey: keys.privateKey,
    });
    const { ownerUrl } = postgres;
    const superuserUrl = superuserUrlBeside(ownerUrl, passwords.superuser);
    return { ...seeded, port, emptyPort, plainPort, ownerUrl, superuserUrl, dataDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function superuserUrlBeside(ownerUrl: string, password: string): string {
  const url = new URL(ownerUrl);
  Object.assign(url, { username: 'postgres', password, pathname: '/postgres' });
  return url.href;
}

function serviceEnv(options: {
  ownerUrl: string;
  dataDir: string;
  port: number;
  privateKey: KeyObject;
}): Record<string, string> {
  return {
    DATABASE_URL: options.ownerUrl,
    DATA_DIR: options.dataDir,
    PORT: String(options.port),
    JWT_PRIVATE_KEY: options.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...serviceSettings,
  };
}

function start(children: ChildProcess[], file: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the process has no output');
  for await (const line of createInterface(child.stdout)) {
    child.stdout.resume();
    return line;
  }
  throw new Error('the process ended before it was ready');
}

async function untilReady(service: ChildProcess, url: string): Promise<void> {
  // What it logs at its level is worth seeing; the greeting is not.
  service.stdout?.on('data', (chunk: Buffer) => {
    if (/error|fatal/i.test(chunk.toString())) process.stderr.write(chunk);
  });
  for (;;) {
    if (service.exitCode !== null) throw new Error('the service did not start');
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The books that we are measured against. */
async function seedPeers(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    for (const file of ['peer.sql', 'plain.sql']) {
      const text = await readFile(join(import.meta.dirname, file), 'utf8');
      // A vacuum wants to be alone, so each statement goes by itself.
      for (const statement of text.split(/;\n(?=create|insert|vacuum)/)) await client.query(statement);
    }
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
  });
}
