import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import {
  addLot,
  addWalletHolder,
  spendInOneBatch,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService();

const read = (holder: WalletHolder, path: string): Promise<Answer> =>
  service.send('GET', `/api/v1/credits/${path}`, { token: holder.token });

const facts = ({ balance, freeCreditsRemaining, held, available }: any) => ({
  balance,
  freeCreditsRemaining,
  held,
  available,
});

test('the balance at any past instant is what was answered then', async () => {
  const holder = await addWalletHolder(service);
  const answered: { at: string; balance: unknown }[] = [];
  const note = async () => {
    const { body } = await read(holder, 'balance');
    answered.push({ at: service.clock.now().toISOString(), balance: facts(body) });
  };
  const expiresAt = new Date(service.clock.now().getTime() + 5 * 3_600_000).toISOString();
  await note();
  service.clock.advance({ hours: 1 });
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 40, expiresAt });
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 500 });
  await note();
  for (let step = 0; step < 30; step++) {
    service.clock.advance({ hours: 3, ms: step });
    if (step % 3 !== 0) await spendInOneBatch(service, [{ holder, amount: 7 * (step % 5) + 1 }]);
    await note();
  }
  for (const { at, balance } of answered) {
    const { status, body } = await read(holder, `balance-at?at=${at}`);
    expect(status).toBe(200);
    expect({ at: body.at, balance: facts(body) }).toEqual({ at, balance });
  }
  expect(new Set(answered.map(({ balance }) => JSON.stringify(balance))).size).toBeGreaterThan(20);
});

test('the instant itself counts: a grant is there when it is due, and not a millisecond earlier', async () => {
  const holder = await addWalletHolder(service);
  const due = new Date(service.clock.now().getTime() + 86_400_000);
  service.clock.advance({ days: 2 });
  const before = new Date(due.getTime() - 1).toISOString();
  expect((await read(holder, `balance-at?at=${before}`)).body).toMatchObject({
    available: 150,
    head: { sequence: 1 },
  });
  expect((await read(holder, `balance-at?at=${due.toISOString()}`)).body).toMatchObject({
    available: 155,
    head: { sequence: 2 },
  });
});

test('before its first transaction a wallet held nothing', async () => {
  const holder = await addWalletHolder(service);
  expect((await read(holder, 'balance-at?at=2020-01-01')).body).toEqual({
    at: '2020-01-01T00:00:00.000Z',
    balance: 0,
    freeCreditsRemaining: 0,
    held: 0,
    available: 0,
    head: { sequence: 0, hash: '0'.repeat(64) },
  });
});

test('statements of any periods that meet add up, with the same head where they meet', async () => {
  const holder = await addWalletHolder(service);
  const start = service.clock.now();
  for (let step = 0; step < 12; step++) {
    service.clock.advance({ hours: 1 });
    await spendInOneBatch(service, [{ holder, amount: step + 1 }]);
  }
  const at = (hours: number) => new Date(start.getTime() + hours * 3_600_000).toISOString();
  const [first, second] = [
    (await read(holder, `statement?from=${at(0)}&to=${at(5)}`)).body,
    (await read(holder, `statement?from=${at(5)}`)).body,
  ];
  expect(first).toMatchObject({ month: null, from: at(0), to: at(5), opening: 0, closing: 140 });
  expect(first.movements.map(({ amount }: any) => amount)).toEqual([150, -1, -2, -3, -4]);
  expect(second).toMatchObject({ to: at(12), opening: 140, openingHead: first.closingHead });
  // The end is exclusive: what happens at this very moment belongs to the next statement.
  expect(second.movements.map(({ amount }: any) => amount)).toEqual([-5, -6, -7, -8, -9, -10, -11]);
  const csv = await read(holder, `statement?from=${at(5)}&format=csv`);
  expect(csv.headers.get('content-disposition')).toContain(`statement-${at(5).slice(0, 10)}-to-`);
  expect(csv.body.split('\r\n')).toHaveLength(11);
});

test('pages by cursor stay in place while transactions are added', async () => {
  const holder = await addWalletHolder(service);
  const spend = (count: number) =>
    spendInOneBatch(
      service,
      Array.from({ length: count }, () => ({ holder, amount: 1 })),
    );
  await spend(20);
  const before = (await read(holder, 'transactions?limit=200')).body.map(({ id }: any) => id);
  const seen: string[] = [];
  for (let next: string | undefined = '/api/v1/credits/transactions?limit=4'; next !== undefined;) {
    const page: Answer = await service.send('GET', next, { token: holder.token });
    seen.push(...page.body.map(({ id }: any) => id));
    next = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
    await spend(3);
  }
  expect(seen).toEqual(before);
});

test('usage of one app is grouped like that of all', async () => {
  const holder = await addWalletHolder(service);
  for (const [appId, model] of [
    ['chat', 'small'],
    ['chat', 'large'],
    ['images', 'large'],
  ] as const) {
    const body = { amount: 5, appId, description: 'Work', metadata: { model } };
    await service.send('POST', '/api/v1/credits/use', { token: holder.token, body });
  }
  const { body } = await read(holder, 'usage?groupBy=model&appId=chat');
  expect(body).toMatchObject({ totals: { count: 2, amount: 10 } });
  expect(body.items.map(({ key }: any) => key)).toEqual(['large', 'small']);
});
