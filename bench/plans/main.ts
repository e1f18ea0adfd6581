import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { loadConfig } from '../../server/src/config.ts';
import { prepareDatabase } from '../../server/src/db/connect.ts';
import { startEmbeddedPostgres } from '../../server/src/db/embedded.ts';
import { serviceSettings } from '../lib/environment.ts';
import { openPlanClient } from './client.ts';
import { explained, logPlans } from './explain.ts';
import { fillLedger, fillPayments, fillPeople } from './fill-ledger.ts';
import { operations } from './operations.ts';
import { measureTables } from './measure-tables.ts';
import { renderPlans, scansOfLargeTables, type OperationPlans } from './render.ts';
import { timeVerification } from './time-verification.ts';

const help = `Writes docs/reference/query-plans.md from a ledger that it fills and removes.

  npm run plans                    10 million transactions; takes about half an hour and 20 GB

  --transactions N   transactions in the journal (default 10000000)
  --wallets N        wallets (default 100000)
  --hot N            spends of the one hot wallet (default 1000000)
  --people N         people with empty wallets (default 1000000)
  --purchases N      purchases that were paid (default 1000000)
  --print            print the page instead of writing it
`;

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '10000000' },
    wallets: { type: 'string', default: '100000' },
    hot: { type: 'string', default: '1000000' },
    people: { type: 'string', default: '1000000' },
    purchases: { type: 'string', default: '1000000' },
    print: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const page = join(import.meta.dirname, '../../docs/reference/query-plans.md');
/** Functions keep a generic plan after a few calls; the plan that is shown is the one that stays. */
const warmUps = 7;
/** Beyond it a table is large: to read it from end to end takes longer than a request may. */
const largeRows = 10_000;

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-plans-'));
  const passwords = { superuser: randomUUID(), owner: randomUUID() };
  const server = await startEmbeddedPostgres({ dataDir, passwords, log: pino({ level: 'fatal' }) });
  try {
    const superuserUrl = superuserUrlBeside(server.ownerUrl, passwords.superuser);
    await prepareForFilling(superuserUrl);
    await prepareDatabase(loadConfig(serviceSettings), server.ownerUrl);
    await fillLedger({
      ownerUrl: server.ownerUrl,
      wallets: Number(values.wallets),
      transactions: Number(values.transactions),
      hot: Number(values.hot),
      onProgress: (line) => console.error(line),
    });
    console.error(await timeVerification(server.ownerUrl));
    console.error(`${values.people} people`);
    await fillPeople(server.ownerUrl, Number(values.people));
    console.error(`${values.purchases} purchases`);
    await fillPayments(server.ownerUrl, {
      wallets: Number(values.wallets),
      purchases: Number(values.purchases),
    });
    await logPlans(superuserUrl);
    await writePage(server.ownerUrl, join(dataDir, 'postgres.log'));
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function superuserUrlBeside(ownerUrl: string, password: string): string {
  const url = new URL(ownerUrl);
  Object.assign(url, { username: 'postgres', password });
  return url.href;
}

/** Fewer checkpoints; the data are thrown away. */
async function prepareForFilling(superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query("alter system set max_wal_size = '16GB'");
  await client.query("alter system set checkpoint_timeout = '30min'");
  await client.query('select pg_reload_conf()');
  await client.end();
}

async function writePage(ownerUrl: string, logFile: string): Promise<void> {
  const tables = await measureTables(ownerUrl);
  const client = await openPlanClient(ownerUrl);
  const plans: OperationPlans[] = [];
  try {
    for (const { title, run } of operations) {
      console.error(title);
      for (let count = 0; count < warmUps; count++) await run(client);
      const statements = await explained(logFile, async () => {
        await run(client);
      });
      plans.push({ title, statements });
    }
  } finally {
    await client.stop();
  }
  const text = renderPlans(plans, tables);
  if (values.print) process.stdout.write(text);
  else await writeFile(page, text);
  const large = new Set(tables.filter(({ rows }) => rows > largeRows).map(({ table }) => table));
  const scans = scansOfLargeTables(plans, large);
  for (const scan of scans) console.error(`FAIL  ${scan}`);
  if (scans.length > 0) process.exitCode = 1;
}
