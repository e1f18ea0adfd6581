import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { verifyLedger } from './index.ts';

const start = '2026-03-01T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);

const readBalance = (holder: WalletHolder): Promise<Answer> =>
  service.send('GET', '/api/v1/credits/balance', { token: holder.token });

const available = async (holder: WalletHolder): Promise<number> => (await readBalance(holder)).body.available;

const spend = (holder: WalletHolder, amount: number): Promise<Answer> =>
  service.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    body: { amount, appId: 'chat', description: 'Chat message' },
  });

/** A wallet opened at `start`, with the clock back there. */
async function openAtStart(): Promise<WalletHolder> {
  service.clock.set(start);
  return addWalletHolder(service);
}

test('a new wallet holds the signup bonus', async () => {
  const holder = await openAtStart();
  const answer = await readBalance(holder);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    balance: 0,
    freeCreditsRemaining: 150,
    totalEarned: 150,
    totalSpent: 0,
    available: 150,
    held: 0,
    debt: 0,
    dailyFreeCredits: 5,
    nextDailyAt: '2026-03-02T12:00:00.000Z',
    status: 'active',
    scale: 0,
    lots: [{ id: expect.any(String), source: 'signup', kind: 'free', remaining: 150, expiresAt: null }],
  });
});

test('opening a wallet twice gives one bonus', async () => {
  const holder = await openAtStart();
  await owner.query('select credits.open_wallet($1, 150, $2)', [holder.userId, service.clock.now()]);
  expect(await available(holder)).toBe(150);
});

test('the daily credits are there at the millisecond they are due, and not before', async () => {
  const holder = await openAtStart();
  service.clock.set('2026-03-02T11:59:59.999Z');
  expect(await available(holder)).toBe(150);
  service.clock.advance({ ms: 1 });
  expect((await readBalance(holder)).body).toMatchObject({
    available: 155,
    totalEarned: 155,
    nextDailyAt: '2026-03-03T12:00:00.000Z',
  });
});

test('a spend takes the daily credits that are due, without a read before it', async () => {
  const holder = await openAtStart();
  service.clock.set('2026-03-02T12:00:00.000Z');
  expect((await spend(holder, 155)).body.newBalance.available).toBe(0);
});

test('many readers and spenders at the same instant bring one grant', async () => {
  const holder = await openAtStart();
  service.clock.advance({ days: 1 });
  await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? readBalance(holder) : spend(holder, 1))));
  expect(await available(holder)).toBe(150 + 5 - 10);
});

test('days that nobody looked at are granted one by one, at their own times', async () => {
  const holder = await openAtStart();
  service.clock.advance({ days: 3, hours: 23 });
  expect(await available(holder)).toBe(165);
  const history = await service.send('GET', '/api/v1/credits/transactions?type=daily', {
    token: holder.token,
  });
  expect(history.body.map(({ amount, createdAt }: any) => [amount, createdAt])).toEqual([
    [5, '2026-03-04T12:00:00.000Z'],
    [5, '2026-03-03T12:00:00.000Z'],
    [5, '2026-03-02T12:00:00.000Z'],
  ]);
});

test('24 hours are 24 hours, also over a leap day and the change to summer time', async () => {
  service.clock.set('2028-02-28T23:30:00.000Z');
  const holder = await addWalletHolder(service);
  service.clock.set('2028-03-27T23:29:59.999Z');
  expect(await available(holder)).toBe(150 + 27 * 5);
  service.clock.advance({ ms: 1 });
  expect(await available(holder)).toBe(150 + 28 * 5);
});

test('unspent daily credits stop at the cap, and days that find no room are lost', async () => {
  const holder = await openAtStart();
  service.clock.advance({ days: 29 });
  expect(await available(holder)).toBe(150 + 145);
  service.clock.advance({ days: 1 });
  expect(await available(holder)).toBe(150 + 150);
  service.clock.advance({ days: 10 });
  expect((await readBalance(holder)).body).toMatchObject({
    available: 300,
    nextDailyAt: '2026-04-11T12:00:00.000Z',
  });
  // The bonus is older than the daily credits, so it goes first; two daily credits make room for two.
  await spend(holder, 152);
  expect(await available(holder)).toBe(148);
  service.clock.advance({ days: 1 });
  expect(await available(holder)).toBe(150);
});

test('a lot is spendable until the millisecond it expires', async () => {
  const holder = await openAtStart();
  const expiresAt = '2026-03-01T13:00:00.000Z';
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 40, expiresAt });
  service.clock.set('2026-03-01T12:59:59.999Z');
  expect((await readBalance(holder)).body).toMatchObject({ available: 190, lots: [{ expiresAt }, {}] });
  service.clock.advance({ ms: 1 });
  expect((await spend(holder, 151)).status).toBe(402);
  expect((await readBalance(holder)).body).toMatchObject({ available: 150, lots: [{ source: 'signup' }] });
  const history = await service.send('GET', '/api/v1/credits/transactions?type=expire', {
    token: holder.token,
  });
  expect(history.body).toMatchObject([
    {
      amount: -40,
      balanceBefore: 190,
      balanceAfter: 150,
      createdAt: expiresAt,
      entries: [{}, { account: 'expired' }],
    },
  ]);
});

test('expiries and grants happen in the order of their times, whoever looks when', async () => {
  const holder = await openAtStart();
  for (const [amount, expiresAt] of [
    [10, '2026-03-02T11:00:00.000Z'],
    [20, '2026-03-02T12:00:00.000Z'],
    [30, '2026-03-02T13:00:00.000Z'],
  ] as const) {
    await addLot(service, holder, { source: 'gift', kind: 'paid', amount, expiresAt });
  }
  service.clock.advance({ days: 2 });
  expect(await available(holder)).toBe(160);
  const history = await service.send('GET', '/api/v1/credits/transactions?limit=5', { token: holder.token });
  expect(history.body.map(({ amount }: any) => amount)).toEqual([5, -30, 5, -20, -10]);
});

test('with a clock set back nothing is undone, and no transaction is older than the one before it', async () => {
  const holder = await openAtStart();
  service.clock.advance({ days: 2 });
  expect(await available(holder)).toBe(160);
  const latest = '2026-03-03T12:00:00.000Z';
  service.clock.advance({ days: -1 });
  expect((await spend(holder, 1)).body.transaction.createdAt).toBe(latest);
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 10 });
  expect(await available(holder)).toBe(169);
  const history = await service.send('GET', '/api/v1/credits/transactions?limit=3', { token: holder.token });
  expect(history.body.map(({ createdAt }: any) => createdAt)).toEqual([latest, latest, latest]);
});

test('without daily credits the balance stays what it is', async () => {
  const frugal = await startTestService({ shareDatabaseWith: service, env: { CREDITS_DAILY_FREE: '0' } });
  const holder = await openAtStart();
  service.clock.advance({ days: 5 });
  const answer = await frugal.send('GET', '/api/v1/credits/balance', { token: holder.token });
  expect(answer.body).toMatchObject({ available: 150, dailyFreeCredits: 0 });
});

test('the balance answers 401 without a token and once the session has ended', async () => {
  const holder = await openAtStart();
  expect((await service.send('GET', '/api/v1/credits/balance')).body.code).toBe('auth.required');
  await owner.query('update auth.sessions set revoked_at = $2 where id = $1', [holder.sessionId, start]);
  const answer = await readBalance(holder);
  expect([answer.status, answer.body.code]).toEqual([401, 'auth.session_ended']);
});

test('after all this the ledger is sound', async () => {
  expect((await verifyLedger(service.ctx.db)).findings).toEqual([]);
});
