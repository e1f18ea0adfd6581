import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { addAdministrator, impossibleAmounts, readOwn, spend } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start, env: { CREDITS_DAILY_CAP: '20' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
let holder: WalletHolder;

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});

const own = (path: string, body: unknown): Promise<Answer> =>
  service.send('POST', `/api/v1/credits${path}`, { token: holder.token, body });
const quote = async (amount: number) => (await own('/quote', { amount, appId: 'chat' })).body;
const asApp = (path: string, more: Record<string, unknown>): Promise<Answer> =>
  service.send('POST', `/api/v1/credits${path}`, {
    headers: app.headers,
    body: { appId: app.clientId, description: 'x', onBehalfOf: holder.userId, ...more },
  });
const appQuote = async (amount: number) => (await asApp('/quote', { amount })).body;
const give = async (more: Record<string, unknown> = {}): Promise<any> =>
  (await own('/mandates', { appId: app.clientId, allowance: 100, period: 'day', ...more })).body;
const effective = async (id: string, headers: Record<string, string> = {}) =>
  service.send('GET', `/api/v1/credits/mandates/${id}/effective`, {
    headers,
    ...(headers.authorization ? {} : { token: holder.token }),
  });

describe('a quote', () => {
  test('says from which lots, and spends nothing', async () => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 30 });
    const before = await readOwn(service, holder, 'balance');
    expect(await quote(170)).toEqual({
      passes: true,
      blockedBy: null,
      passesAt: null,
      lots: [
        { id: before.lots[0].id, source: 'signup', kind: 'free', amount: 150, expiresAt: null },
        { id: before.lots[1].id, source: 'purchase', kind: 'paid', amount: 20, expiresAt: null },
      ],
      effective: 180,
      binds: 'funds',
      limits: [{ limit: 'funds', amount: 180, until: null }],
    });
    expect(await readOwn(service, holder, 'balance')).toEqual(before);
  });

  test('says what blocks, and when daily credits will do', async () => {
    const asked = await quote(160);
    expect(asked).toMatchObject({
      passes: false,
      blockedBy: { code: 'credits.insufficient', required: 160, available: 150 },
      passesAt: '2026-03-12T12:00:00.000Z',
      lots: [],
    });
    expect((await quote(171)).passesAt).toBeNull();
  });

  test('counts on holds that expire, and not on lots that are gone by then', async () => {
    const expiresAt = '2026-03-10T12:05:00.000Z';
    await addLot(service, holder, { source: 'gift', kind: 'free', amount: 40, priority: 1, expiresAt });
    await own('/holds', { amount: 120, appId: 'chat', description: 'x', expiresInSeconds: 600 });
    expect((await quote(150)).passesAt).toBe('2026-03-10T12:10:00.000Z');
    expect((await quote(151)).passesAt).toBe('2026-03-11T12:00:00.000Z');
  });

  test('is about the mandate, too: what it leaves, and when its next period begins', async () => {
    const mandate = await give({ maxPerSpend: 80 });
    await asApp('/use', { amount: 60 });
    expect(await appQuote(50)).toMatchObject({
      passes: false,
      blockedBy: { code: 'mandate.exceeded', limit: 'allowance', remaining: 40, mandateId: mandate.id },
      passesAt: '2026-03-11T00:00:00.000Z',
      effective: 40,
      binds: 'allowance',
    });
    expect(await appQuote(81)).toMatchObject({
      blockedBy: { code: 'mandate.exceeded', limit: 'maxPerSpend' },
      passesAt: null,
    });
    expect((await appQuote(40)).passes).toBe(true);
  });

  test('knows of a mandate that ends before its next period', async () => {
    await give({ expiresAt: '2026-03-10T23:59:59.999Z' });
    await asApp('/use', { amount: 60 });
    expect((await appQuote(50)).passesAt).toBeNull();
  });

  test('says never, where only the person can help', async () => {
    const { id } = await give();
    await service.send('PATCH', `/api/v1/credits/mandates/${id}`, {
      token: holder.token,
      body: { status: 'paused' },
    });
    expect(await appQuote(5)).toMatchObject({
      passes: false,
      blockedBy: { code: 'mandate.required', reason: 'paused' },
      passesAt: null,
      effective: 0,
      binds: 'mandate',
    });
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect(await appQuote(5)).toMatchObject({
      blockedBy: { code: 'credits.wallet_inactive' },
      passesAt: null,
      binds: 'wallet',
    });
  });

  test.each(impossibleAmounts)('of %j is refused with a field error', async (amount) => {
    expect(await own('/quote', { amount, appId: 'chat' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/body/amount' }] },
    });
  });
});

