import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  spendInOneBatch,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService({ startAt: '2026-03-30T22:00:00.000Z' });
const owner = await connectAsOwner(service);

const read = (holder: WalletHolder, path: string, headers = {}): Promise<Answer> =>
  service.send('GET', `/api/v1/credits/${path}`, { token: holder.token, headers });

async function spend(holder: WalletHolder, amount: number, appId: string, more = {}): Promise<void> {
  const body = { amount, appId, description: `${appId} work`, ...more };
  const answer = await service.send('POST', '/api/v1/credits/use', { token: holder.token, body });
  expect(answer.status).toBe(200);
}

/**
 * Signup on 30 March 22:00, three spends an hour apart, a daily grant on 31 March 22:00, a spend in April.
 */
async function addHistory(): Promise<WalletHolder> {
  service.clock.set('2026-03-30T22:00:00.000Z');
  const holder = await addWalletHolder(service);
  for (const [amount, appId, model] of [
    [10, 'chat', 'small'],
    [20, 'images', 'large'],
    [30, 'chat', undefined],
  ] as const) {
    service.clock.advance({ hours: 1 });
    await spend(holder, amount, appId, model ? { metadata: { model } } : {});
  }
  service.clock.set('2026-04-01T00:00:00.000Z');
  await spend(holder, 1, '=search', { description: '=1+1, "quoted"' });
  return holder;
}

test('the history lists every transaction with its entries, newest first', async () => {
  const holder = await addHistory();
  const answer = await read(holder, 'transactions');
  expect(answer.headers.get('x-total-count')).toBe('6');
  expect(answer.body.map(({ type, amount, balanceAfter }: any) => [type, amount, balanceAfter])).toEqual([
    ['usage', -1, 94],
    ['daily', 5, 95],
    ['usage', -30, 90],
    ['usage', -20, 120],
    ['usage', -10, 140],
    ['bonus', 150, 150],
  ]);
  for (const { entries } of answer.body) {
    expect(entries.reduce((sum: number, { amount }: any) => sum + amount, 0)).toBe(0);
  }
});

test('pages follow each other without gap or repetition, by cursor and by offset', async () => {
  const holder = await addHistory();
  const all = (await read(holder, 'transactions')).body;
  const first = await read(holder, 'transactions?limit=4');
  const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await service.send('GET', next, { token: holder.token });
  expect([...first.body, ...second.body]).toEqual(all);
  expect(second.headers.get('link')).toBeNull();
  expect((await read(holder, 'transactions?limit=2&offset=3')).body).toEqual(all.slice(3, 5));
});

test('filters by app, type and time combine, and the total counts what matches', async () => {
  const holder = await addHistory();
  const amounts = async (query: string) => {
    const answer = await read(holder, `transactions?${query}`);
    expect(answer.headers.get('x-total-count')).toBe(String(answer.body.length));
    return answer.body.map(({ amount }: any) => amount);
  };
  expect(await amounts('appId=chat')).toEqual([-30, -10]);
  expect(await amounts('type=daily')).toEqual([5]);
  expect(await amounts('type=usage&appId=images')).toEqual([-20]);
  expect(await amounts('from=2026-03-31T00:00:00.000Z&to=2026-04-01')).toEqual([5, -30, -20]);
  expect(await amounts('from=2026-04-01')).toEqual([-1]);
  expect(await amounts('from=2026-04-01T00:00:00.001Z')).toEqual([]);
  expect(await amounts('from=2026-05-01&to=2026-01-01')).toEqual([]);
  expect(await amounts('appId=chat&from=2026-03-31T01:00:00.000Z')).toEqual([-30]);
});

test('times at the ends of the calendar are read or refused', async () => {
  const holder = await addHistory();
  for (const query of ['from=0000-01-01', 'to=9999-12-31T23:59:59-23:59']) {
    const { status, headers } = await read(holder, `transactions?${query}`);
    expect({ status, total: headers.get('x-total-count') }).toEqual({ status: 200, total: '6' });
  }
  expect((await read(holder, 'usage?groupBy=day&to=9999-12-31')).body.totals.count).toBe(4);
  expect((await read(holder, 'usage?groupBy=day&from=0000-01-01')).body.code).toBe('request.invalid');
});

test('a filtered list pages by cursor too', async () => {
  const holder = await addHistory();
  const first = await read(holder, 'transactions?limit=1&appId=chat');
  expect(first.headers.get('x-total-count')).toBe('2');
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await service.send('GET', next, { token: holder.token });
  expect(second.body.map(({ amount }: any) => amount)).toEqual([-10]);
});

test('a statement opens with what the month before closed with, and its movements add up', async () => {
  const holder = await addHistory();
  const march = (await read(holder, 'statement?month=2026-03')).body;
  const april = (await read(holder, 'statement?month=2026-04')).body;
  expect(march).toMatchObject({ month: '2026-03', opening: 0, closing: 95 });
  expect(april).toMatchObject({ month: '2026-04', opening: 95, closing: 94 });
  for (const { opening, closing, movements } of [march, april]) {
    expect(movements.reduce((sum: number, { amount }: any) => sum + amount, opening)).toBe(closing);
  }
  expect(march.movements.map(({ amount }: any) => amount)).toEqual([150, -10, -20, -30, 5]);
  expect((await read(holder, 'statement?month=2026-02')).body).toMatchObject({
    opening: 0,
    closing: 0,
    movements: [],
  });
  expect((await read(holder, 'statement?month=2026-05')).body).toMatchObject({ opening: 94, closing: 94 });
});

