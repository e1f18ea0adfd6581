import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { untilSoManyWait } from '../../../../test/harness/locks.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, readOwn } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const second = await startTestService({ shareDatabaseWith: service });
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
let holder: WalletHolder;
const { given, change, asApp, use, hold, capture, balance, read } = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const party = (index: number) => (index % 2 ? second : service);
const many = (count: number, call: (index: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

describe('races', () => {
  beforeEach(() => addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 10_000 }));

  test('100 parallel spends, holds and captures of two services never exceed the allowance', async () => {
    const mandate = await given({ allowance: 100, overrun: 'spill' });
    const first = (await hold({ amount: 10 })).body;
    const answers = await many(100, (index) => {
      const options = { at: party(index) };
      if (index % 3 === 0) return hold({ amount: 3 }, options);
      if (index % 3 === 1) return use({ amount: 3 }, options);
      return asApp(`/holds/${first.id}/capture`, { amount: 4, final: false }, options);
    });
    const refused = answers.filter(({ status }) => status >= 400);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) expect(answer.body.code).toBe('mandate.exceeded');
    const { held, totalSpent } = await balance();
    const { used } = await read(mandate.id);
    expect(used).toBe(held + totalSpent);
    expect(used).toBeGreaterThan(96);
    expect(used).toBeLessThanOrEqual(100);
  });

  test('100 parallel spends at the turn of a day: neither day gets more than its allowance', async () => {
    await given({ allowance: 60 });
    service.clock.set('2026-03-10T23:59:59.999Z');
    await many(100, (index) => {
      if (index === 50) service.clock.advance({ ms: 1 });
      return use({ amount: 7 }, { at: party(index) });
    });
    await many(20, (index) => use({ amount: 7 }, { at: party(index) }));
    const usage = await readOwn(service, holder, 'usage?groupBy=day');
    for (const { amount } of usage.items) expect(amount).toBeLessThanOrEqual(60);
    expect(usage.items[0]).toEqual({ key: '2026-03-11', count: 8, amount: 56 });
  });

  test('sub-agents share one mandate: their holds never exceed it, and settle to what they cost', async () => {
    const mandate = await given({ allowance: 100 });
    const answers = await many(50, (index) => hold({ amount: 5 }, { at: party(index) }));
    const placed = answers.filter(({ status }) => status === 201);
    expect(placed).toHaveLength(20);
    await many(20, (index) => capture(placed[index]?.body.id, 1 + (index % 5)));
    expect(await read(mandate.id)).toMatchObject({ used: 60, remaining: 40 });
    expect(await balance()).toMatchObject({ held: 0, totalSpent: 60 });
  });

  test('spends against a change of the allowance: what goes through was allowed by one of both', async () => {
    const mandate = await given({ allowance: 1000 });
    const answers = await many(60, async (index) =>
      index === 20 ? change(mandate.id, { allowance: 50 }) : use({ amount: 5 }, { at: party(index) }),
    );
    const later = await use({ amount: 5 });
    const { used } = await read(mandate.id);
    expect(used).toBe(5 * answers.filter(({ body }) => body.success).length + (later.status === 200 ? 5 : 0));
    if (used > 50) expect(later.body.code).toBe('mandate.exceeded');
  });

  test('a change that waits for a spend counts what it has charged', async () => {
    const mandate = await given({ allowance: 1000 });
    const owner = await connectAsOwner(service);
    await owner.query('begin');
    await owner.query('select from credits.mandates where id = $1 for update', [mandate.id]);
    const spending = use({ amount: 5 });
    await untilSoManyWait(owner, 1);
    const changing = change(mandate.id, { allowance: 50 });
    await untilSoManyWait(owner, 2);
    await owner.query('commit');
    expect([(await spending).status, (await changing).status]).toEqual([200, 200]);
    expect(await read(mandate.id)).toMatchObject({ used: 5, remaining: 45 });
  });

  test('30 parallel copies of one key under a mandate have one effect', async () => {
    const mandate = await given();
    const keyed = { amount: 10, idempotencyKey: randomUUID() };
    const answers = await many(30, (index) => use(keyed, { at: party(index) }));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await read(mandate.id)).toMatchObject({ used: 10 });
  });
});
