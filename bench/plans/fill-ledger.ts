import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

export type LedgerSize = { wallets: number; transactions: number; hot: number };

type FillOptions = LedgerSize & { ownerUrl: string; onProgress: (line: string) => void };

/** What every wallet has before its spends begin: the bonus, a purchase, and days of daily credits. */
const lots = [
  { days: 0, type: 'bonus', source: 'signup', kind: 'free', amount: 150, account: 'issued:bonus' },
  {
    days: 1,
    type: 'purchase',
    source: 'purchase',
    kind: 'paid',
    amount: 1_000_000_000,
    account: 'sales:bench',
  },
  ...[2, 3, 4, 5, 6].map((days) => ({
    days,
    type: 'daily',
    source: 'daily',
    kind: 'free',
    amount: 5,
    account: 'issued:bonus',
  })),
];
const sumOf = (some: typeof lots) => some.reduce((sum, { amount }) => sum + amount, 0);
const journalTables = ['transactions', 'entries', 'idempotency_keys'];

/**
 * Fills an empty ledger with wallets that each have a past of the same length, and one hot wallet. The chains
 * are sealed and everything adds up, so the result passes `obol ledger verify`. Indexes of the journal are
 * made at the end, which takes a third of the time.
 */
export async function fillLedger({ ownerUrl, onProgress, ...size }: FillOptions): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = off');
    await client.query("set work_mem = '256MB'; set maintenance_work_mem = '1GB'");
    const run = await readParts(client);
    onProgress(`${size.wallets} wallets`);
    await run('people', { wallets: size.wallets });
    const restore = await dropIndexes(client);
    let [from, to] = ['heads_a', 'heads_b'];
    for (const lot of lots) {
      await run('grant', { ...lot, from, to });
      [from, to] = [to, from];
    }
    const rounds = Math.max(1, Math.round((size.transactions - size.hot) / size.wallets) - lots.length);
    for (let round = 0; round < rounds; round++) {
      onProgress(`round ${round + 1} of ${rounds}`);
      await run('round', { round, from, to });
      [from, to] = [to, from];
    }
    onProgress(`${size.hot} spends of the hot wallet`);
    if (size.hot > 0) await run('hot', { hot: size.hot, from });
    onProgress('balances, statistics, indexes');
    const earnedFree = sumOf(lots.filter(({ kind }) => kind === 'free'));
    await run('ends', { from, earned: sumOf(lots), earnedfree: earnedFree });
    await restore();
    await client.query('vacuum (freeze, analyze)');
    await run('times', {});
    await client.query('vacuum (analyze) credits.balances');
  } finally {
    await client.end();
  }
}

/** Adds people with empty wallets, who registered one a second from the year 2020 on. */
export async function fillPeople(ownerUrl: string, people: number): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = off');
    const run = await readParts(client);
    await run('crowd', { people });
    await client.query('vacuum (freeze, analyze) auth.users, credits.balances');
  } finally {
    await client.end();
  }
}

/** Adds purchases of the filled wallets, paid one a minute from 2020 on, and a thousand that wait. */
export async function fillPayments(
  ownerUrl: string,
  size: { wallets: number; purchases: number },
): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('set synchronous_commit = off');
    const run = await readParts(client);
    await run('payments', size);
    await client.query('vacuum (freeze, analyze)');
  } finally {
    await client.end();
  }
}

/** Runs the parts of fill.sql by name, with their names filled in. */
async function readParts(
  client: pg.Client,
): Promise<(name: string, values: Record<string, string | number>) => Promise<void>> {
  const text = await readFile(join(import.meta.dirname, 'fill.sql'), 'utf8');
  const parts = new Map(
    text
      .split(/^-- part: /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n'))]),
  );
  return async (name, values) => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`fill.sql has no part ${name}`);
    const names = /(?<!:):([a-z]+)\b/g;
    await client.query(part.replaceAll(names, (found, key: string) => String(values[key] ?? found)));
  };
}

/** Drops the indexes and keys of the journal's tables; returns what makes them again. */
async function dropIndexes(client: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ drop: string; make: string }>(
    `select case when c.oid is null then format('drop index credits.%I', i.relname)
                 else format('alter table %s drop constraint %I', x.indrelid::regclass, c.conname) end as drop,
            case when c.oid is null then pg_get_indexdef(x.indexrelid)
                 else format('alter table %s add constraint %I %s', x.indrelid::regclass, c.conname,
                             pg_get_constraintdef(c.oid)) end as make
       from pg_index x join pg_class i on i.oid = x.indexrelid
       left join pg_constraint c on c.conindid = x.indexrelid and c.conrelid = x.indrelid
      where x.indrelid = any (array(select ('credits.' || t)::regclass from unnest($1::text[]) t))`,
    [journalTables],
  );
  for (const { drop } of rows) await client.query(drop);
  return async () => {
    for (const { make } of rows) await client.query(make);
  };
}
