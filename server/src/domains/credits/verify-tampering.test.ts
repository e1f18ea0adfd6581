import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { mandateCalls } from '../../../test/harness/mandates.ts';
import { post, spend } from '../../../test/harness/movements.ts';
import { addPerson, addTeam } from '../../../test/harness/teams.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { verifyLedger } from './index.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const superuserUrl = new URL(inject('adminUrl'));
superuserUrl.pathname = new URL(service.ownerUrl).pathname;
const superuser = new pg.Client({ connectionString: superuserUrl.href });
await superuser.connect();
afterAll(() => superuser.end());
const developer = await addWalletHolder(service);
const app = await registerApplication(service, developer.token);
const other = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
let holder: WalletHolder;
let teamId: string;
const calls = mandateCalls(service, app, () => holder);

/** A wallet with a bit of everything, and a team that was given some of it. */
beforeEach(async () => {
  service.clock.set(start);
  holder = await addPerson(service, owner);
  await calls.given();
  await addLot(service, holder, {
    source: 'gift',
    kind: 'free',
    amount: 40,
    expiresAt: '2026-04-10T12:00:00Z',
  });
  await calls.hold({ amount: 5, expiresInSeconds: 604_800 });
  await spend(service, holder, 7, { idempotencyKey: randomUUID(), metadata: { model: 'small' } });
  const { id } = await spend(service, holder, 9, { metadata: { model: 'large' } });
  service.clock.advance({ days: 2 });
  await calls.refund(id, 2);
  await spend(service, holder, 1);
  const team = await addTeam(service, holder);
  teamId = team.id;
  await team.transfer(holder, 5, { idempotencyKey: randomUUID() });
});

const findings = async () => (await verifyLedger(service.ctx.db)).findings;

const tables = ['balances', 'holds', 'lots', 'idempotency_keys', 'usage_stats', 'transactions', 'entries'];
const forAll = (statement: (table: string) => string) => superuser.query(tables.map(statement).join(';'));

/** Lets verify see what a superuser does, past triggers and foreign keys; then all is as it was. */
async function findingsAfter(statements: string): Promise<string[]> {
  const names = { $wallet: holder.userId, $team: teamId, $other: other };
  const text = Object.entries(names).reduce((sql, [name, id]) => sql.replaceAll(name, `'${id}'`), statements);
  await superuser.query('set session_replication_role = replica');
  await forAll((table) => `create temp table kept_${table} as table credits.${table}`);
  await superuser.query(text);
  const found = await findings();
  await forAll((table) => `delete from credits.${table}`);
  await forAll((table) => `insert into credits.${table} table kept_${table}; drop table kept_${table}`);
  expect(await findings()).toEqual([]);
  return found.map(({ row, problem }) => `${row.replace(/[0-9a-f-]{36}/g, '…')}: ${problem}`);
}

test('an untouched ledger is sound', async () => expect(await findings()).toEqual([]));

