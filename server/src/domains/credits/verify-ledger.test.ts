import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { readTrialBalance, verifyLedger } from './index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const app = new pg.Client({ connectionString: service.appUrl });
await app.connect();
afterAll(() => app.end());

let holder: WalletHolder;

/** Two wallets with a history each: bonus, purchase, spends from two lots, an expiry, a daily grant. */
beforeEach(async () => {
  await addWalletHolder(service);
  holder = await addWalletHolder(service);
  const expiresAt = new Date(service.clock.now().getTime() + 3_600_000).toISOString();
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 30, expiresAt });
  service.clock.advance({ days: 1 });
  for (const amount of [100, 60]) {
    const body = { amount, appId: 'chat', description: 'Chat', idempotencyKey: randomUUID() };
    expect((await service.send('POST', '/api/v1/credits/use', { token: holder.token, body })).status).toBe(
      200,
    );
  }
});

const findings = async () => (await verifyLedger(service.ctx.db, { walletId: holder.userId })).findings;

/**
 * Runs a statement past the trigger that keeps the journal append-only, as only the owner of the schema can.
 */
async function alter(statement: string): Promise<void> {
  await owner.query(`begin;
    alter table credits.transactions disable trigger user; alter table credits.entries disable trigger user`);
  const { rowCount } = await owner.query(statement.replaceAll('$wallet', `'${holder.userId}'`));
  expect(rowCount).toBe(1);
  await owner.query(`alter table credits.transactions enable trigger user;
    alter table credits.entries enable trigger user; commit`);
}

const nth = (sequence: number) => `wallet_id = $wallet and sequence = ${sequence}`;
const entryOf = (sequence: number, ordinal: number) =>
  `transaction_id = (select id from credits.transactions where ${nth(sequence)}) and ordinal = ${ordinal}`;

test('an untouched ledger is sound, and says how large it is', async () => {
  expect(await verifyLedger(service.ctx.db, { walletId: holder.userId })).toEqual({
    isSound: true,
    wallets: 1,
    transactions: 7,
    findings: [],
  });
  expect((await verifyLedger(service.ctx.db)).isSound).toBe(true);
});

test('the trial balance sums to zero, and shows where credits came from and went', async () => {
  const accounts = await readTrialBalance(service.ctx.db);
  expect(accounts.map(({ account }) => account)).toEqual([
    'expired',
    'issued:bonus',
    'revenue:chat',
    'sales:test',
    'wallets:free',
    'wallets:paid',
  ]);
  expect(accounts.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n);
});

