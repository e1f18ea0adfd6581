import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { prepareDatabase } from '../src/db/connect.ts';
import { cloneDatabase } from './harness/index.ts';
import { fillTables, insertRow, readTables, sampleRow, type Row, type Table } from './schema/sample-rows.ts';

// Isolation, over the catalogue: what is true of every table that is, and of every one that will be.

/** What anybody may read, and why. */
const readableByAll: Record<string, string> = {
  'credits.packages': 'the price list',
  'credits.package_prices': 'the price list in other currencies',
  'payments.plans': 'the plans that are for sale',
  'obol.migrations': 'whether code and schema fit',
};

const ada = randomUUID();
const ben = randomUUID();
const { ownerUrl } = await cloneDatabase();
const { appUrl } = await prepareDatabase(
  loadConfig({ OBOL_SECRET: 'test secret, thirty-two characters long' }),
  ownerUrl,
);
const admin = await connect(adminUrl());
const tables = await readTables(admin);
const app = await connect(appUrl);

beforeAll(() => fillTables(admin, tables, ada));
afterAll(() => Promise.all([admin.end(), app.end()]));

test('the catalogue holds the tables of every schema', () => {
  const schemas = new Set(tables.map(({ name }) => name.split('.')[0]));
  expect([...schemas]).toEqual(
    expect.arrayContaining(['apps', 'audit', 'auth', 'credits', 'obol', 'payments']),
  );
  expect(tables.length).toBeGreaterThan(20);
});

describe.each(tables.filter(({ isPartition }) => !isPartition))('$name', (table) => {
  test('holds a row of Ada, which the service sees as far as it may read', async () => {
    expect(await digestOf(table)).not.toBeNull();
    if (!table.privileges.includes('select')) return;
    expect(await rowsSeen(table, { role: 'service' })).toBeGreaterThan(0);
  });

  test('shows Ada her row exactly when a policy says so', async () => {
    const isReadable = table.policies.some((policy) => /^(owner|anyone|member)_/.test(policy));
    const seen = await rowsSeen(table, { role: 'user', userId: ada });
    expect(seen > 0).toBe(isReadable && table.privileges.includes('select'));
  });

  test.each([
    ['Ben', { role: 'user', userId: ben }],
    ['Ben as an administrator', { role: 'admin', userId: ben }],
    ['nobody', {}],
    ['nobody with the id of Ada', { userId: ada }],
    ['a role that does not exist', { role: 'owner', userId: ada }],
  ])('shows %s nothing and lets them change nothing', async (_, context) => {
    const before = await digestOf(table);
    if (!(table.name in readableByAll)) expect(await rowsSeen(table, context)).toBe(0);
    for (const userId of [ada, ben]) {
      await expect(insertAs(context, table, sampleRow(table, userId))).rejects.toMatchObject({
        code: '42501',
      });
    }
    for (const change of blindChanges(table)) expect(await changedBy(change, context)).toBe(0);
    expect(await digestOf(table)).toBe(before);
  });

  test('cannot be written by Ada herself, only by the service for her', async () => {
    const before = await digestOf(table);
    const context = { role: 'user', userId: ada };
    await expect(insertAs(context, table, sampleRow(table, ada))).rejects.toMatchObject({ code: '42501' });
    for (const change of blindChanges(table)) expect(await changedBy(change, context)).toBe(0);
    expect(await digestOf(table)).toBe(before);
  });
});

describe.each(['credits.transactions', 'credits.entries'])('the journal, %s', (name) => {
  const table = tables.find((candidate) => candidate.name === name) as Table;
  const column = table.columns[0]?.name;
  const changes = [
    `update ${name} set "${column}" = "${column}"`,
    `delete from ${name}`,
    `truncate ${name} cascade`,
  ];

  test.each(changes)('refuses the service: %s', async (statement) => {
    await expect(runAs({ role: 'service' }, statement)).rejects.toMatchObject({ code: '42501' });
  });

  test.each(changes)('refuses the owner of the schema: %s', async (statement) => {
    const owner = await connect(ownerUrl);
    await expect(owner.query(statement)).rejects.toThrow(/append-only/);
    await owner.end();
  });
});

/** Changes that read no column, so that nothing but the right to change stands in their way. */
function blindChanges({ name, columns }: Table): string[] {
  return [
    `update ${name} set "${columns[0]?.name}" = default`,
    `delete from ${name}`,
    `truncate ${name} cascade`,
  ];
}

type Context = { role?: string; userId?: string };

/** Runs one statement in a committed transaction as the service's role, with the context of a caller. */
async function runAs(context: Context, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  await app.query('begin');
  try {
    await app.query(`select set_config('obol.role', $1, true), set_config('obol.user_id', $2, true)`, [
      context.role ?? '',
      context.userId ?? '',
    ]);
    const result = await app.query(text, values);
    await app.query('commit');
    return result;
  } catch (error) {
    await app.query('rollback');
    throw error;
  }
}

/** Number of rows that the caller sees; a table that may not be read at all shows none. */
async function rowsSeen(table: Table, context: Context): Promise<number> {
  try {
    return (await runAs(context, `select 1 from ${table.name}`)).rows.length;
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return 0;
    throw error;
  }
}

/** Number of rows that a statement changed; one that is not permitted changed none. */
async function changedBy(statement: string, context: Context): Promise<number> {
  try {
    return (await runAs(context, statement)).rowCount ?? 0;
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return 0;
    throw error;
  }
}

async function insertAs(context: Context, table: Table, row: Row): Promise<void> {
  const runner = { query: (text: string, values: unknown[]) => runAs(context, text, values) };
  await insertRow(runner as unknown as pg.ClientBase, table, row);
}

/** A digest of all rows, null when there are none. */
async function digestOf(table: Table): Promise<string | null> {
  const { rows } = await admin.query<{ digest: string | null }>(
    `select md5(string_agg(row::text, ',' order by row::text)) as digest from ${table.name} row`,
  );
  return rows[0]?.digest ?? null;
}

function adminUrl(): string {
  const url = new URL(inject('adminUrl'));
  url.pathname = new URL(ownerUrl).pathname;
  return url.href;
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
