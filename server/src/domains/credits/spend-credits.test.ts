import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService, type Answer, type TestService } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { verifyLedger } from './index.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);

const spend = { amount: 10, appId: 'chat', description: 'Chat message' };

function use(
  holder: WalletHolder,
  body: Record<string, unknown> = {},
  { headers = {}, at = service }: { headers?: Record<string, string>; at?: TestService } = {},
): Promise<Answer> {
  return at.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    headers,
    body: { ...spend, ...body },
  });
}

const read = (holder: WalletHolder, path: string): Promise<Answer> =>
  service.send('GET', `/api/v1/credits/${path}`, { token: holder.token });

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('a spend answers with the transaction and the new balance', async () => {
  const holder = await addWalletHolder(service);
  const metadata = { model: 'small', tokens: 812, nested: { list: [1, 'two', null] } };
  const answer = await use(holder, { metadata });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    success: true,
    transaction: {
      id: expect.any(String),
      type: 'usage',
      status: 'completed',
      amount: -10,
      balanceBefore: 150,
      balanceAfter: 140,
      appId: 'chat',
      description: 'Chat message',
      metadata,
      idempotencyKey: null,
      createdAt: service.clock.now().toISOString(),
      sequence: 2,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    newBalance: { balance: 0, freeCreditsRemaining: 140, totalSpent: 10, available: 140 },
  });
  const [{ entries: _entries, ...listed }] = (await read(holder, 'transactions?limit=1')).body;
  expect(listed).toMatchObject(answer.body.transaction);
});

test('the same path without a version is the same route', async () => {
  const holder = await addWalletHolder(service);
  const answer = await service.send('POST', '/api/credits/use', { token: holder.token, body: spend });
  expect(answer.body.newBalance.available).toBe(140);
});

test('free goes before paid, then priority, then earliest expiry, then oldest, and every entry names its lot', async () => {
  const holder = await addWalletHolder(service);
  const lots = [
    { source: 'purchase', kind: 'paid', amount: 1 },
    { source: 'gift', kind: 'free', amount: 2, expiresAt: '2026-09-01T00:00:00.000Z' },
    { source: 'gift', kind: 'free', amount: 4, expiresAt: '2026-08-01T00:00:00.000Z' },
    { source: 'gift', kind: 'free', amount: 8, priority: 10 },
    { source: 'subscription', kind: 'paid', amount: 16, expiresAt: '2026-08-01T00:00:00.000Z' },
    {
      source: 'subscription',
      kind: 'paid',
      amount: 32,
      priority: 200,
      expiresAt: '2026-05-01T00:00:00.000Z',
    },
  ] as const;
  for (const lot of lots) {
    service.clock.advance({ ms: 1 });
    await addLot(service, holder, lot);
  }
  const expected = [8, 4, 2, 150, 16, 1, 32];
  const order = (await read(holder, 'balance')).body.lots;
  expect(order.map(({ remaining }: any) => remaining)).toEqual(expected);
  await use(holder, { amount: 213 });
  const [{ entries }] = (await read(holder, 'transactions?limit=1')).body;
  const wallet = `wallet:${holder.userId}`;
  expect(entries).toEqual([
    ...order.map(({ id, kind, remaining }: any) => ({
      account: `${wallet}:${kind}`,
      amount: -remaining,
      lotId: id,
    })),
    { account: 'revenue:chat', amount: 213, lotId: null },
  ]);
});

test('a lot is used up before the next one is touched, over several spends', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  expect((await use(holder, { amount: 149 })).body.newBalance).toMatchObject({
    balance: 100,
    freeCreditsRemaining: 1,
  });
  expect((await use(holder, { amount: 2 })).body.newBalance).toMatchObject({
    balance: 99,
    freeCreditsRemaining: 0,
  });
  expect((await read(holder, 'balance')).body.lots).toMatchObject([{ kind: 'paid', remaining: 99 }]);
});

