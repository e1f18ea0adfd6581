import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { freePort } from '../../src/db/embedded/server.ts';
import { cloneDatabase, throughPooler } from '../harness/index.ts';
import { awaitMoment, killPostgres, killService, untilUp, type Victim } from './killing.ts';
import * as people from './people.ts';
import { createRandom, type Random } from './random.ts';
import { makeScratchDir, repositoryDir, startRealService } from './real-service.ts';
import { createRetryingClient, type RetryingClient } from './retrying-client.ts';
import { work, type Account, type Parties } from './worker.ts';

const run = promisify(execFile);
const isEmbedded = inject('backend') === 'embedded';
// `npm run test:crash` asks for more of both.
const serviceKills = Number(process.env.CRASH_SERVICE_KILLS ?? (isEmbedded ? 7 : 5));
// Only the server that belongs to the service may be killed.
const postgresKills = isEmbedded ? Number(process.env.CRASH_POSTGRES_KILLS ?? 3) : 0;
const seed = Number(process.env.CRASH_SEED ?? randomInt(1_000_000_000));
const wallets = 4;
const workersPerWallet = 3;
const kills = serviceKills + postgresKills;

test(
  `after ${serviceKills} kills of the service and ${postgresKills} of PostgreSQL under load (seed ${seed}), ` +
    'every acknowledged operation is there, once',
  { timeout: 90_000 + kills * 20_000 },
  async () => {
    const random = createRandom(seed);
    const waiters: { count: number; resolve: () => void }[] = [];
    const victim = await startVictim(waiters);
    const client = createRetryingClient(victim.service.url, () => {
      for (const waiter of waiters) waiter.count -= 1;
      for (const waiter of waiters.filter(({ count }) => count === 0)) waiter.resolve();
    });
    const books = await openWallets(victim);

    const underLoad = startWorkers(client, books, random);
    await Promise.race([killThemAll(victim, client, random), underLoad.failed]);
    await Promise.all([underLoad.finish(), untilUp(victim)]);

    for (const { parties, account } of books) await expectExact(victim.service.url, parties.person, account);
    await expectSound(victim);
    const { acknowledged, retried, doneUnheard } = client.tally;
    say(`${acknowledged} answered, ${retried} after repeating, ${doneUnheard} of these had been done before`);
    expect(retried).toBeGreaterThan(0);
  },
);

/** The service with a database of its own: the embedded one of a data directory, or one behind the pooler. */
async function startVictim(waiters: { count: number; resolve: () => void }[]): Promise<Victim> {
  const dataDir = await makeScratchDir();
  const env = { ...(await chooseDatabase(dataDir)), JWT_ACCESS_TOKEN_EXPIRY: '7d' };
  const options = { env, port: await freePort() };
  const untilAnswered = (count: number): Promise<void> =>
    new Promise((resolve) => waiters.push({ count, resolve }));
  return { service: await startRealService(options), options, dataDir, untilAnswered };
}

async function chooseDatabase(dataDir: string): Promise<Record<string, string>> {
  if (isEmbedded) return { DATA_DIR: dataDir };
  const OBOL_SECRET = 'test secret, thirty-two characters long';
  const { ownerUrl } = await cloneDatabase();
  const { appUrl } = await prepareDatabase(loadConfig({ OBOL_SECRET }), ownerUrl);
  return {
    DATA_DIR: dataDir,
    OBOL_SECRET,
    DATABASE_OWNER_URL: ownerUrl,
    DATABASE_URL: throughPooler(appUrl),
  };
}

