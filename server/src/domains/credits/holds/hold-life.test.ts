import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const week = 604_800;
let holder: WalletHolder;

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const place = async (amount: number, expiresInSeconds = week) =>
  (await post(service, holder, 'holds', { amount, appId: 'chat', description: 'x', expiresInSeconds })).body;
const extend = (id: string, expiresInSeconds: number, more = {}) =>
  post(service, holder, `holds/${id}/extend`, { expiresInSeconds, ...more });
const balance = () => readOwn(service, holder, 'balance');

describe('however often it is extended', () => {
  test('a hold ends 30 days after it was placed, and says so to who asks for more', async () => {
    const { id } = await place(100);
    for (let day = 0; day < 24; day += 6) {
      service.clock.set(new Date(Date.parse(start) + day * 86_400_000));
      expect((await extend(id, week)).status).toBe(200);
    }
    service.clock.set('2026-04-02T12:00:00.001Z');
    expect((await extend(id, week)).body).toMatchObject({
      code: 'hold.too_long',
      status: 409,
      expiresAtMax: '2026-04-09T12:00:00.000Z',
    });
    service.clock.set('2026-04-02T12:00:00.000Z');
    expect((await extend(id, week)).body.expiresAt).toBe('2026-04-09T12:00:00.000Z');
    service.clock.set('2026-04-09T11:59:59.000Z');
    expect((await extend(id, 1, { amount: 5 })).body).toMatchObject({ amount: 105, status: 'open' });
    service.clock.advance({ seconds: 1 });
    expect((await post(service, holder, `holds/${id}/capture`, { amount: 1 })).body.code).toBe('hold.closed');
    expect(await balance()).toMatchObject({ held: 0 });
  });

  test('credits that expire are kept beyond their end no longer than that', async () => {
    const expiresAt = '2026-03-10T13:00:00.000Z';
    await addLot(service, holder, { source: 'gift', kind: 'free', amount: 1000, priority: 1, expiresAt });
    const { id } = await place(1000);
    for (let day = 6; day <= 240; day += 6) {
      service.clock.advance({ days: 6 });
      await extend(id, week);
    }
    expect((await post(service, holder, `holds/${id}/capture`, { amount: 10 })).body.code).toBe(
      'hold.closed',
    );
    expect((await balance()).lots.map(({ source }: { source: string }) => source)).not.toContain('gift');
  });
});

test('a hold lives by the clock of the service, in a wallet that a wrong clock has touched, too', async () => {
  service.clock.set('2026-12-01T00:00:00.000Z');
  await post(service, holder, 'use', { amount: 1, appId: 'chat', description: 'x' });
  service.clock.set(start);
  const { id, expiresAt, createdAt } = await place(5, 60);
  expect({ createdAt, expiresAt }).toEqual({ createdAt: start, expiresAt: '2026-03-10T12:01:00.000Z' });
  service.clock.advance({ seconds: 30 });
  expect((await extend(id, 60)).body.expiresAt).toBe('2026-03-10T12:01:30.000Z');
  service.clock.advance({ seconds: 60 });
  expect(await balance()).toMatchObject({ held: 0 });
});

test('a wallet whose holds cannot be ended holds up nobody else', async () => {
  const stuck = holder;
  const first = await place(7, 60);
  holder = await addWalletHolder(service);
  const second = await place(7, 120);
  await owner.query('update credits.lots set held = 3 where wallet_id = $1', [stuck.userId]);
  service.clock.advance({ minutes: 3 });
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'end-expired-holds', {}));
  await service.ctx.jobs.runDue();
  const { rows } = await owner.query('select id, status from credits.holds where id = any($1)', [
    [first.id, second.id],
  ]);
  expect(new Map(rows.map(({ id, status }) => [id, status]))).toEqual(
    new Map([
      [first.id, 'open'],
      [second.id, 'expired'],
    ]),
  );
  await owner.query('update credits.lots set held = 7 where wallet_id = $1', [stuck.userId]);
});
