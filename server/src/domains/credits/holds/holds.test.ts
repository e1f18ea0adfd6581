import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { holdBody, holdCalls, holdsPath } from '../../../../test/harness/holds.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, impossibleAmounts, readOwn } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
let holder: WalletHolder;
const { post, place, placed, capture, extend, release, read, balance, history } = holdCalls(
  service,
  () => holder,
);
const inMinutes = (minutes: number) =>
  new Date(service.clock.now().getTime() + minutes * 60_000).toISOString();

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

/** A balance without what differs from wallet to wallet. */
const comparable = ({ lots, ...rest }: any) => ({
  ...rest,
  lots: lots.map((lot: any) => ({ ...lot, id: '' })),
});

const callsOn = (id: string): [string, string, unknown][] => [
  ['GET', `/${id}`, undefined],
  ['POST', `/${id}/capture`, { amount: 1 }],
  ['POST', `/${id}/extend`, {}],
  ['POST', `/${id}/void`, {}],
];

test('a hold sets credits aside: nobody else can spend them, and no balance changes', async () => {
  const hold = await placed({ metadata: { model: 'small' } });
  const { newBalance, ...view } = hold;
  expect(view).toEqual({
    id: expect.any(String),
    walletId: holder.userId,
    appId: 'chat',
    mandateId: null,
    amount: 100,
    captured: 0,
    remaining: 100,
    status: 'open',
    description: 'Chat answer',
    metadata: { model: 'small' },
    expiresAt: inMinutes(15),
    createdAt: inMinutes(0),
    closedAt: null,
  });
  const expected = { balance: 0, freeCreditsRemaining: 150, totalSpent: 0, available: 50, held: 100 };
  expect(newBalance).toEqual(expected);
  expect(await balance()).toMatchObject(expected);
  expect(await read(`holds/${hold.id}`)).toEqual(view);
  const [transaction] = await read('transactions?limit=1');
  const wallet = `wallet:${holder.userId}`;
  const { lotId } = transaction.entries[0];
  expect(transaction).toMatchObject({
    type: 'hold',
    amount: -100,
    balanceBefore: 150,
    balanceAfter: 150,
    entries: [
      { account: `${wallet}:free`, amount: -100, lotId },
      { account: `${wallet}:held`, amount: 100, lotId },
    ],
  });
  const spent = await service.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    body: { ...holdBody, amount: 51 },
  });
  expect(spent.body).toMatchObject({ code: 'credits.insufficient', required: 51, available: 50 });
});

test('a hold sets aside first what expires first, however young it is', async () => {
  const [sooner, later] = [inMinutes(300), inMinutes(600)];
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 20, expiresAt: later });
  service.clock.advance({ minutes: 1 });
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 20, expiresAt: sooner });
  await placed({ amount: 155 });
  const [{ entries }] = await read('transactions?limit=1');
  const young = (await balance()).lots.find(({ expiresAt }: any) => expiresAt === sooner);
  const paid = { account: `wallet:${holder.userId}:paid`, amount: -5, lotId: young.id };
  expect(entries.filter(({ account }: any) => account === paid.account)).toEqual([paid]);
});

test('a capture spends what the work has cost and gives the rest back to the very lots', async () => {
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const before = await balance();
  const hold = await placed({ amount: 200 });
  const answer = await capture(hold.id, 160, { metadata: { model: 'large' } });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    id: hold.id,
    captured: 160,
    remaining: 0,
    status: 'captured',
    closedAt: inMinutes(0),
    transaction: { amount: -160 },
    newBalance: { balance: 90, freeCreditsRemaining: 0, totalSpent: 160, available: 90, held: 0 },
  });
  expect(await history(3)).toEqual([
    ['void', 40],
    ['capture', -160],
    ['hold', -200],
  ]);
  const { lots } = await balance();
  expect(lots).toEqual([{ ...before.lots[1], remaining: 90 }]);
  const usage = await read('usage?groupBy=model');
  expect(usage.items).toEqual([{ key: 'large', count: 1, amount: 160 }]);
});

test('a void gives everything back', async () => {
  const before = await balance();
  const hold = await placed();
  expect((await release(hold.id)).body).toMatchObject({
    status: 'voided',
    captured: 0,
    remaining: 0,
    newBalance: { available: 150, held: 0 },
  });
  expect(await balance()).toEqual(before);
});

test('several captures come to what one does, and the last one ends the hold', async () => {
  const [other, hold] = [await addWalletHolder(service), await placed()];
  await capture(hold.id, 20, { final: false });
  expect((await capture(hold.id, 30, { final: false })).body).toMatchObject({
    status: 'open',
    captured: 50,
    remaining: 50,
    newBalance: { available: 50, held: 50 },
  });
  expect((await capture(hold.id, 10)).body).toMatchObject({ status: 'captured', captured: 60, remaining: 0 });
  const single = (await place({}, { as: other })).body;
  await capture(single.id, 60, {}, { as: other });
  expect(comparable(await balance())).toEqual(comparable(await readOwn(service, other, 'balance')));
});

test('an extension gives more time, never less, and more credits', async () => {
  const hold = await placed({ amount: 50, expiresInSeconds: 600 });
  expect((await extend(hold.id, { expiresInSeconds: 60 })).body.expiresAt).toBe(inMinutes(10));
  service.clock.advance({ minutes: 5 });
  const answer = await extend(hold.id, { expiresInSeconds: 1200, amount: 30 });
  expect(answer.body).toMatchObject({ amount: 80, remaining: 80, expiresAt: inMinutes(20), status: 'open' });
  expect(answer.body.newBalance).toMatchObject({ available: 70, held: 80 });
  expect((await extend(hold.id, { amount: 71 })).body).toMatchObject({
    code: 'credits.insufficient',
    required: 71,
    available: 70,
  });
  service.clock.advance({ minutes: 19 });
  expect((await capture(hold.id, 80)).body.status).toBe('captured');
});

