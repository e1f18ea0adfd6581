import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
let holder: WalletHolder;
const { given, change, asApp, use, hold, capture, refund, read } = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

describe('periods', () => {
  test.each([
    ['day', '2026-03-11T00:00:00.000Z'],
    ['week', '2026-03-16T00:00:00.000Z'],
    ['month', '2026-04-01T00:00:00.000Z'],
  ])(
    'a %s is of the calendar in UTC; the allowance is new at its very first millisecond',
    async (period, next) => {
      const mandate = await given({ period });
      expect(mandate.resetsAt).toBe(next);
      await use({ amount: 100 });
      service.clock.set(new Date(Date.parse(next) - 1));
      expect((await use({ amount: 1 })).body).toMatchObject({ code: 'mandate.exceeded', resetsAt: next });
      service.clock.set(next);
      expect(await read(mandate.id)).toMatchObject({ used: 0, remaining: 100, periodStartedAt: next });
      expect((await use({ amount: 1 })).status).toBe(200);
      expect(await read(mandate.id)).toMatchObject({ used: 1, periodStartedAt: next });
    },
  );

  test('a total never begins anew', async () => {
    const mandate = await given({ period: 'total' });
    await use({ amount: 100 });
    service.clock.advance({ days: 300 });
    expect((await use({ amount: 1 })).body).toMatchObject({ code: 'mandate.exceeded', resetsAt: null });
    expect(await read(mandate.id)).toMatchObject({ used: 100, resetsAt: null });
  });

  test.each([
    ['2028-02-29T23:59:59.999Z', 'month', '2028-03-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 'month', '2027-01-01T00:00:00.000Z'],
    ['2026-03-29T00:30:00.000Z', 'day', '2026-03-30T00:00:00.000Z'],
    ['2027-01-03T23:59:59.999Z', 'week', '2027-01-04T00:00:00.000Z'],
  ])('over leap days, year ends and summer time: %s, %s', async (at, period, next) => {
    service.clock.set(at);
    holder = await addWalletHolder(service);
    expect((await given({ period })).resetsAt).toBe(next);
  });

  test('what comes back belongs to the period that it was taken from', async () => {
    const mandate = await given();
    service.clock.set('2026-03-10T23:59:00.000Z');
    const old = (await hold({ amount: 60, expiresInSeconds: 3600 })).body;
    const spent = (await use({ amount: 40 })).body.transaction;
    service.clock.set('2026-03-11T00:00:00.000Z');
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
    await asApp(`/holds/${old.id}/extend`, { amount: 25, expiresInSeconds: 3600 });
    await use({ amount: 70 });
    expect(await read(mandate.id)).toMatchObject({ used: 95 });
    // 60 of yesterday and 5 of today are captured; 20 of today come back.
    await capture(old.id, 65);
    expect(await read(mandate.id)).toMatchObject({ used: 75 });
    await refund(spent.id);
    expect(await read(mandate.id)).toMatchObject({ used: 75 });
  });

  test('a refund of a capture gives back to each period what it took from it, the latest first', async () => {
    const mandate = await given();
    service.clock.set('2026-03-10T23:59:00.000Z');
    const placed = (await hold({ amount: 60, expiresInSeconds: 3600 })).body;
    service.clock.set('2026-03-11T00:00:00.000Z');
    await asApp(`/holds/${placed.id}/extend`, { amount: 30, expiresInSeconds: 3600 });
    const captured = (await capture(placed.id, 90)).body.transaction;
    const used = async () => (await read(mandate.id)).used;
    expect(await used()).toBe(30);
    await refund(captured.id, 20);
    expect(await used()).toBe(10);
    await refund(captured.id, 70);
    expect(await used()).toBe(0);
  });

  test('under another period, what was charged since its beginning counts', async () => {
    const mandate = await given({ period: 'day' });
    await use({ amount: 30 });
    service.clock.advance({ days: 1 });
    const placed = (await hold({ amount: 20 })).body;
    expect(await read(mandate.id)).toMatchObject({ used: 20 });
    expect((await change(mandate.id, { period: 'month' })).body).toMatchObject({ used: 50, remaining: 50 });
    await asApp(`/holds/${placed.id}/void`, {});
    expect(await read(mandate.id)).toMatchObject({ used: 30 });
    expect((await change(mandate.id, { period: 'day' })).body).toMatchObject({ used: 0 });
    expect((await change(mandate.id, { period: 'total' })).body).toMatchObject({ used: 30 });
  });

  test('with a clock set back, what was charged still counts', async () => {
    const mandate = await given();
    service.clock.set('2026-03-11T00:00:00.000Z');
    await use({ amount: 60 });
    service.clock.advance({ ms: -1 });
    expect((await use({ amount: 41 })).body.code).toBe('mandate.exceeded');
    expect((await use({ amount: 40 })).status).toBe(200);
    service.clock.advance({ ms: 1 });
    expect(await read(mandate.id)).toMatchObject({ used: 100 });
  });
});