/** People with credits, each of whom lets the app spend, and an administrator who gives them more. */
async function openWallets(victim: Victim): Promise<{ parties: Parties; account: Account }[]> {
  const { url } = victim.service;
  const admin = await people.registerRealPerson(url);
  await runCommand(victim, 'admin', 'promote', admin.email);
  admin.token = await people.signInAgain(url, admin.email);
  const app = await people.registerRealApplication(url, admin);
  const books: { parties: Parties; account: Account }[] = [];
  for (let wallet = 0; wallet < wallets; wallet++) {
    const person = await people.registerRealPerson(url);
    await people.giveMandate(url, person, app);
    const { available } = await people.readReal(url, person, 'balance');
    const { length: transactions } = await people.readJournal(url, person);
    books.push({
      parties: { person, app, admin },
      account: { available, transactions, byKey: new Map(), holds: new Map() },
    });
  }
  const client = createRetryingClient(url, () => {});
  for (const { parties, account } of books) {
    const amount = 100_000_000;
    const body = { userId: parties.person.userId, amount, description: 'For the test' };
    const auth = { token: admin.token };
    const answer = await client.send({ path: 'grants', body, auth, key: parties.person.userId });
    expect(answer.status).toBe(200);
    account.available += amount;
    account.transactions += 1;
  }
  return books;
}

function startWorkers(
  client: RetryingClient,
  books: { parties: Parties; account: Account }[],
  random: Random,
): { failed: Promise<never>; finish(): Promise<void> } {
  let isOver = false;
  const workers = books.flatMap(({ parties, account }) =>
    Array.from({ length: workersPerWallet }, () =>
      work(client, parties, account, createRandom(random(2 ** 31)), () => isOver),
    ),
  );
  const all = Promise.all(workers);
  const failed = new Promise<never>((_resolve, reject) => {
    all.catch((error: unknown) => {
      isOver = true;
      reject(error);
    });
  });
  return {
    failed,
    async finish() {
      isOver = true;
      await all;
    },
  };
}

/** Kills in an order that the seed decides. */
async function killThemAll(victim: Victim, client: RetryingClient, random: Random): Promise<void> {
  let [services, servers] = [serviceKills, postgresKills];
  while (services + servers > 0) {
    await awaitMoment(victim, random);
    if (random(services + servers) < services) {
      services -= 1;
      await killService(victim);
    } else {
      servers -= 1;
      await killPostgres(victim, random);
    }
    const done = kills - services - servers;
    if (done % 10 === 0) say(`${done} of ${kills} kills, ${client.tally.acknowledged} operations answered`);
  }
}

/** The journal and the balance are what the answers said, to the last credit. */
async function expectExact(url: string, person: people.RealPerson, account: Account): Promise<void> {
  const journal = await people.readJournal(url, person);
  const keyed = journal.filter(({ idempotencyKey }) => account.byKey.has(idempotencyKey));
  const answered = [...account.byKey].filter(([, transactionId]) => transactionId !== null);
  // A hold is named by its answer, not by its transaction.
  const found = keyed.filter(({ type }) => type !== 'hold');
  expect(found.length).toBe(answered.length);
  const byKey = new Map<string, string>(found.map(({ idempotencyKey, id }) => [idempotencyKey, id]));
  expect(byKey).toEqual(new Map(answered));
  expect(journal.length).toBe(account.transactions);
  expect(new Set(journal.map(({ id }) => id)).size).toBe(journal.length);
  const balance = await people.readReal(url, person, 'balance');
  expect(balance).toMatchObject({ available: account.available, held: 0 });
  for (const [id, ended] of account.holds)
    expect(await people.readReal(url, person, `holds/${id}`)).toMatchObject({ ...ended, remaining: 0 });
}

async function expectSound(victim: Victim): Promise<void> {
  const { isSound, findings, transactions } = JSON.parse(
    await runCommand(victim, 'ledger', 'verify', '--json'),
  );
  expect(findings).toEqual([]);
  expect(isSound).toBe(true);
  say(`obol ledger verify: ${transactions} transactions, nothing is off`);
}

/** Runs `obol` beside the service, as an operator would. */
async function runCommand({ options }: Victim, ...args: string[]): Promise<string> {
  const program = join(repositoryDir, 'server/src/cli/main.ts');
  const env = { PATH: process.env.PATH, ...options.env };
  return (await run(process.execPath, [program, ...args], { env, cwd: options.env.DATA_DIR })).stdout;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
