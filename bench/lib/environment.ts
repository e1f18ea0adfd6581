import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { pino } from 'pino';
import { end, launchService } from '../../scripts/service-process.ts';
import { startEmbeddedPostgres } from '../../server/src/db/embedded.ts';
import { seed, type Seeded } from './seed.ts';

/** Everything a scenario measures with: the service, its limits, and people who are signed in. */
export type Environment = Seeded & {
  port: number;
  /** The process of the service. */
  pid: number;
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

const emptyServiceFile = join(import.meta.dirname, 'empty-service.ts');
const plainServiceFile = join(import.meta.dirname, 'plain-service.ts');

/** With which what claims to come from Stripe is signed. */
export const stripeWebhookSecret = 'whsec_benchmarks';

/** What the service is told besides where its database is. */
export const serviceSettings = {
  OBOL_SECRET: 'a secret for benchmarks, of no use elsewhere',
  RATE_LIMIT_ENABLED: 'false',
  LOG_LEVEL: 'error',
  STRIPE_SECRET_KEY: 'sk_test_benchmarks',
  STRIPE_WEBHOOK_SECRET: stripeWebhookSecret,
};

/**
 * Starts a durable PostgreSQL of its own, the service on it as a process of its own, the empty service and
 * the books that we are measured against, and seeds the ledger. `stop` ends all of it and leaves nothing
 * behind, and so does a signal.
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
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  }
  try {
    const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const service = await launchService(
      serviceEnv({ ownerUrl: postgres.ownerUrl, dataDir, privateKey: keys.privateKey }),
    );
    endings.push(() => service.stop());
    await service.untilReady();
    const emptyPort = await startPeer(endings, emptyServiceFile, {});
    onProgress(`seeding ${wallets.toLocaleString('en')} wallets …`);
    await seedPeers(postgres.ownerUrl);
    const plainPort = await startPeer(endings, plainServiceFile, { DATABASE_URL: postgres.ownerUrl });
    const seeded = await seed({
      ownerUrl: postgres.ownerUrl,
      wallets,
      issuer: service.url,
      privateKey: keys.privateKey,
    });
    const { ownerUrl } = postgres;
    const { port, pid } = service;
    const superuserUrl = superuserUrlBeside(ownerUrl, passwords.superuser);
    return { ...seeded, port, pid, emptyPort, plainPort, ownerUrl, superuserUrl, dataDir, stop };
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
  privateKey: KeyObject;
}): Record<string, string> {
  return {
    DATABASE_URL: options.ownerUrl,
    DATA_DIR: options.dataDir,
    JWT_PRIVATE_KEY: options.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...serviceSettings,
  };
}

/** Starts a service that we are measured against; it prints its port as its first line. */
export async function startPeer(
  endings: (() => Promise<void>)[],
  file: string,
  env: Record<string, string>,
): Promise<number> {
  const peer = spawn(process.execPath, [file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endings.push(() => end(peer));
  for await (const line of createInterface(peer.stdout)) {
    peer.stdout.resume();
    return Number(line);
  }
  throw new Error(`${file} ended before it was ready`);
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
