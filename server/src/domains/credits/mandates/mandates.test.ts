import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls, type AppOptions } from '../../../../test/harness/mandates.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  readOwn,
} from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
const otherApp = await registerApplication(service, admin.token, { name: 'Other' });
const credits = '/api/v1/credits';
let holder: WalletHolder;
const { give, given, change, revoke, asApp, spendBody, use, read } = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

describe('giving', () => {
  test('a mandate has terms, and tells what is left of it', async () => {
    const mandate = await given({ maxPerSpend: 50, period: 'month', expiresAt: '2026-12-31T00:00:00Z' });
    expect(mandate).toEqual({
      id: expect.any(String),
      walletId: holder.userId,
      appId: app.clientId,
      keyId: null,
      allowance: 100,
      period: 'month',
      kinds: ['free', 'paid'],
      maxPerSpend: 50,
      overrun: 'refuse',
      overrunMax: 0,
      used: 0,
      remaining: 100,
      periodStartedAt: '2026-03-01T00:00:00.000Z',
      resetsAt: '2026-04-01T00:00:00.000Z',
      status: 'active',
      expiresAt: '2026-12-31T00:00:00.000Z',
      createdAt: start,
      updatedAt: start,
    });
    expect(await read(mandate.id)).toEqual(mandate);
    expect(await readOwn(service, holder, 'mandates')).toEqual([mandate]);
  });

  test('an app has one; after it was revoked it may get another', async () => {
    const mandate = await given();
    expect((await give()).body).toMatchObject({ code: 'mandate.exists', mandateId: mandate.id });
    expect((await revoke(mandate.id)).body).toMatchObject({ id: mandate.id, status: 'revoked' });
    expect((await revoke(mandate.id)).status).toBe(200);
    expect((await change(mandate.id, { allowance: 5 })).body.code).toBe('mandate.revoked');
    const next = await given({ allowance: 7 });
    expect((await readOwn(service, holder, 'mandates')).map(({ id }: any) => id)).toEqual([
      next.id,
      mandate.id,
    ]);
  });

  test.each([
    [{ appId: 'nobody' }, '/body/appId'],
    [{ expiresAt: start }, '/body/expiresAt'],
    [{ expiresAt: 'soon' }, '/body/expiresAt'],
    [{ period: 'year' }, '/body/period'],
    [{ kinds: [] }, '/body/kinds'],
    [{ kinds: ['gold'] }, '/body/kinds/0'],
    [{ overrun: 'always' }, '/body/overrun'],
    ...impossibleAmounts.map((allowance) => [{ allowance }, '/body/allowance']),
    ...impossibleAmounts
      .filter((value) => value !== null)
      .map((maxPerSpend) => [{ maxPerSpend }, '/body/maxPerSpend']),
    ...[-1, 1.5, '5', null, 2 ** 53].map((overrunMax) => [{ overrunMax }, '/body/overrunMax']),
  ] as [Record<string, unknown>, string][])('%j is refused with a field error', async (wrong, path) => {
    const answer = await give(wrong);
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid', errors: [{ path }] } });
  });

  test("another person's mandate answers like one that does not exist", async () => {
    const mandate = await given();
    const stranger = await addWalletHolder(service);
    for (const [method, body] of [['GET'], ['PATCH', { allowance: 1 }], ['DELETE']] as const) {
      for (const id of [mandate.id, randomUUID()]) {
        const answer = await service.send(method, `${credits}/mandates/${id}`, {
          token: stranger.token,
          ...(body ? { body } : {}),
        });
        expect([answer.status, answer.body.code]).toEqual([404, 'request.not_found']);
      }
    }
  });

  test('applications cannot give themselves anything', async () => {
    const answer = await asApp('/mandates', { appId: app.clientId, allowance: 100, period: 'day' });
    expect(answer.status).toBe(401);
  });
});

test('refusals come in a fixed order: malformed, application, consent, replay, wallet, mandate, funds', async () => {
  const mandate = await given({ allowance: 1000 });
  const done = { idempotencyKey: randomUUID() };
  expect((await use(done)).status).toBe(200);
  const code = async (more: Record<string, unknown>, options: AppOptions = {}) =>
    (await use(more, options)).body.code;
  expect(await code({ amount: 500 })).toBe('credits.insufficient');
  expect(await code({ amount: 1001 })).toBe('mandate.exceeded');
  await change(mandate.id, { status: 'paused' });
  expect(await code({ amount: 1001 })).toBe('mandate.required');
  await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
  expect(await code({ amount: 1001 })).toBe('credits.wallet_inactive');
  expect(await code({ ...done, amount: 1001 })).toBe('idempotency.mismatch');
  expect((await use(done)).headers.get('idempotency-replayed')).toBe('true');
  expect(await code({ ...done, appId: otherApp.clientId }, { as: otherApp })).toBe('mandate.required');
  const rotated = await registerApplication(service, admin.token, { name: 'Switched off' });
  await service.send('POST', `${credits}/use`, { headers: rotated.headers, body: spendBody() });
  await owner.query('update apps.applications set is_active = false where id = $1', [rotated.id]);
  expect(await code({ appId: rotated.clientId }, { as: rotated })).toBe('auth.application_invalid');
  expect(await code({ appId: rotated.clientId, amount: -1 }, { as: rotated })).toBe('request.invalid');
});
