import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService, type Answer, type TestService } from '../../../../test/harness/index.ts';
import { expectSound, impossibleAmounts, readOwn, spend } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const holds = '/api/v1/credits/holds';
const body = { amount: 100, appId: 'chat', description: 'Chat answer' };
type Options = { at?: TestService; as?: WalletHolder };

const post = (path: string, given: unknown, { at = service, as = holder }: Options = {}): Promise<Answer> =>
  at.send('POST', `${holds}${path}`, { token: as.token, body: given });
const place = (more: Record<string, unknown> = {}, options: Options = {}) =>
  post('', { ...body, ...more }, options);
const capture = (id: string, amount: number, more: Record<string, unknown> = {}, options: Options = {}) =>
  post(`/${id}/capture`, { amount, ...more }, options);
const extend = (id: string, more: Record<string, unknown> = {}) => post(`/${id}/extend`, more);
const release = (id: string, more: Record<string, unknown> = {}, options: Options = {}) =>
  post(`/${id}/void`, more, options);
const read = (path: string) => readOwn(service, holder, path);
const balance = () => read('balance');
const placed = async (more: Record<string, unknown> = {}): Promise<any> => {
  const answer = await place(more);
  expect(answer.status).toBe(201);
  return answer.body;
};
const history = async (limit: number) => {
  const list = await read(`transactions?limit=${limit}`);
  return list.map(({ type, amount }: any) => [type, amount]);
};
const inMinutes = (minutes: number) =>
  new Date(service.clock.now().getTime() + minutes * 60_000).toISOString();

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
    body: { ...body, amount: 51 },
  });
  expect(spent.body).toMatchObject({ code: 'credits.insufficient', required: 51, available: 50 });
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
  const comparable = ({ lots, ...rest }: any) => ({
    ...rest,
    lots: lots.map(({ id: _, ...lot }: any) => lot),
  });
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
  const gift = (minutes: number, amount = 100) =>
    addLot(service, holder, {
      source: 'gift',
      kind: 'free',
      amount,
      priority: 1,
      expiresAt: inMinutes(minutes),
    });

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

