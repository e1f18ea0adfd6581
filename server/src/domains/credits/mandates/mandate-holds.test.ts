import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, readOwn } from '../../../../test/harness/movements.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
const otherApp = await registerApplication(service, admin.token, { name: 'Other' });
const credits = '/api/v1/credits';
let holder: WalletHolder;
const { own, given, change, revoke, asApp, use, hold, capture, refund, balance, read } = mandateCalls(
  service,
  app,
  () => holder,
);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

describe('holds under a mandate', () => {
  test('count against it at once, and give back exactly what is not captured', async () => {
    const mandate = await given();
    const placed = (await hold({ amount: 80 })).body;
    expect(placed).toMatchObject({ mandateId: mandate.id, appId: app.clientId, walletId: holder.userId });
    expect(await read(mandate.id)).toMatchObject({ used: 80, remaining: 20 });
    expect((await use({ amount: 21 })).body.code).toBe('mandate.exceeded');
    await capture(placed.id, 30, { final: false });
    expect(await read(mandate.id)).toMatchObject({ used: 80 });
    await capture(placed.id, 20);
    expect(await read(mandate.id)).toMatchObject({ used: 50, remaining: 50 });
  });

  test('give everything back when they are voided or expire', async () => {
    const mandate = await given();
    const placed = (await hold({ amount: 80 })).body;
    await asApp(`/holds/${placed.id}/void`, {});
    expect(await read(mandate.id)).toMatchObject({ used: 0 });
    await hold({ amount: 70, expiresInSeconds: 60 });
    service.clock.advance({ seconds: 59 });
    expect(await read(mandate.id)).toMatchObject({ used: 70 });
    service.clock.advance({ seconds: 1 });
    expect(await read(mandate.id)).toMatchObject({ used: 0 });
    expect((await use({ amount: 100 })).status).toBe(200);
  });

  test('a refund gives back what was spent, and no more', async () => {
    const mandate = await given();
    const spent = (await use({ amount: 60 })).body.transaction;
    const placed = (await hold({ amount: 30 })).body;
    const captured = (await capture(placed.id, 30)).body.transaction;
    expect((await refund(spent.id, 25)).status).toBe(200);
    expect(await read(mandate.id)).toMatchObject({ used: 65 });
    await refund(spent.id, 35);
    await refund(captured.id, 30);
    expect(await read(mandate.id)).toMatchObject({ used: 0, remaining: 100 });
  });

  test('live on when the mandate is revoked, up to their amount, unless the person voids them', async () => {
    const mandate = await given({ overrun: 'spill' });
    const [first, other] = [(await hold({ amount: 20 })).body, (await hold({ amount: 20 })).body];
    await revoke(mandate.id);
    expect((await capture(first.id, 21)).body).toMatchObject({ code: 'mandate.required', reason: 'revoked' });
    expect((await asApp(`/holds/${first.id}/extend`, {})).body.code).toBe('mandate.required');
    expect((await capture(first.id, 20)).status).toBe(200);
    expect((await own('POST', `/holds/${other.id}/void`, {})).body.status).toBe('voided');
    expect((await capture(other.id, 20)).body).toMatchObject({ code: 'hold.closed', holdStatus: 'voided' });
  });

  test('belong to their app: another one sees and moves none of them', async () => {
    await given();
    const placed = (await hold()).body;
    const path = `${credits}/holds/${placed.id}`;
    expect((await service.send('GET', path, { headers: otherApp.headers })).status).toBe(404);
    expect((await service.send('GET', path, { headers: app.headers })).body.id).toBe(placed.id);
    expect((await asApp(`/holds/${placed.id}/capture`, { amount: 1 }, { as: otherApp })).status).toBe(404);
    const list = (headers: Record<string, string>) =>
      service.send('GET', `${credits}/holds?onBehalfOf=${holder.userId}`, { headers });
    expect((await list(otherApp.headers)).body).toEqual([]);
    expect((await list(app.headers)).body).toHaveLength(1);
    expect((await service.send('GET', `${credits}/holds`, { headers: app.headers })).status).toBe(400);
  });

  test('a hold that the person placed for the app can be captured by it, up to its amount', async () => {
    const placed = (await own('POST', '/holds', { amount: 40, appId: app.clientId, description: 'x' })).body;
    expect((await capture(placed.id, 41, { overrun: 'spill' })).body.code).toBe('mandate.required');
    expect((await asApp(`/holds/${placed.id}/extend`, { amount: 1 })).body.code).toBe('mandate.required');
    expect((await capture(placed.id, 40)).body).toMatchObject({ status: 'captured', mandateId: null });
  });
});

describe('above a hold', () => {
  test('the mandate says refuse', async () => {
    await given();
    const placed = (await hold({ amount: 20 })).body;
    expect((await capture(placed.id, 21, { overrun: 'spill' })).body).toMatchObject({
      code: 'hold.exceeded',
      remaining: 20,
    });
  });

  test('the mandate says spill: to other credits of the kinds allowed, within the allowance', async () => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 50 });
    const mandate = await given({ overrun: 'spill', kinds: ['paid'] });
    const first = (await hold({ amount: 20 })).body.id;
    expect((await capture(first, 51)).body).toMatchObject({
      code: 'credits.insufficient',
      required: 51,
      available: 50,
    });
    expect((await capture(first, 30)).body).toMatchObject({ captured: 30, newBalance: { balance: 20 } });
    expect(await read(mandate.id)).toMatchObject({ used: 30 });
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
    const keyed = { idempotencyKey: randomUUID() };
    const next = (await hold({ amount: 20 })).body.id;
    expect((await capture(next, 71, keyed)).body).toMatchObject({
      code: 'mandate.exceeded',
      required: 51,
      remaining: 50,
    });
    await change(mandate.id, { allowance: 101 });
    expect((await capture(next, 71, keyed)).body).toMatchObject({ captured: 71 });
    expect(await read(mandate.id)).toMatchObject({ used: 101, remaining: 0 });
  });

  test('the mandate says debt: bounded, counted as spent, repaid by what comes in next', async () => {
    const mandate = await given({ overrun: 'debt', overrunMax: 30, allowance: 1000 });
    const placed = (await hold({ amount: 140 })).body;
    expect((await capture(placed.id, 181)).body).toMatchObject({
      code: 'credits.insufficient',
      required: 181,
      available: 150,
    });
    const answer = await capture(placed.id, 180);
    expect(answer.body).toMatchObject({
      captured: 180,
      transaction: { amount: -150 },
      newBalance: { available: 0, totalSpent: 180 },
    });
    expect(await balance()).toMatchObject({ debt: 30, available: 0, totalSpent: 180 });
    expect(await read(mandate.id)).toMatchObject({ used: 180 });
    const [{ entries }] = await readOwn(service, holder, 'transactions?limit=1');
    expect(entries.slice(-2)).toEqual([
      { account: `receivable:${holder.userId}`, amount: -30, lotId: null },
      { account: `revenue:${app.clientId}`, amount: 180, lotId: null },
    ]);
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 40 });
    expect(await balance()).toMatchObject({ debt: 0, available: 10 });
    const next = (await hold({ amount: 10 })).body;
    expect((await capture(next.id, 41)).body.code).toBe('credits.insufficient');
    expect((await capture(next.id, 25, { final: false })).body).toMatchObject({ captured: 25, remaining: 0 });
    expect((await capture(next.id, 16)).body.code).toBe('credits.insufficient');
    expect((await capture(next.id, 15)).body).toMatchObject({ captured: 40 });
    expect(await balance()).toMatchObject({ debt: 30 });
  });
});