describe('the effective balance', () => {
  test('is the minimum of all limits, for the person and for the app', async () => {
    const { id } = await give({ allowance: 120, maxPerSpend: 100, kinds: ['free'] });
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1000 });
    const expected = {
      mandateId: id,
      effective: 100,
      binds: 'maxPerSpend',
      limits: [
        { limit: 'maxPerSpend', amount: 100, until: null },
        { limit: 'allowance', amount: 120, until: '2026-03-11T00:00:00.000Z' },
        { limit: 'funds', amount: 150, until: null },
      ],
    };
    expect((await effective(id)).body).toEqual(expected);
    expect((await effective(id, app.headers)).body).toEqual(expected);
    await asApp('/use', { amount: 90 });
    expect((await effective(id)).body).toMatchObject({ effective: 30, binds: 'allowance' });
    await spend(service, holder, 50);
    expect((await effective(id)).body).toMatchObject({ effective: 10, binds: 'funds' });
  });

  test('is nobody else’s to read', async () => {
    const { id } = await give();
    const other = await registerApplication(service, admin.token);
    expect((await effective(id, other.headers)).status).toBe(404);
    const stranger = await addWalletHolder(service);
    const answer = await service.send('GET', `/api/v1/credits/mandates/${id}/effective`, {
      token: stranger.token,
    });
    expect(answer.body.code).toBe('request.not_found');
  });
});

const hourMs = 3_600_000;
const scene = fc.record({
  gifts: fc.array(
    fc.record({
      kind: fc.constantFrom('free' as const, 'paid' as const),
      amount: fc.integer({ min: 1, max: 60 }),
      lifeHours: fc.option(fc.integer({ min: 1, max: 90 }), { nil: null }),
      priority: fc.constantFrom(50, 100),
    }),
    { maxLength: 3 },
  ),
  holds: fc.array(
    fc.record({
      amount: fc.integer({ min: 1, max: 90 }),
      lifeHours: fc.integer({ min: 1, max: 100 }),
      byApp: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  debt: fc.option(fc.integer({ min: 1, max: 120 }), { nil: 0, freq: 2 }),
  mandate: fc.record({
    allowance: fc.integer({ min: 40, max: 200 }),
    period: fc.constantFrom('day', 'week', 'month', 'total'),
    kinds: fc.constantFrom(['free'], ['paid'], ['free', 'paid']),
    expiresAt: fc.constantFrom(null, '2026-03-12T07:00:00.000Z', '2026-04-05T00:00:00.000Z'),
  }),
  amount: fc.integer({ min: 1, max: 260 }),
  byApp: fc.boolean(),
});

test('a spend passes at the very millisecond that the quote says, and not before', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(scene, async ({ gifts, holds, debt, mandate, amount, byApp }) => {
      service.clock.set(start);
      holder = await addWalletHolder(service);
      await give(mandate);
      for (const { lifeHours, ...gift } of gifts) {
        const expiresAt =
          lifeHours === null ? null : new Date(Date.parse(start) + lifeHours * hourMs).toISOString();
        await addLot(service, holder, { ...gift, source: 'gift', expiresAt });
      }
      for (const { lifeHours, byApp: isApps, ...hold } of holds) {
        const body = { ...hold, expiresInSeconds: lifeHours * 3600, description: 'x' };
        await (isApps ? asApp('/holds', body) : own('/holds', { ...body, appId: 'chat' }));
      }
      if (debt > 0) {
        const body = { userId: holder.userId, amount: debt, description: 'x' };
        await service.send('POST', '/api/v1/credits/adjustments', { token: admin.token, body });
      }
      const ask = () => (byApp ? appQuote(amount) : quote(amount));
      const use = async () =>
        byApp ? asApp('/use', { amount }) : own('/use', { amount, appId: 'chat', description: 'x' });
      const asked = await ask();
      if (asked.passesAt === null) {
        expect((await use()).status === 200).toBe(asked.passes);
        return;
      }
      answered++;
      service.clock.set(new Date(Date.parse(asked.passesAt) - 1));
      expect((await ask()).passes).toBe(false);
      expect((await use()).status).toBeGreaterThanOrEqual(400);
      service.clock.set(asked.passesAt);
      expect(await ask()).toMatchObject({ passes: true });
      expect((await use()).status).toBe(200);
    }),
    { numRuns: 60 },
  );
  expect(answered).toBeGreaterThan(0);
}, 120_000);