describe('one effect per key', () => {
  test('place, extend, capture and void answer as at first, whatever happened since', async () => {
    const key = () => ({ idempotencyKey: randomUUID() });
    const [placing, extending, capturing, voiding] = [key(), key(), key(), key()];
    const first = await place(placing);
    const { id } = first.body;
    const calls: [() => Promise<Answer>, Answer][] = [[() => place(placing), first]];
    for (const call of [
      () => extend(id, { ...extending, amount: 10 }),
      () => capture(id, 5, { ...capturing, final: false }),
      () => release(id, voiding),
    ]) {
      calls.push([call, await call()]);
    }
    service.clock.advance({ days: 2 });
    for (const [call, answer] of calls) {
      expect(answer.headers.get('idempotency-replayed')).toBeNull();
      const again = await call();
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect([again.status, again.body]).toEqual([answer.status, answer.body]);
    }
    expect(await read('transactions?type=hold')).toHaveLength(2);
  });

  test('refusals are remembered, too', async () => {
    const hold = await placed();
    const keyed = { idempotencyKey: randomUUID() };
    const first = await capture(hold.id, 120, keyed);
    expect(first.body.code).toBe('hold.exceeded');
    await extend(hold.id, { amount: 40 });
    const again = await capture(hold.id, 120, keyed);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect({ ...again.body, requestId: '' }).toEqual({ ...first.body, requestId: '' });
    expect((await capture(hold.id, 120)).status).toBe(200);
    const late = { idempotencyKey: randomUUID() };
    for (const replayed of [null, 'true']) {
      const answer = await release(hold.id, late);
      expect(answer.body).toMatchObject({ code: 'hold.closed', holdStatus: 'captured' });
      expect(answer.headers.get('idempotency-replayed')).toBe(replayed);
    }
  });

  test('another request under the key is refused: another amount, hold or operation', async () => {
    const keyed = { idempotencyKey: randomUUID() };
    const hold = await placed(keyed);
    const other = await placed({ amount: 1 });
    for (const answer of [
      await place({ ...keyed, amount: 99 }),
      await place({ ...keyed, expiresInSeconds: 5 }),
      await capture(hold.id, 100, keyed),
      await release(other.id, keyed),
      await post('/../use', { ...body, ...keyed }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'idempotency.mismatch']);
    }
  });

  test.each([
    ['one service', () => [service]],
    ['two services on one database', () => [service, second]],
  ])('30 parallel copies of one hold and of one capture: %s', async (_, services) => {
    const parties = services();
    const same = { idempotencyKey: randomUUID() };
    const copies = (call: (at: TestService) => Promise<Answer>) =>
      Promise.all(Array.from({ length: 30 }, (_unused, index) => call(parties[index % parties.length]!)));
    const placing = await copies((at) => place(same, { at }));
    expect(new Set(placing.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    const capturing = await copies((at) =>
      capture(placing[0]!.body.id, 40, { idempotencyKey: 'the capture' }, { at }),
    );
    expect(new Set(capturing.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(await balance()).toMatchObject({ available: 110, totalSpent: 40, held: 0 });
  });
});

describe('races', () => {
  test.each([
    ['one service', () => [service]],
    ['two services on one database', () => [service, second]],
  ])(
    '100 parallel captures, voids and extensions: one ends it, credits are conserved: %s',
    async (_, services) => {
      const parties = services();
      const hold = await placed({ amount: 100 });
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_unused, index) => {
          const options = { at: parties[index % parties.length]! };
          return index % 2 ? release(hold.id, {}, options) : capture(hold.id, 60, {}, options);
        }),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expect(answer.body).toMatchObject({ code: 'hold.closed', holdStatus: won[0]?.body.status });
      }
      const spent = won[0]?.body.status === 'captured' ? 60 : 0;
      expect(await balance()).toMatchObject({ available: 150 - spent, held: 0, totalSpent: spent });
    },
  );

  test('captures against the expiry: what is captured was captured in time, the rest came back once', async () => {
    const held = await Promise.all(
      Array.from({ length: 20 }, () => placed({ amount: 5, expiresInSeconds: 1 })),
    );
    const answers = held.map(({ id }, index) => {
      if (index === 10) service.clock.advance({ seconds: 1 });
      return capture(id, 5);
    });
    const captured = (await Promise.all(answers)).filter(({ status }) => status === 200).length;
    expect(await balance()).toMatchObject({
      held: 0,
      totalSpent: 5 * captured,
      available: 150 - 5 * captured,
    });
  });

  test('200 parallel holds on funds for 100: exactly 100 are placed', async () => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 550 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => place({ amount: 7 }, { at: index % 2 ? service : second })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    expect(answers.filter((answer) => answer.body.code === 'credits.insufficient')).toHaveLength(100);
    expect(await balance()).toMatchObject({ available: 0, held: 700 });
  });

  test('holds and spends at once never exceed the funds', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2
          ? place({ amount: 5 })
          : service.send('POST', '/api/v1/credits/use', {
              token: holder.token,
              body: { ...body, amount: 5 },
            }),
      ),
    );
    const { held, totalSpent, available } = await balance();
    expect([available, held + totalSpent]).toEqual([0, 150]);
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

test('a frozen wallet still gets back what was held', async () => {
  const hold = await placed();
  await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
  expect((await extend(hold.id)).body.code).toBe('credits.wallet_inactive');
  expect((await release(hold.id)).body).toMatchObject({ status: 'voided' });
});

test("another person's hold answers like one that does not exist", async () => {
  const hold = await placed();
  const stranger = await addWalletHolder(service);
  const paths = (id: string): [string, string, unknown][] => [
    ['GET', `/${id}`, undefined],
    ['POST', `/${id}/capture`, { amount: 1 }],
    ['POST', `/${id}/extend`, {}],
    ['POST', `/${id}/void`, {}],
  ];
  const absent = randomUUID();
  for (const [index, [method, path, given]] of paths(hold.id).entries()) {
    const send = (to: string) =>
      service.send(method, `${holds}${to}`, {
        token: stranger.token,
        ...(given === undefined ? {} : { body: given }),
      });
    const [seen, unknown] = [await send(path), await send(paths(absent)[index]![1])];
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
  const answer = await service.send('GET', `${holds}?limit=2`, { token: holder.token });
  expect(answer.body.map(({ id }: any) => id)).toEqual(ids.slice(0, 2));
  expect(answer.headers.get('x-total-count')).toBe('3');
  expect(answer.headers.get('link')).toContain('offset=2');
  expect((await read('holds?limit=2&offset=2')).map(({ id }: any) => id)).toEqual([ids[2]]);
  expect((await read('holds?status=voided')).map(({ id }: any) => id)).toEqual([ids[1]]);
});

describe.each([
  ['', (amount: unknown) => ({ ...body, amount })],
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
