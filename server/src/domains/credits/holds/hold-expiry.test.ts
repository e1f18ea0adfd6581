import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { holdCalls } from '../../../../test/harness/holds.ts';
import { createTestClock, startTestService } from '../../../../test/harness/index.ts';
import { expectSound, spend } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const ahead = await startTestService({ shareDatabaseWith: service, clock: createTestClock() });
const owner = await connectAsOwner(service);
let holder: WalletHolder;
const { placed, capture, extend, release, read, balance, history } = holdCalls(service, () => holder);
const inMinutes = (minutes: number) =>
  new Date(service.clock.now().getTime() + minutes * 60_000).toISOString();

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const gift = (minutes: number) =>
  addLot(service, holder, {
    source: 'gift',
    kind: 'free',
    amount: 100,
    priority: 1,
    expiresAt: inMinutes(minutes),
  });

describe('a hold expires', () => {
  test('at the millisecond it says, whoever looks, with its own time in the history', async () => {
    const hold = await placed({ expiresInSeconds: 60 });
    const expiresAt = inMinutes(1);
    service.clock.advance({ seconds: 60, ms: -1 });
    expect(await balance()).toMatchObject({ held: 100 });
    service.clock.advance({ ms: 1 });
    expect(await read(`holds/${hold.id}`)).toMatchObject({
      status: 'expired',
      remaining: 0,
      closedAt: expiresAt,
    });
    service.clock.advance({ days: 3 });
    expect(await balance()).toMatchObject({ held: 0, available: 165 });
    const [voided] = await read('transactions?type=void');
    expect(voided).toMatchObject({ amount: 100, createdAt: expiresAt, description: 'Expired hold' });
  });

  test.each([
    ['captured', (id: string) => capture(id, 10)],
    ['extended', (id: string) => extend(id)],
    ['voided', (id: string) => release(id)],
  ])('and cannot be %s from then on', async (_, act) => {
    const hold = await placed({ expiresInSeconds: 1 });
    service.clock.advance({ seconds: 1 });
    const answer = await act(hold.id);
    expect([answer.status, answer.body]).toEqual([
      409,
      expect.objectContaining({ code: 'hold.closed', holdStatus: 'expired' }),
    ]);
    expect(await balance()).toMatchObject({ available: 150, held: 0, totalSpent: 0 });
  });

  test('and is there to be spent at the same millisecond', async () => {
    await placed({ amount: 150, expiresInSeconds: 1 });
    service.clock.advance({ seconds: 1 });
    await spend(service, holder, 150);
  });

  test('one of many, and the others live', async () => {
    const [first, later] = [await placed({ amount: 10, expiresInSeconds: 60 }), await placed({ amount: 20 })];
    service.clock.advance({ minutes: 1 });
    const list = await read('holds');
    expect(list.map(({ id, status }: any) => [id, status])).toEqual(
      expect.arrayContaining([
        [first.id, 'expired'],
        [later.id, 'open'],
      ]),
    );
    expect(await balance()).toMatchObject({ held: 20 });
  });
});

describe('of a lot that expires meanwhile', () => {
  test('what is held stays to be captured, and what comes back expires', async () => {
    await gift(5);
    const hold = await placed({ amount: 80 });
    service.clock.advance({ minutes: 5 });
    expect(await balance()).toMatchObject({ available: 150, held: 80, freeCreditsRemaining: 230 });
    expect((await capture(hold.id, 30)).body.newBalance).toMatchObject({
      freeCreditsRemaining: 150,
      available: 150,
      held: 0,
      totalSpent: 30,
    });
    expect(await history(4)).toEqual([
      ['expire', -50],
      ['void', 50],
      ['capture', -30],
      ['expire', -20],
    ]);
  });

  test('a hold that expires at the same instant gives back first, and all of it expires', async () => {
    await gift(10);
    await placed({ amount: 80, expiresInSeconds: 600 });
    service.clock.advance({ minutes: 10 });
    expect(await balance()).toMatchObject({ available: 150, held: 0 });
    expect(await history(3)).toEqual([
      ['expire', -100],
      ['void', 80],
      ['hold', -80],
    ]);
  });

  test.each([
    ['a void', (id: string) => release(id)],
    ['the last capture', (id: string) => capture(id, 30)],
  ])('what %s gives back expires, though a process whose clock is ahead has been there', async (_, end) => {
    ahead.clock.set(inMinutes(5));
    await gift(5);
    const hold = await placed({ amount: 80 });
    const seen = await ahead.send('GET', '/api/v1/credits/balance', { token: holder.token });
    expect(seen.body).toMatchObject({ available: 150, held: 80 });
    service.clock.advance({ minutes: 5, ms: -1 });
    expect((await end(hold.id)).status).toBe(200);
    service.clock.advance({ ms: 1 });
    expect(await balance()).toMatchObject({ available: 150, held: 0 });
  });

  test('nothing else comes back in its place', async () => {
    await gift(5);
    const hold = await placed({ amount: 150 });
    service.clock.advance({ minutes: 6 });
    await release(hold.id);
    expect((await balance()).lots).toMatchObject([{ source: 'signup', remaining: 150 }]);
  });
});

test('credits that come back repay a debt before they can be spent', async () => {
  const hold = await placed({ amount: 150 });
  await owner.query(
    `select credits.take_credits(jsonb_build_object('wallet_id', $1::uuid, 'amount', 60, 'description', 'x',
       'request_hash', '\\x00'), $2, 5, 150)`,
    [holder.userId, service.clock.now()],
  );
  expect(await balance()).toMatchObject({ debt: 60, available: 0 });
  await release(hold.id);
  expect(await balance()).toMatchObject({ debt: 0, available: 90 });
});

const tidy = async () => {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'end-expired-holds', {}));
  await service.ctx.jobs.runDue();
};
const stored = async () =>
  (
    await owner.query('select status, closed_at from credits.holds where wallet_id = $1 order by amount', [
      holder.userId,
    ])
  ).rows;

describe('holds that nobody looks at', () => {
  test('are ended by a job, all of them, at their own time, and others are left alone', async () => {
    for (let amount = 1; amount <= 3; amount++) await placed({ amount, expiresInSeconds: 60 * amount });
    await addWalletHolder(service);
    const ends = [inMinutes(1), inMinutes(2)].map((time) => new Date(time));
    service.clock.advance({ minutes: 2, seconds: 30 });
    expect((await stored()).map(({ status }) => status)).toEqual(['open', 'open', 'open']);
    await tidy();
    await tidy();
    expect(await stored()).toEqual([
      { status: 'expired', closed_at: ends[0] },
      { status: 'expired', closed_at: ends[1] },
      { status: 'open', closed_at: null },
    ]);
    expect(await read('transactions?type=void')).toHaveLength(2);
  });

  test('by more than one turn where they are many', async () => {
    for (let count = 0; count < 105; count++) await placed({ amount: 1, expiresInSeconds: 1 });
    service.clock.advance({ seconds: 1 });
    await tidy();
    expect(new Set((await stored()).map(({ status }) => status))).toEqual(new Set(['expired']));
  });
});