test('too few credits: 402 with what is required, what is there, and how to get more; nothing changes', async () => {
  const holder = await addWalletHolder(service);
  const answer = await use(holder, { amount: 151 });
  expect(answer.status).toBe(402);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    code: 'credits.insufficient',
    required: 151,
    available: 150,
    topUp: { packages: expect.any(Array), checkoutUrl: expect.stringContaining('http') },
  });
  expect(answer.body.topUp.packages[0]).toEqual(
    (await service.send('GET', '/api/v1/credits/packages')).body[0],
  );
  expect((await read(holder, 'balance')).body).toMatchObject({ available: 150, totalSpent: 0 });
});

test('a repeated key gets the first answer again, with Idempotency-Replayed, whatever happened since', async () => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = randomUUID();
  const first = await use(holder, { idempotencyKey });
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  await use(holder, { amount: 100 });
  service.clock.advance({ days: 3 });
  const again = await use(holder, {}, { headers: { 'idempotency-key': idempotencyKey } });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect([again.status, again.body]).toEqual([first.status, first.body]);
});

test('a refusal is remembered like a success', async () => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = randomUUID();
  const first = await use(holder, { amount: 160, idempotencyKey });
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1000 });
  const again = await use(holder, { amount: 160, idempotencyKey });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const { requestId: _first, ...firstBody } = first.body;
  const { requestId: _again, ...againBody } = again.body;
  expect([again.status, againBody]).toEqual([402, firstBody]);
});

test('a key with another body is refused and changes nothing', async () => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = randomUUID();
  await use(holder, { idempotencyKey, metadata: { a: 1, b: 2 } });
  for (const body of [
    { amount: 11 },
    { description: 'Another' },
    { metadata: { a: 1 } },
    { metadata: null },
  ]) {
    const answer = await use(holder, { idempotencyKey, metadata: { a: 1, b: 2 }, ...body });
    expect([answer.status, answer.body.code]).toEqual([422, 'idempotency.mismatch']);
  }
  const reordered = await use(holder, { idempotencyKey, metadata: { b: 2, a: 1 } });
  expect([reordered.status, reordered.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  expect((await read(holder, 'balance')).body.available).toBe(140);
});

test("a key belongs to one wallet and one app: others' are independent", async () => {
  const [holder, other] = [await addWalletHolder(service), await addWalletHolder(service)];
  const idempotencyKey = 'the same for everybody';
  await use(holder, { idempotencyKey });
  expect((await use(other, { idempotencyKey, amount: 20 })).body.newBalance.available).toBe(130);
  expect((await use(holder, { idempotencyKey, appId: 'maps' })).body.newBalance.available).toBe(130);
});

test('a key is the same text in the header and in the body, in any script', async () => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = `schlüssel-鍵-${randomUUID()}`;
  const bytes = Buffer.from(idempotencyKey, 'utf8').toString('latin1');
  const first = await use(holder, { idempotencyKey });
  const again = await use(holder, { idempotencyKey }, { headers: { 'idempotency-key': bytes } });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body).toEqual(first.body);
  for (const key of ['\xfc', 'tab\tbed']) {
    const refused = await use(holder, {}, { headers: { 'idempotency-key': key } });
    expect(refused).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  }
});

test('key in the header and key in the body must agree', async () => {
  const holder = await addWalletHolder(service);
  const answer = await use(holder, { idempotencyKey: 'one' }, { headers: { 'idempotency-key': 'two' } });
  expect(answer.body).toMatchObject({
    code: 'request.invalid',
    errors: [{ path: '/headers/idempotency-key' }],
  });
});

test.each([
  ['one service', [service]],
  ['two services on one database', [service, second]],
])('50 parallel copies of one key have one effect and one answer: %s', async (_, services) => {
  const holder = await addWalletHolder(service);
  const idempotencyKey = randomUUID();
  const answers = await Promise.all(
    times(50, (index) => use(holder, { idempotencyKey }, { at: services[index % services.length]! })),
  );
  expect(answers.map(({ status }) => status)).toEqual(times(50, () => 200));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(49);
  expect((await read(holder, 'balance')).body.available).toBe(140);
});