describe('above the hold', () => {
  test('a capture is refused, unless the request lets it spill to other credits', async () => {
    const hold = await placed();
    const refused = await capture(hold.id, 120);
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.objectContaining({ code: 'hold.exceeded', required: 120, remaining: 100 }),
    ]);
    const answer = await capture(hold.id, 120, { overrun: 'spill' });
    expect(answer.body).toMatchObject({
      status: 'captured',
      captured: 120,
      remaining: 0,
      newBalance: { available: 30, held: 0, totalSpent: 120 },
    });
  });

  test('a spill that finds too little changes nothing', async () => {
    const hold = await placed();
    const refused = await capture(hold.id, 151, { overrun: 'spill' });
    expect(refused.body).toMatchObject({ code: 'credits.insufficient', required: 151, available: 150 });
    expect(await read(`holds/${hold.id}`)).toMatchObject({ status: 'open', remaining: 100 });
  });

  test('what is set aside later is captured too', async () => {
    const hold = await placed({ amount: 40 });
    await capture(hold.id, 60, { final: false, overrun: 'spill' });
    expect((await extend(hold.id, { amount: 30 })).body).toMatchObject({
      amount: 70,
      captured: 60,
      remaining: 30,
    });
    expect((await capture(hold.id, 30)).body).toMatchObject({ captured: 90, remaining: 0 });
    expect(await balance()).toMatchObject({ available: 60, totalSpent: 90 });
  });
});

test('refusals come in a fixed order: malformed, session, replay, wallet, hold, funds', async () => {
  const hold = await placed();
  const done = { idempotencyKey: randomUUID() };
  expect((await capture(hold.id, 10, { ...done, final: false })).status).toBe(200);
  const code = async (amount: number, more: Record<string, unknown> = {}) =>
    (await capture(hold.id, amount, more)).body.code;
  expect(await code(1000, { overrun: 'spill' })).toBe('credits.insufficient');
  expect(await code(1000)).toBe('hold.exceeded');
  await release(hold.id);
  expect(await code(1000)).toBe('hold.closed');
  await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
  expect(await code(1000)).toBe('credits.wallet_inactive');
  expect((await place({ amount: 1000 })).body.code).toBe('credits.wallet_inactive');
  expect(await code(1000, done)).toBe('idempotency.mismatch');
  expect((await capture(hold.id, 10, { ...done, final: false })).status).toBe(200);
  await owner.query('update auth.sessions set revoked_at = created_at where id = $1', [holder.sessionId]);
  expect(await code(10, done)).toBe('auth.session_ended');
  expect(await code(-1)).toBe('request.invalid');
});

test('the key of one app says nothing to another', async () => {
  const key = { idempotencyKey: randomUUID(), amount: 20 };
  const [chat, maps] = [await placed({ ...key, appId: 'chat' }), await placed({ ...key, appId: 'maps' })];
  expect(maps.id).not.toBe(chat.id);
  expect(await balance()).toMatchObject({ held: 40 });
  const again = await place({ ...key, appId: 'maps' });
  expect(again.body.id).toBe(maps.id);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
});

test('a frozen wallet still gets back what was held', async () => {
  const hold = await placed();
  await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
  expect((await extend(hold.id)).body.code).toBe('credits.wallet_inactive');
  expect((await release(hold.id)).body).toMatchObject({ status: 'voided' });
});

test("another person's hold answers like one that does not exist", async () => {
  const hold = await placed();
  const stranger = await addWalletHolder(service);
  const absent = randomUUID();
  for (const [index, [method, path, given]] of callsOn(hold.id).entries()) {
    const send = (to: string) =>
      service.send(method, `${holdsPath}${to}`, {
        token: stranger.token,
        ...(given === undefined ? {} : { body: given }),
      });
    const [seen, unknown] = [await send(path), await send(callsOn(absent)[index]![1])];
    expect(seen.status).toBe(404);
    const { requestId: _one, instance: _here, ...left } = seen.body;
    const { requestId: _other, instance: _there, ...right } = unknown.body;
    expect(left).toEqual(right);
  }
  expect(await readOwn(service, stranger, 'holds')).toEqual([]);
});

test('the list pages, newest first, and filters', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    service.clock.advance({ ms: 1 });
    ids.unshift((await placed({ amount: 1 })).id);
  }
  await release(ids[1]!);
  const answer = await service.send('GET', `${holdsPath}?limit=2`, { token: holder.token });
  expect(answer.body.map(({ id }: any) => id)).toEqual(ids.slice(0, 2));
  expect(answer.headers.get('x-total-count')).toBe('3');
  expect(answer.headers.get('link')).toContain('offset=2');
  expect((await read('holds?limit=2&offset=2')).map(({ id }: any) => id)).toEqual([ids[2]]);
  expect((await read('holds?status=voided')).map(({ id }: any) => id)).toEqual([ids[1]]);
});

describe.each([
  ['', (amount: unknown) => ({ ...holdBody, amount })],
  ['/extend', (amount: unknown) => ({ amount })],
  ['/capture', (amount: unknown) => ({ amount })],
])('%s', (path, given) => {
  test.each(impossibleAmounts)('an amount of %j is refused with a field error', async (amount) => {
    const hold = path === '' ? undefined : await placed();
    const answer = await post(hold ? `/${hold.id}${path}` : '', given(amount));
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/amount' }] } });
  });
});

test.each([0, -1, 604_801, 1.5, '5'])('a life of %j seconds is refused', async (expiresInSeconds) => {
  const answer = await place({ expiresInSeconds });
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/expiresInSeconds' }] } });
});
