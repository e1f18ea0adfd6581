import { performance } from 'node:perf_hooks';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { loadConfig } from '../../server/src/config.ts';
import { prepareDatabase } from '../../server/src/db/connect.ts';
import { createSpendQueue, type SpendRequest } from '../../server/src/domains/credits/index.ts';
import { newId } from '../../server/src/lib/ids.ts';
import { createService } from '../../server/src/service.ts';
import type { Person } from './seed.ts';
import { serviceSettings } from './environment.ts';

export type SpendLoad = { people: Person[]; inFlight: number; seconds: number };

/** The ledger of a database, spent from through the queue of the service but without HTTP. */
export type Ledger = {
  /** Spends per second with so many under way at once. Rejects when one is refused. */
  spendRate(load: SpendLoad): Promise<number>;
  stop(): Promise<void>;
};

/** Opens the ledger in this process, which must have nothing else to do while it is measured. */
export async function openLedger(ownerUrl: string, dataDir: string): Promise<Ledger> {
  const config = loadConfig({ DATABASE_URL: ownerUrl, DATA_DIR: dataDir, ...serviceSettings });
  const { appUrl } = await prepareDatabase(config, ownerUrl);
  const service = await createService({ config, appUrl, runsJobs: false });
  const { ctx } = service;
  const queue = createSpendQueue(ctx);
  const requestOf = ({ userId, sessionId }: Person): SpendRequest => ({
    walletId: userId,
    userId,
    sessionId,
    appId: 'bench',
    amount: 1,
    description: 'benchmark',
    metadata: null,
    idempotencyKey: randomUUID(),
    requestHash: '00'.repeat(32),
    transactionId: newId(ctx),
  });
  return {
    stop: () => service.stop(),
    async spendRate({ people, inFlight, seconds }) {
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1000;
      let spends = 0;
      const spendOn = async (first: number): Promise<void> => {
        for (let index = first; performance.now() < endsAt; index += inFlight) {
          const person = people[index % people.length];
          if (!person) throw new Error('nobody is signed in');
          const { code } = await queue.submit(requestOf(person));
          if (code !== null) throw new Error(`a spend was refused: ${code}`);
          spends += 1;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, (_, index) => spendOn(index)));
      return spends / ((performance.now() - startedAt) / 1000);
    },
  };
}

/** Makes an empty database beside that of `superuserUrl` and returns its owner's address. */
export async function createDatabase(superuserUrl: string, ownerUrl: string, name: string): Promise<string> {
  const owner = new URL(ownerUrl);
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query(`create database ${name} owner ${pg.escapeIdentifier(owner.username)}`);
  } finally {
    await client.end();
  }
  owner.pathname = `/${name}`;
  return owner.href;
}