describe('verify finds', () => {
  test.each<[string, string, string]>([
    [
      'a wallet that is given to nobody',
      'update credits.balances set owner_id = null where wallet_id = $wallet',
      'balance …: its person does not own it',
    ],
    [
      'a wallet that forgets when a lot expires',
      `update credits.balances set next_expiry_at = null where wallet_id = $wallet`,
      'balance …: next_expiry_at is later than the next expiry',
    ],
    [
      'a wallet that forgets when a lot expires, without a hold',
      `update credits.holds set status = 'voided', closed_at = created_at where wallet_id = $wallet;
       update credits.balances set next_expiry_at = null where wallet_id = $wallet`,
      'balance …: next_expiry_at is later than the next expiry',
    ],
    [
      'a wallet that believes that it expires later',
      `update credits.balances set next_expiry_at = '2026-03-17T12:00:00.001Z' where wallet_id = $wallet`,
      'balance …: next_expiry_at is later than the next expiry',
    ],
    [
      'daily credits that come at another hour',
      `update credits.balances set next_daily_at = next_daily_at + interval '1 hour' where wallet_id = $wallet`,
      'balance …: next_daily_at is not the beginning of its next window',
    ],
    [
      'daily credits that come again',
      `update credits.balances set next_daily_at = next_daily_at - interval '1 day' where wallet_id = $wallet`,
      'balance …: next_daily_at is not the beginning of its next window',
    ],
    [
      'a daily lot that makes room for another in its window',
      `update credits.lots set daily_window_at = daily_window_at - interval '1 hour'
        where id = (select id from credits.lots where wallet_id = $wallet and source = 'daily' limit 1)`,
      'lot …: it is for no window of its wallet',
    ],
    [
      'a daily lot without a window',
      `update credits.lots set daily_window_at = null
        where id = (select id from credits.lots where wallet_id = $wallet and source = 'daily' limit 1)`,
      'lot …: it is for no window of its wallet',
    ],
    [
      'a hold that is given to another app',
      `update credits.holds set app_id = 'other' where wallet_id = $wallet`,
      'hold …: its transactions are of another app',
    ],
    [
      'a hold that counts against no mandate any more',
      `update credits.holds set mandate_id = null where wallet_id = $wallet`,
      'hold …: its transactions are under another mandate',
    ],
    [
      'an idempotency key that is gone, of a spend',
      `delete from credits.idempotency_keys where wallet_id = $wallet and app_id = 'chat'`,
      'transaction …: its idempotency key is not remembered',
    ],
    [
      'an idempotency key that is gone, of a transfer',
      `delete from credits.idempotency_keys where wallet_id = $wallet and app_id = 'obol'`,
      'transaction …: its idempotency key is not remembered',
    ],
    [
      'usage that is ascribed to another app',
      `update credits.usage_stats set app_id = 'competitor' where wallet_id = $wallet and model = 'small'`,
      'usage of 2026-03-10, competitor: the usage statistics are not what its journal says',
    ],
    [
      'usage that is ascribed to another model',
      `update credits.usage_stats set model = 'tiny' where wallet_id = $wallet and model = 'small'`,
      'usage of 2026-03-10, chat: the usage statistics are not what its journal says',
    ],
    [
      'usage that is moved from one day to another',
      `update credits.usage_stats set day = day - 1 where wallet_id = $wallet and model = 'large'`,
      'usage of 2026-03-09, chat: the usage statistics are not what its journal says',
    ],
    [
      'a remembered answer that belongs to no wallet',
      `update credits.idempotency_keys set wallet_id = $other where wallet_id = $wallet and app_id = 'chat'`,
      'idempotency keys of …: their wallet does not exist',
    ],
    [
      'usage statistics that belong to no wallet',
      `insert into credits.usage_stats values ($other, '2026-03-01', 'chat', '', 5, 5000)`,
      'usage statistics of …: their wallet does not exist',
    ],
    [
      'a wallet that is gone with everything about it, while its person is there',
      ['entries', 'transactions', 'lots', 'holds', 'usage_stats', 'idempotency_keys', 'balances']
        .map((table) => `delete from credits.${table} where wallet_id = $wallet`)
        .join(';'),
      'wallet of …: it does not exist',
    ],
    [
      'the wallet of a team that there is not',
      `update credits.balances set kind = 'team', owner_id = null where wallet_id = $wallet`,
      'balance …: its team does not exist',
    ],
    [
      'a transfer whose other side has no name',
      `update credits.transactions set metadata = jsonb_build_object('transactionId', repeat('-', 36))
        where wallet_id = $wallet and type = 'transfer'`,
      'transaction …: the other side of the transfer is missing or another one',
    ],
  ])('%s', async (_, statements, finding) => {
    expect(await findingsAfter(statements)).toContain(finding);
  });

  test('a wallet that is given to somebody else, which no statement can do', async () => {
    const thief = await addWalletHolder(service);
    const steal = 'update credits.balances set owner_id = $2 where wallet_id = $1';
    await expect(owner.query(steal, [holder.userId, thief.userId])).rejects.toMatchObject({
      constraint: 'balances_person_check',
    });
    await owner.query('alter table credits.balances drop constraint balances_person_check');
    await owner.query(steal, [holder.userId, thief.userId]);
    expect(await findings()).toContainEqual({
      walletId: holder.userId,
      row: `balance ${holder.userId}`,
      problem: 'it belongs to somebody else',
    });
    await owner.query(steal, [holder.userId, holder.userId]);
  });
});

test('an account that is erased leaves a wallet without an owner, and the ledger sound', async () => {
  const gone = await addWalletHolder(service);
  await post(service, gone, 'use', { amount: 5, appId: 'chat', description: 'x' });
  await owner.query('delete from auth.users where id = $1', [gone.userId]);
  expect(await findings()).toEqual([]);
});
