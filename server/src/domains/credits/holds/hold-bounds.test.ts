import { afterEach, beforeEach, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { holdCalls } from '../../../../test/harness/holds.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_HOLDS_MAX: '3' } });
const roomy = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);
const app = await registerApplication(service, (await addAdministrator(service)).token);
let holder: WalletHolder;
const { place, placed, capture, release, balance, read, history } = holdCalls(service, () => holder);
const mandated = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

test('a wallet has so many open holds and no more, whoever places them', async () => {
  await mandated.given({ allowance: 100 });
  const first = await placed({ amount: 1 });
  await placed({ amount: 1 });
  expect((await mandated.hold({ amount: 1 })).status).toBe(201);
  for (const refused of [await place({ amount: 1 }), await mandated.hold({ amount: 1 })]) {
    expect(refused).toMatchObject({ status: 409, body: { code: 'hold.too_many', holdsMax: 3 } });
  }
  expect((await release(first.id)).status).toBe(200);
  expect((await place({ amount: 1 })).status).toBe(201);
  expect((await place({ amount: 1 })).body.code).toBe('hold.too_many');
});

test('what has expired or was captured makes room', async () => {
  const [kept] = [await placed({ amount: 1, expiresInSeconds: 600 })];
  await placed({ amount: 1, expiresInSeconds: 60 });
  await placed({ amount: 1, expiresInSeconds: 60 });
  service.clock.advance({ seconds: 60 });
  await placed({ amount: 1 });
  expect((await capture(kept.id, 1)).status).toBe(200);
  await placed({ amount: 1 });
  await placed({ amount: 1 });
  expect((await place({ amount: 1 })).body.code).toBe('hold.too_many');
});

test('the bound comes behind the state of the wallet, and before mandate and funds', async () => {
  for (let count = 0; count < 3; count++) await placed({ amount: 1 });
  expect((await place({ amount: 1000 })).body.code).toBe('hold.too_many');
  await owner.query("update credits.balances set status = 'frozen' where wallet_id = $1", [holder.userId]);
  expect((await place({ amount: 1 })).body.code).toBe('credits.wallet_inactive');
  await owner.query("update credits.balances set status = 'active' where wallet_id = $1", [holder.userId]);
});

test('of 30 parallel holds exactly as many go through as there may be', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => place({ amount: 1 })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
  expect(await balance()).toMatchObject({ held: 3 });
});

/** How often rows of a table are written while `work` runs. */
async function rowsWritten(table: string, work: () => Promise<unknown>): Promise<number> {
  await owner.query(`create table public.writes (n integer);
    grant insert on public.writes to public;
    create function public.count_write() returns trigger language plpgsql security definer
      as 'begin insert into public.writes values (1); return null; end';
    create trigger count_writes after update on ${table} for each row execute function public.count_write()`);
  await work();
  const { rows } = await owner.query('select count(*)::integer as n from public.writes');
  await owner.query(
    `drop trigger count_writes on ${table}; drop function public.count_write(); drop table public.writes`,
  );
  return rows[0].n;
}

test.each(['credits.lots', 'credits.balances', 'credits.mandates'])(
  'of 60 holds that have expired at different instants, the end writes each row of %s once',
  async (table) => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1000 });
    await mandated.given({ allowance: 1000, period: 'total' });
    for (let count = 0; count < 60; count++) {
      await mandated.hold({ amount: 4, expiresInSeconds: 60 + count }, { at: roomy });
    }
    service.clock.advance({ seconds: 200 });
    expect(await rowsWritten(table, balance)).toBe(table === 'credits.lots' ? 2 : 1);
    expect(await balance()).toMatchObject({ held: 0, available: 1150 });
    expect(await history(60)).toEqual(Array.from({ length: 60 }, () => ['void', 4]));
    const [mandate] = await read('mandates');
    expect(mandate).toMatchObject({ used: 0 });
  },
);

test('what a lot that has expired meanwhile gets back expires with the end of each hold', async () => {
  const soon = new Date(service.clock.now().getTime() + 90_000).toISOString();
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 50, expiresAt: soon, priority: 1 });
  for (const [amount, expiresInSeconds] of [
    [20, 60],
    [20, 100],
    [40, 120],
  ] as const) {
    await placed({ amount, expiresInSeconds });
  }
  service.clock.advance({ seconds: 300 });
  expect(await history(6)).toEqual([
    ['expire', -10],
    ['void', 40],
    ['expire', -20],
    ['void', 20],
    ['expire', -20],
    ['void', 20],
  ]);
  expect(await balance()).toMatchObject({ held: 0, available: 150 });
});