test.each([
  ['one service', [service]],
  ['two services on one database', [service, second]],
])(
  '200 parallel spends on funds for 100: exactly 100 succeed, the others are refused: %s',
  async (_, services) => {
    const holder = await addWalletHolder(service);
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 550 });
    const answers = await Promise.all(
      times(200, (index) => use(holder, { amount: 7 }, { at: services[index % services.length]! })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ body }) => body.code === 'credits.insufficient')).toHaveLength(100);
    expect((await read(holder, 'balance')).body).toMatchObject({ available: 0, totalSpent: 700, lots: [] });
  },
);

test('refusals come in a fixed order: malformed, session, replay, wallet, funds', async () => {
  const holder = await addWalletHolder(service);
  const done = { idempotencyKey: randomUUID() };
  expect((await use(holder, done)).status).toBe(200);
  const code = async (body: Record<string, unknown>) => (await use(holder, body)).body.code;
  const set = (status: string) =>
    owner.query('update credits.balances set status = $2 where wallet_id = $1', [holder.userId, status]);
  expect(await code({ amount: 1000 })).toBe('credits.insufficient');
  for (const status of ['frozen', 'closed']) {
    await set(status);
    expect(await code({ amount: 1000 })).toBe('credits.wallet_inactive');
  }
  expect((await use(holder, done)).status).toBe(200);
  expect(await code({ ...done, amount: 1000 })).toBe('idempotency.mismatch');
  await owner.query('update auth.sessions set revoked_at = created_at where id = $1', [holder.sessionId]);
  expect(await code(done)).toBe('auth.session_ended');
  expect(await code({ ...done, amount: -1 })).toBe('request.invalid');
});

test('without a token nothing is spent', async () => {
  const answer = await service.send('POST', '/api/v1/credits/use', { body: spend });
  expect([answer.status, answer.body.code]).toEqual([401, 'auth.required']);
});

test.each([
  ...[0, -1, 1.5, 1e30, '5', '', 2 ** 53, null, true, [1], {}, undefined].map((amount) => [
    '/body/amount',
    { amount },
  ]),
  ...['', 'x'.repeat(101), 'a\nb', 5, null, undefined].map((appId) => ['/body/appId', { appId }]),
  ...['', 'x'.repeat(501), undefined].map((description) => ['/body/description', { description }]),
  ...['', 'x'.repeat(256), 7].map((idempotencyKey) => ['/body/idempotencyKey', { idempotencyKey }]),
  ...['text', 7, [1], { text: 'x'.repeat(8200) }].map((metadata) => ['/body/metadata', { metadata }]),
  ...[1e308, 5e-300].map((n) => ['/body/metadata', { metadata: { n: Array<number>(30).fill(n) } }]),
] as [string, Record<string, unknown>][])('a wrong %s is refused with the field: %j', async (path, body) => {
  const holder = await addWalletHolder(service);
  const answer = await use(holder, body);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ code: 'request.invalid', errors: [{ path }] });
});

test('the largest exact amount is counted exactly', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 2 ** 53 - 1 - 150 });
  const answer = await use(holder, { amount: 2 ** 53 - 1 });
  expect(answer.body.newBalance).toMatchObject({ totalSpent: 9_007_199_254_740_991, available: 0 });
});

test('after all this the ledger is sound', async () => {
  expect((await verifyLedger(service.ctx.db)).findings).toEqual([]);
});

test('a replay, in the same batch or later, names the same head of the chain', async () => {
  const holder = await addWalletHolder(service);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => use(holder, { idempotencyKey: 'head of the chain' })),
  );
  await use(holder, { idempotencyKey: 'another' });
  const later = await use(holder, { idempotencyKey: 'head of the chain' });
  const heads = [...answers, later].map(({ body }) => [body.transaction.sequence, body.transaction.hash]);
  expect(new Set(heads.map((head) => head.join())).size).toBe(1);
});
