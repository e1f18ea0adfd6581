import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

type Column = { name: string; send: string };
type Row = { table: string; where: string; columns: Column[] };

/** A bonus, a purchase, and a spend from two lots with everything that a spend can say. */
async function addHistory(): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const metadata = { model: 'groß', tokens: 812, ratio: 0.5, nested: [null, true] };
  const body = { amount: 170, appId: 'chat', description: 'Größe', metadata, idempotencyKey: randomUUID() };
  const answer = await service.send('POST', '/api/v1/credits/use', { token: holder.token, body });
  expect(answer.status).toBe(200);
  return holder;
}

/** What keeps an owner from writing nonsense goes: constraints, triggers, the precision of times. */
async function unfasten(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as statement
       from pg_constraint where contype = 'c'
        and conrelid in ('credits.transactions'::regclass, 'credits.entries'::regclass)`,
  );
  for (const { statement } of rows) await client.query(statement);
  for (const table of ['transactions', 'entries']) {
    await client.query(`alter table credits.${table} disable trigger user`);
  }
  await client.query('alter table credits.transactions alter column created_at type timestamptz');
}

async function columnsOf(table: string): Promise<Column[]> {
  const { rows } = await owner.query<Column>(
    `select a.attname as name, t.typsend::text as send from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table],
  );
  return rows;
}

async function rowsOf(holder: WalletHolder): Promise<Row[]> {
  const transactionColumns = await columnsOf('credits.transactions');
  const entryColumns = await columnsOf('credits.entries');
  const { rows } = await owner.query<{ table: string; where: string }>(
    `select 'credits.transactions' as table, format('ctid = %L', t.ctid) as where
       from credits.transactions t where t.wallet_id = $1
     union all
     select 'credits.entries', format('ctid = %L', e.ctid) from credits.entries e where e.wallet_id = $1`,
    [holder.userId],
  );
  return rows.map((row) => ({
    ...row,
    columns: row.table === 'credits.entries' ? entryColumns : transactionColumns,
  }));
}

async function isFound(holder: WalletHolder): Promise<boolean> {
  const { rows } = await owner.query(
    'select from credits.verify_wallets(array[$1::uuid], array[0::bigint], null, true, true, 1)',
    [holder.userId],
  );
  return rows.length > 0;
}

type Fate = 'found' | 'missed' | 'not stored';

/** Stores another value in the column, asks what verify says, and takes it back. */
async function tryValue(holder: WalletHolder, row: Row, column: Column, value: Buffer | null): Promise<Fate> {
  await owner.query('savepoint before');
  try {
    const stored = `coalesce(${column.send}(${column.name}), '')`;
    const before = await owner.query(`select ${stored} as bytes from ${row.table} where ${row.where}`);
    const after = await owner
      .query(`update ${row.table} set ${column.name} = $1 where ${row.where} returning ${stored} as bytes`, [
        value,
      ])
      .catch(() => undefined);
    if (!after || before.rows[0].bytes.equals(after.rows[0].bytes)) return 'not stored';
    return (await isFound(holder)) ? 'found' : 'missed';
  } finally {
    await owner.query('rollback to before');
  }
}

/** Flips one bit of a byte, the lowest that leaves a value that can be stored. */
async function flipByte(
  holder: WalletHolder,
  row: Row,
  column: Column,
  bytes: Buffer,
  at: number,
): Promise<Fate> {
  for (let bit = 0; bit < 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
    const fate = await tryValue(holder, row, column, flipped);
    if (fate !== 'not stored') return fate;
  }
  return 'not stored';
}

test('verify finds any byte of a transaction or entry that was flipped', async () => {
  const holder = await addHistory();
  await unfasten(owner);
  await owner.query('begin');
  expect(await isFound(holder)).toBe(false);
  const fates: Record<Fate, string[]> = { found: [], missed: [], 'not stored': [] };
  for (const row of await rowsOf(holder)) {
    for (const column of row.columns) {
      const { rows } = await owner.query(
        `select ${column.send}(${column.name}) as bytes from ${row.table} where ${row.where}`,
      );
      const bytes: Buffer = rows[0].bytes ?? Buffer.alloc(0);
      for (let at = 0; at < bytes.length; at++) {
        const fate = await flipByte(holder, row, column, bytes, at);
        fates[fate].push(`${row.table}.${column.name} ${at}`);
      }
    }
  }
  await owner.query('rollback');
  expect(fates.missed).toEqual([]);
  expect(fates.found.length).toBeGreaterThan(1000);
  // Of jsonb the bytes flipped are those of its text; its punctuation is not what is stored.
  for (const place of fates['not stored']) expect(place).toMatch(/^credits\.transactions\.metadata /);
}, 120_000);

test('verify finds a value that was taken away, and one that was put where there was none', async () => {
  const holder = await addHistory();
  await owner.query('begin');
  const missed: string[] = [];
  for (const row of await rowsOf(holder)) {
    for (const column of row.columns) {
      const isUuid = column.send === 'uuid_send';
      for (const value of [null, isUuid ? Buffer.alloc(16, 7) : Buffer.from('{}')]) {
        const fate = await tryValue(holder, row, column, value);
        if (fate === 'missed') missed.push(`${row.table}.${column.name}`);
      }
    }
  }
  await owner.query('rollback');
  expect(missed).toEqual([]);
});
