import { beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { mandateCalls } from '../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, post, readOwn, spend } from '../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { readTrialBalance } from './index.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
const most = Number.MAX_SAFE_INTEGER;
const signupBonus = 150;
let holder: WalletHolder;
const calls = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});

const use = (by: WalletHolder, amount = 1) =>
  post(service, by, 'use', { amount, appId: 'chat', description: 'Chat' });
const grant = (userId: string, amount: number) =>
  post(service, admin, 'grants', { userId, amount, kind: 'paid', source: 'purchase', description: 'Pack' });

describe('a wallet that has all that can be counted', () => {
  beforeEach(async () => {
    expect((await grant(holder.userId, most - signupBonus)).status).toBe(200);
  });

  test('goes on without daily credits, as the quote says, too', async () => {
    service.clock.advance({ days: 3 });
    expect(await readOwn(service, holder, 'balance')).toMatchObject({
      available: most,
      totalEarned: most,
      nextDailyAt: '2026-03-14T12:00:00.000Z',
    });
    await spend(service, holder, most);
    expect((await calls.own('POST', '/quote', { amount: 1, appId: 'chat' })).body).toMatchObject({
      passes: false,
      passesAt: null,
    });
    await expectSound(service);
  });

  test('owes nothing: a capture that would leave a debt is refused before anything is written', async () => {
    await calls.given({ allowance: most, overrun: 'debt', overrunMax: most, period: 'total' });
    await spend(service, holder, most - 10);
    const hold = (await calls.hold({ amount: 5 })).body;
    expect((await calls.capture(hold.id, 15)).body).toMatchObject({ code: 'credits.too_many', status: 422 });
    expect((await calls.capture(hold.id, 10)).status).toBe(200);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ debt: 0, totalSpent: most });
    await expectSound(service);
  });
});

test('a refund that would bring in more than can be counted is refused, and changes nothing', async () => {
  await calls.given({ allowance: 1000, overrun: 'debt', overrunMax: 100, period: 'total' });
  const hold = (await calls.hold({ amount: signupBonus })).body;
  const charged = (await calls.capture(hold.id, signupBonus + 10)).body.transaction;
  await grant(holder.userId, most - signupBonus);
  expect((await calls.refund(charged.id)).body.code).toBe('credits.too_many');
  expect(await readOwn(service, holder, 'balance')).toMatchObject({ debt: 0, totalEarned: most });
  await expectSound(service);
});

test('a clawback that would leave more debt than can be counted is refused', async () => {
  const { transaction } = (await grant(holder.userId, 100)).body;
  await spend(service, holder, 250);
  const adjustment = { userId: holder.userId, amount: most - 50, description: 'Damage' };
  expect((await post(service, admin, 'adjustments', adjustment)).status).toBe(200);
  const clawBack = (amount: number) =>
    post(service, admin, 'clawbacks', { transactionId: transaction.id, amount, reason: 'Stolen card' });
  expect((await clawBack(51)).body.code).toBe('credits.too_many');
  expect((await clawBack(50)).status).toBe(200);
  expect(await readOwn(service, holder, 'balance')).toMatchObject({ debt: most });
  await expectSound(service);
});

test('the trial balance adds up what no single number can', async () => {
  for (let count = 0; count < 2; count++) {
    await grant((await addWalletHolder(service)).userId, most - signupBonus);
  }
  const accounts = await readTrialBalance(service.ctx.db);
  const paid = accounts.find(({ account }) => account === 'wallets:paid');
  expect(paid?.amount).toBeGreaterThan(BigInt(most));
  expect(accounts.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n);
});

const neighbours = async () => Promise.all(Array.from({ length: 20 }, () => addWalletHolder(service)));
const set = (column: string, value: string) =>
  owner.query(`update credits.balances set ${column} = ${value} where wallet_id = $1`, [holder.userId]);
const count = async (ids: string[]) => {
  const { rows } = await owner.query<{ made: number }>(
    `select count(*)::int as made from credits.transactions where type = 'usage' and wallet_id = any($1)`,
    [ids],
  );
  return rows[0]?.made;
};
const spendBeside = async (people: WalletHolder[]) => {
  const all = [holder, ...people, holder, ...people.toReversed(), holder];
  const answers = await Promise.all(all.map((one) => use(one)));
  const statusOf = (isOwn: boolean) =>
    new Set(answers.flatMap(({ status }, at) => ((all[at] === holder) === isOwn ? [status] : [])));
  return {
    own: [...statusOf(true)],
    others: [...statusOf(false)],
    made: await count(people.map(({ userId }) => userId)),
    ownMade: await count([holder.userId]),
  };
};

describe('a row that is off', () => {
  test('fails before it commits where a total would leave what can be counted, and fails alone', async () => {
    await set('total_spent', String(most));
    expect(await spendBeside(await neighbours())).toEqual({
      own: [500],
      others: [200],
      made: 40,
      ownMade: 0,
    });
    await set('total_spent', '0');
  });

  test('fails alone, too, when it says what cannot be read', async () => {
    await owner.query('alter table credits.balances drop constraint balances_totals_check');
    await set('total_spent', `${most} + 10`);
    expect(await spendBeside(await neighbours())).toEqual({
      own: [500],
      others: [200],
      made: 40,
      ownMade: 3,
    });
  });
});
