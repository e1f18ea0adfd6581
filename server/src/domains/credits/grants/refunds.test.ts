import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  post,
  readOwn,
  spend,
} from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_DAILY_FREE: '0' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const refund = (transactionId: string, more: Record<string, unknown> = {}) =>
  post(service, admin, 'refunds', { transactionId, reason: 'Cut off', ...more });
const buy = async (amount: number, more: Record<string, unknown> = {}): Promise<string> => {
  const body = {
    userId: holder.userId,
    amount,
    kind: 'paid',
    source: 'purchase',
    description: 'Pack',
    ...more,
  };
  const answer = await post(service, admin, 'grants', body);
  expect(answer.status).toBe(200);
  return answer.body.transaction.id;
};
const balance = () => readOwn(service, holder, 'balance');
const lots = async () => (await balance()).lots.map(({ source, remaining }: any) => [source, remaining]);
const later = (minutes: number) => new Date(service.clock.now().getTime() + minutes * 60_000).toISOString();

describe('a refund', () => {
  test('returns a spend to the very lots that it came from', async () => {
    await buy(100);
    const before = await balance();
    const { id } = await spend(service, holder, 200);
    const { status, body } = await refund(id);
    expect(status).toBe(200);
    expect(body.transaction).toMatchObject({
      type: 'refund',
      amount: 200,
      appId: 'chat',
      description: 'Cut off',
      reversesId: id,
      balanceBefore: 50,
      balanceAfter: 250,
    });
    expect(body.transaction.entries).toEqual([
      { account: `wallet:${holder.userId}:paid`, amount: 50, lotId: before.lots[1].id },
      { account: `wallet:${holder.userId}:free`, amount: 150, lotId: before.lots[0].id },
      { account: 'revenue:chat', amount: -200, lotId: null },
    ]);
    expect(await balance()).toEqual(before);
  });

  test('in parts leaves what a smaller spend would have taken, and ends at what was spent', async () => {
    await buy(100);
    const { id } = await spend(service, holder, 200);
    await refund(id, { amount: 30 });
    expect(await lots()).toEqual([['purchase', 80]]);
    await refund(id, { amount: 30 });
    expect(await lots()).toEqual([
      ['signup', 10],
      ['purchase', 100],
    ]);
    const tooMuch = await refund(id, { amount: 141 });
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'credits.refund_exceeds', refundable: 140 } });
    expect((await refund(id)).body.transaction.amount).toBe(140);
    expect((await refund(id)).body).toMatchObject({ code: 'credits.refund_exceeds', refundable: 0 });
  });

  test('of 100 at once never gives back more than was spent', async () => {
    const { id } = await spend(service, holder, 100);
    const answers = await Promise.all(Array.from({ length: 100 }, () => refund(id, { amount: 3 })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(33);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(67);
    expect((await balance()).available).toBe(149);
  });

  test('lets credits of an expired lot expire, not move to another', async () => {
    await buy(100, { kind: 'free', source: 'gift', priority: 1, expiresAt: later(10) });
    const { id } = await spend(service, holder, 120);
    service.clock.advance({ minutes: 10 });
    const { body } = await refund(id);
    expect(body.newBalance.available).toBe(150);
    const [expiry] = await readOwn(service, holder, 'transactions');
    expect(expiry).toMatchObject({
      type: 'expire',
      amount: -100,
      entries: [{}, { account: 'expired', amount: 100 }],
    });
    expect(await lots()).toEqual([['signup', 150]]);
  });

  test('into a lot that expires later still expires with it, to the millisecond', async () => {
    await buy(100, { kind: 'free', source: 'gift', priority: 1, expiresAt: later(10) });
    const { id } = await spend(service, holder, 100);
    await refund(id);
    service.clock.advance({ minutes: 10, ms: -1 });
    expect((await balance()).available).toBe(250);
    service.clock.advance({ ms: 1 });
    expect((await balance()).available).toBe(150);
  });

  test('corrects what has been spent, by app, day and model; the number of spends stays', async () => {
    const metadata = { model: 'gpt-5' };
    const { id } = await spend(service, holder, 60, { metadata });
    await spend(service, holder, 5);
    service.clock.advance({ days: 1 });
    await refund(id, { amount: 20 });
    expect(await balance()).toMatchObject({ totalSpent: 45 });
    expect(await readOwn(service, holder, 'usage?groupBy=model')).toMatchObject({
      totals: { count: 2, amount: 45 },
      items: [
        { key: 'gpt-5', count: 1, amount: 40 },
        { key: '', count: 1, amount: 5 },
      ],
    });
    expect((await readOwn(service, holder, 'usage?groupBy=day')).items).toMatchObject([
      { key: '2026-03-01', amount: 45 },
    ]);
  });

  test('happens once per key, refusals included', async () => {
    const { id } = await spend(service, holder, 60);
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refund(id, { amount: 20, idempotencyKey })),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await balance()).available).toBe(110);
    expect((await refund(id, { amount: 21, idempotencyKey })).body.code).toBe('idempotency.mismatch');
    const key = { amount: 41, idempotencyKey: randomUUID() };
    const { requestId: _, ...refused } = (await refund(id, key)).body;
    const replay = await refund(id, key);
    expect(replay.body).toMatchObject(refused);
    expect(replay.headers.get('idempotency-replayed')).toBe('true');
  });

  test('of a capture of a hold, in several parts', async () => {
    const hold = await post(service, holder, 'holds', { amount: 80, appId: 'chat', description: 'Answer' });
    const capture = await post(service, holder, `holds/${hold.body.id}/capture`, { amount: 50 });
    const { id } = capture.body.transaction;
    await refund(id, { amount: 20 });
    expect((await refund(id, { amount: 31 })).body).toMatchObject({ refundable: 30 });
    expect((await refund(id)).body.transaction).toMatchObject({ type: 'refund', amount: 30 });
    expect(await balance()).toMatchObject({ available: 150, totalSpent: 0 });
  });

  test('repays a debt with what it returns, never with what a hold has set aside in the same lot', async () => {
    const { id } = await spend(service, holder, 50);
    await post(service, holder, 'holds', { amount: 80, appId: 'chat', description: 'Answer' });
    await post(service, admin, 'adjustments', { userId: holder.userId, amount: 90, description: 'x' });
    expect(await balance()).toMatchObject({ debt: 70, available: 0, held: 80 });
    expect((await refund(id)).status).toBe(200);
    expect(await balance()).toMatchObject({ debt: 20, available: 0, held: 80 });
  });

  test('of what was charged as debt lowers the debt, and once that is repaid, comes in anew', async () => {
    const application = await registerApplication(service, admin.token);
    const { clientId: appId, headers } = application;
    const terms = { appId, allowance: 1000, period: 'total', overrun: 'debt', overrunMax: 100 };
    expect((await post(service, holder, 'mandates', terms)).status).toBe(201);
    const as = (path: string, body: object) =>
      service.send('POST', `/api/v1/credits/${path}`, { headers, body });
    const asked = { amount: 150, appId, description: 'Answer', onBehalfOf: holder.userId };
    const { body: hold } = await as('holds', asked);
    const capture = await as(`holds/${hold.id}/capture`, { amount: 200 });
    const { id } = capture.body.transaction;
    expect(await balance()).toMatchObject({ debt: 50, available: 0, totalSpent: 200 });
    await refund(id, { amount: 20 });
    expect(await balance()).toMatchObject({ debt: 30, available: 0, totalSpent: 180 });
    await buy(30);
    expect(await balance()).toMatchObject({ debt: 0, available: 0 });
    service.clock.advance({ ms: 1 });
    const { body } = await refund(id, { amount: 40 });
    expect(body.newBalance).toMatchObject({ available: 40, freeCreditsRemaining: 40 });
    expect(await lots()).toEqual([
      ['signup', 10],
      ['refund', 30],
    ]);
    expect((await refund(id)).body.transaction.amount).toBe(140);
    expect(await balance()).toMatchObject({ totalSpent: 0, available: 180 });
  });

  test('is for the application that charged, by its own credentials', async () => {
    const application = await registerApplication(service, admin.token);
    const other = await registerApplication(service, admin.token);
    const { id } = await spend(service, holder, 60, { appId: application.clientId });
    const body = { transactionId: id, amount: 10, reason: 'Cut off', idempotencyKey: randomUUID() };
    const send = ({ headers }: typeof application) =>
      service.send('POST', '/api/v1/credits/refunds', { body, headers });
    expect((await send(other)).body.code).toBe('request.not_found');
    expect(await send(application)).toMatchObject({
      status: 200,
      body: { transaction: { amount: 10, appId: application.clientId } },
    });
    expect((await send(application)).headers.get('idempotency-replayed')).toBe('true');
    await owner.query('update apps.applications set is_active = false where client_id = $1', [
      application.clientId,
    ]);
    expect((await send(application)).body.code).toBe('auth.application_invalid');
  });

  test('is not for the person who spent', async () => {
    const { id } = await spend(service, holder, 60);
    const answer = await post(service, holder, 'refunds', { transactionId: id, reason: 'Mine' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'auth.admin_required' } });
  });

  test('is of a spend: nothing else can be given back', async () => {
    const { id } = await spend(service, holder, 60);
    const given = (await refund(id)).body.transaction.id;
    for (const transactionId of [given, await buy(5), randomUUID()]) {
      expect((await refund(transactionId)).body.code).toBe('request.not_found');
    }
  });
});

test.each(impossibleAmounts)('an amount of %j is refused with a field error', async (amount) => {
  const body = { transactionId: randomUUID(), amount, reason: 'x' };
  expect(await post(service, admin, 'refunds', body)).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/body/amount' }] },
  });
});