test('a statement comes as CSV by Accept or by format, safe to open in a spreadsheet', async () => {
  const holder = await addHistory();
  const byAccept = await read(holder, 'statement?month=2026-04', { accept: 'text/csv' });
  const byFormat = await read(holder, 'statement?month=2026-04&format=csv');
  expect(byAccept.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(byAccept.headers.get('vary')).toMatch(/\bAccept$/);
  expect(byAccept.body).toBe(byFormat.body);
  expect(
    byAccept.body
      .split('\r\n')
      .map((row: string) => row.replace(/[0-9a-f]{64},/, 'HASH,').replace(/[0-9a-f-]{36},/, 'ID,')),
  ).toEqual([
    'createdAt,type,appId,description,amount,balanceAfter,id,sequence,hash,setAside',
    '2026-04-01T00:00:00.000Z,opening,,,,95,,5,HASH,',
    `2026-04-01T00:00:00.000Z,usage,"'=search","'=1+1, ""quoted""",-1,94,ID,6,HASH,0`,
    '2026-05-01T00:00:00.000Z,closing,,,,94,,6,HASH,',
    '',
  ]);
});

test('a statement of several pages is complete', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { kind: 'paid', source: 'purchase', amount: 2000 });
  await spendInOneBatch(
    service,
    Array.from({ length: 1100 }, () => ({ holder, amount: 1 })),
  );
  const month = service.clock.now().toISOString().slice(0, 7);
  const { opening, closing, movements } = (await read(holder, `statement?month=${month}`)).body;
  expect([opening, closing, movements.length]).toEqual([0, 1050, 1102]);
});

test('usage is summed by app, by day and by model', async () => {
  const holder = await addHistory();
  const usage = async (query: string) => (await read(holder, `usage?${query}`)).body;
  expect(await usage('groupBy=app')).toEqual({
    groupBy: 'app',
    totals: { count: 4, amount: 61 },
    items: [
      { key: 'chat', count: 2, amount: 40 },
      { key: 'images', count: 1, amount: 20 },
      { key: '=search', count: 1, amount: 1 },
    ],
  });
  expect((await usage('groupBy=day')).items).toEqual([
    { key: '2026-04-01', count: 1, amount: 1 },
    { key: '2026-03-31', count: 2, amount: 50 },
    { key: '2026-03-30', count: 1, amount: 10 },
  ]);
  expect((await usage('groupBy=model')).items).toEqual([
    { key: '', count: 2, amount: 31 },
    { key: 'large', count: 1, amount: 20 },
    { key: 'small', count: 1, amount: 10 },
  ]);
  expect((await usage('groupBy=app&from=2026-03-31&to=2026-03-31')).totals).toEqual({ count: 2, amount: 50 });
});

test('purchases are listed newest first, in pages', async () => {
  const holder = await addWalletHolder(service);
  for (const [packageId, day] of [
    ['starter', 1],
    ['pro', 3],
    ['plus', 2],
  ] as const) {
    await owner.query(
      `insert into credits.purchases
         (id, wallet_id, user_id, package_id, credits, price_cents, currency, provider, status, created_at)
       values (gen_random_uuid(), $1, $1, $2, 500, 500, 'EUR', 'stripe', 'pending', $3)`,
      [holder.userId, packageId, `2026-03-0${day}T00:00:00.000Z`],
    );
  }
  const first = await read(holder, 'purchases?limit=2');
  expect(first.headers.get('x-total-count')).toBe('3');
  expect(first.body).toMatchObject([
    { packageId: 'pro', priceCents: 500, currency: 'EUR', status: 'pending', completedAt: null },
    { packageId: 'plus' },
  ]);
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await service.send('GET', next, { token: holder.token });
  expect(second.body).toMatchObject([{ packageId: 'starter' }]);
  expect(second.headers.get('link')).toBeNull();
});

test('nobody reads the history of another wallet', async () => {
  const holder = await addHistory();
  const other = await addWalletHolder(service);
  const cursor = /cursor=([^&>]+)/.exec(
    (await read(holder, 'transactions?limit=1')).headers.get('link') ?? '',
  )?.[1];
  const answer = await read(other, `transactions?cursor=${cursor}`);
  expect(answer.body.map(({ type }: any) => type)).toEqual(['bonus']);
  expect((await read(other, 'usage')).body.items).toEqual([]);
  expect((await read(other, 'purchases')).body).toEqual([]);
});

test.each([
  'transactions?limit=0',
  'transactions?limit=201',
  'transactions?limit=x',
  'transactions?offset=-1',
  'transactions?cursor=nonsense',
  'transactions?type=theft',
  'transactions?from=yesterday',
  'transactions?to=2026-99-99',
  'statement',
  'statement?to=2026-03-01',
  'statement?month=2026-03&from=2026-03-01',
  'statement?from=soon',
  'balance-at',
  'balance-at?at=yesterday',
  'balance-at?at=2026-05-01T00:00:00.000Z',
  'transactions/1/receipt',
  'statement?month=2026-13',
  'statement?month=0000-01',
  'statement?month=2026-03&format=xml',
  'usage?groupBy=person',
  'usage?from=2026-02-30',
  'purchases?limit=0',
])('%s is refused with the field that is wrong', async (path) => {
  const holder = await addWalletHolder(service);
  const answer = await read(holder, path);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ code: 'request.invalid', errors: [{ path: expect.any(String) }] });
});

test('the packages for sale cost what CREDITS_PER_EUR says', async () => {
  const answer = await service.send('GET', '/api/v1/credits/packages');
  expect(answer.headers.get('x-total-count')).toBe(String(answer.body.length));
  expect(answer.body[0]).toMatchObject({
    id: 'starter',
    name: 'Starter',
    credits: 500,
    scale: 0,
    priceCents: 500,
    currency: 'EUR',
    active: true,
  });
});