test.each([
  [
    'an amount',
    `update credits.transactions set amount = amount - 1, balance_after = balance_after - 1 where ${nth(6)}`,
    'transaction',
  ],
  ['a description', `update credits.transactions set description = 'Chax' where ${nth(6)}`, 'transaction'],
  ['a metadata value', `update credits.transactions set metadata = '{}' where ${nth(6)}`, 'transaction'],
  ['an app', `update credits.transactions set app_id = 'chax' where ${nth(6)}`, 'transaction'],
  [
    'a time',
    `update credits.transactions set created_at = created_at + interval '1 ms' where ${nth(6)}`,
    'transaction',
  ],
  ['a key', `update credits.transactions set idempotency_key = 'other' where ${nth(6)}`, 'transaction'],
  [
    'a hash',
    `update credits.transactions set hash = set_byte(hash, 31, get_byte(hash, 31) # 1) where ${nth(6)}`,
    'transaction',
  ],
  [
    'a previous hash',
    `update credits.transactions set previous_hash = set_byte(previous_hash, 0, get_byte(previous_hash, 0) # 1) where ${nth(6)}`,
    'transaction',
  ],
  ['a missing transaction', `delete from credits.transactions where ${nth(3)}`, 'transaction'],
  ['the last transaction gone', `delete from credits.transactions where ${nth(7)}`, 'lot'],
  [
    'an account of an entry',
    `update credits.entries set account = 'revenue:chax' where ${entryOf(7, 3)}`,
    'transaction',
  ],
  [
    'an amount of an entry',
    `update credits.entries set amount = amount + 1 where ${entryOf(7, 1)}`,
    'transaction',
  ],
  [
    'a lot of an entry',
    `update credits.entries set lot_id = gen_random_uuid() where ${entryOf(7, 1)}`,
    'transaction',
  ],
  [
    'a wallet of an entry',
    `update credits.entries set wallet_id = gen_random_uuid() where ${entryOf(7, 3)}`,
    'transaction',
  ],
  ['a number of an entry', `update credits.entries set ordinal = 9 where ${entryOf(7, 4)}`, 'transaction'],
  ['a missing entry', `delete from credits.entries where ${entryOf(7, 2)}`, 'transaction'],
  [
    'an entry too many',
    `insert into credits.entries values (gen_random_uuid(), 1, $wallet, 'expired', 5, null)`,
    'entry',
  ],
  [
    'what is left of a lot',
    `update credits.lots set remaining = remaining - 1 where wallet_id = $wallet and source = 'purchase'`,
    'lot',
  ],
  [
    'the size of a lot',
    `update credits.lots set amount = amount + 1 where wallet_id = $wallet and source = 'signup'`,
    'lot',
  ],
  ['a balance', `update credits.balances set paid = paid + 1 where wallet_id = $wallet`, 'balance'],
  [
    'free for paid',
    `update credits.balances set paid = paid - 1, free = free + 1 where wallet_id = $wallet`,
    'balance',
  ],
  [
    'what was spent',
    `update credits.balances set total_spent = total_spent + 1 where wallet_id = $wallet`,
    'balance',
  ],
  [
    'what came in',
    `update credits.balances set total_earned = total_earned + 1 where wallet_id = $wallet`,
    'balance',
  ],
  [
    'the head of the chain',
    `update credits.balances set chain_head = sha256(chain_head) where wallet_id = $wallet`,
    'balance',
  ],
  [
    'the usage statistics',
    `update credits.usage_stats set amount = amount + 1 where wallet_id = $wallet`,
    'balance',
  ],
  [
    'the number of spends',
    `update credits.usage_stats set count = count + 1 where wallet_id = $wallet`,
    'balance',
  ],
  [
    'a remembered answer',
    `update credits.idempotency_keys set transaction_id = gen_random_uuid() where (wallet_id, key) = (select wallet_id, idempotency_key from credits.transactions where ${nth(7)})`,
    'idempotency key',
  ],
])('verify finds %s that was altered', async (_, statement, row) => {
  await alter(statement);
  const [first] = await findings();
  expect(first).toMatchObject({ walletId: expect.any(String), problem: expect.any(String) });
  expect(first?.row.startsWith(row)).toBe(true);
});

test('a history rewritten with its own hash is found by the transaction after it', async () => {
  await alter(`update credits.transactions t set description = 'Bonus!' where ${nth(1)}`);
  await alter(`update credits.transactions t set hash = credits.transaction_hash(t, (
    select jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal)
      from credits.entries e where e.transaction_id = t.id)) where ${nth(1)}`);
  expect(await findings()).toEqual([
    {
      walletId: holder.userId,
      row: expect.stringMatching(/^transaction /),
      problem: expect.stringContaining('previous_hash'),
    },
  ]);
});

test.each([
  'update credits.transactions set description = description',
  'delete from credits.transactions',
  'truncate credits.transactions',
  'update credits.entries set amount = amount',
  'delete from credits.entries',
  'truncate credits.entries',
])('the journal is append-only, for the service and for the owner: %s', async (statement) => {
  await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
  await expect(owner.query(statement)).rejects.toMatchObject({ code: '42501' });
});

test.each([
  'balances',
  'lots',
  'transactions',
  'entries',
  'idempotency_keys',
  'usage_stats',
  'holds',
  'mandates',
])('the service changes credits.%s through functions only', async (table) => {
  await app.query(`begin; select set_config('obol.role', 'service', true)`);
  const { rows } = await app.query<{ column: string }>(
    `select attname as column from pg_attribute where attrelid = $1::regclass and attnum = 1`,
    [`credits.${table}`],
  );
  const column = rows[0]?.column;
  for (const statement of [
    `insert into credits.${table} default values`,
    `update credits.${table} set ${column} = ${column}`,
    `delete from credits.${table}`,
  ]) {
    await app.query('savepoint before');
    await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
    await app.query('rollback to before');
  }
  await app.query('rollback');
});

test('the steps that movements are made of can be called by nobody but the functions', async () => {
  for (const step of ['append_transaction', 'add_lot', 'save_wallet', 'lock_wallets', 'write_spends']) {
    const { rows: found } = await owner.query(
      `select has_function_privilege('obol_app', p.oid, 'execute') as is_open from pg_proc p
        where p.pronamespace = 'credits'::regnamespace and p.proname = $1`,
      [step],
    );
    expect({ step, found }).toEqual({ step, found: [{ is_open: false }] });
  }
});
