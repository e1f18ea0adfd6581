import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { pino } from 'pino';
import { end, launchService } from '../../scripts/service-process.ts';
import { startEmbeddedPostgres } from '../../server/src/db/embedded.ts';
import { seed, type Seeded } from './seed.ts';

/** Everything a scenario measures with: the service, its limits, and people who are signed in. */
export type Environment = Seeded & {
  port: number;
  emptyPort: number;
  ownerUrl: string;
  stop(): Promise<void>;
};

export type EnvironmentOptions = { wallets: number; onProgress: (line: string) => void };

const emptyServiceFile = join(import.meta.dirname, 'empty-service.ts');

/**
 * Starts a durable PostgreSQL of its own, the service on it as a process of its own, the empty service and
 * the books that pgbench spends from, and seeds the ledger. `stop` ends all of it and leaves nothing behind.
 */
export async function startEnvironment({ wallets, onProgress }: EnvironmentOptions): Promise<Environment> {
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-bench-'));
  const endings: (() => Promise<void>)[] = [];
  const passwords = { superuser: randomUUID(), owner: randomUUID() };
  onProgress('starting PostgreSQL (fsync on) and the service …');
  const postgres = await startEmbeddedPostgres({ dataDir, passwords, log: pino({ level: 'fatal' }) });
  const stop = async (): Promise<void> => {
    for (const stopProcess of endings) await stopProcess();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const service = await launchService(
      serviceEnv({ ownerUrl: postgres.ownerUrl, dataDir, privateKey: keys.privateKey }),
    );
    endings.push(() => service.stop());
    await service.untilReady();
    const empty = spawn(process.execPath, [emptyServiceFile], { stdio: ['ignore', 'pipe', 'inherit'] });
    endings.push(() => end(empty));
    const emptyPort = Number(await firstLine(empty));
    onProgress(`seeding ${wallets.toLocaleString('en')} wallets …`);
    await seedPeer(postgres.ownerUrl);
    const seeded = await seed({
      ownerUrl: postgres.ownerUrl,
      wallets,
      issuer: service.url,
      privateKey: keys.privateKey,
    });
    return { ...seeded, port: service.port, emptyPort, ownerUrl: postgres.ownerUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serviceEnv(options: {
  ownerUrl: string;
  dataDir: string;
  privateKey: KeyObject;
}): Record<string, string> {
  return {
    DATABASE_URL: options.ownerUrl,
    DATA_DIR: options.dataDir,
    OBOL_SECRET: 'a secret for benchmarks, of no use elsewhere',
    JWT_PRIVATE_KEY: options.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    RATE_LIMIT_ENABLED: 'false',
  };
}

async function firstLine(child: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  for await (const line of createInterface(child.stdout)) {
    child.stdout.resume();
    return line;
  }
  throw new Error('the process ended before it was ready');
}

async function seedPeer(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    for (const statement of (await readFile(join(import.meta.dirname, 'peer.sql'), 'utf8')).split(
      /;\n(?=create|insert|vacuum)/,
    )) {
      await client.query(statement);
    }
  } finally {
    await client.end();
  }
}
