import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
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
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
const otherApp = await registerApplication(service, admin.token, { name: 'Other' });
const credits = '/api/v1/credits';
let holder: WalletHolder;
const { own, given, change, revoke, asApp, spendBody, use, hold, balance, read } = mandateCalls(
  service,
  app,
  () => holder,
);
const wrong = (path: string) => ({
  status: 400,
  body: { code: 'request.invalid', errors: [{ path, message: expect.any(String) }] },
});

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

/** An answer without what differs from request to request. */
const without = ({ status, body }: Answer) => [status, { ...body, requestId: '' }];
const list = (userId: string) =>
  service.send('GET', `${credits}/mandates?onBehalfOf=${userId}`, { headers: app.headers });

describe('spending', () => {
  test('an app spends from the wallet of who let it, and the mandate counts it', async () => {
    const mandate = await given();
    const answer = await use({ amount: 30, metadata: { model: 'small' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      success: true,
      transaction: { type: 'usage', amount: -30, balanceBefore: 150, balanceAfter: 120, appId: app.clientId },
      newBalance: { balance: 0, freeCreditsRemaining: 120, totalSpent: 30, available: 120 },
    });
    expect(await read(mandate.id)).toMatchObject({ used: 30, remaining: 70 });
    const [{ entries: _entries, ...listed }] = await readOwn(service, holder, 'transactions?limit=1');
    expect(listed).toMatchObject(answer.body.transaction);
    expect((await readOwn(service, holder, 'usage?groupBy=model')).items).toEqual([
      { key: 'small', count: 1, amount: 30 },
    ]);
  });

  test('beyond the allowance: 402 with what is left and where to raise it; the same key works once it was raised', async () => {
    const mandate = await given();
    await use({ amount: 95 });
    const keyed = { amount: 10, idempotencyKey: randomUUID() };
    for (let tries = 0; tries < 2; tries++) {
      const refused = await use(keyed);
      expect(refused.headers.get('idempotency-replayed')).toBeNull();
      expect([refused.status, refused.body]).toEqual([
        402,
        expect.objectContaining({
          code: 'mandate.exceeded',
          limit: 'allowance',
          mandateId: mandate.id,
          required: 10,
          remaining: 5,
          resetsAt: '2026-03-11T00:00:00.000Z',
          raiseUrl: `${service.ctx.config.appUrl}/mandates/${mandate.id}`,
        }),
      ]);
    }
    expect((await change(mandate.id, { allowance: 105 })).body).toMatchObject({
      allowance: 105,
      remaining: 10,
    });
    expect((await use(keyed)).status).toBe(200);
    const again = await use(keyed);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(await read(mandate.id)).toMatchObject({ used: 105, remaining: 0 });
  });

  test('the most per spend holds for spends, holds and extensions', async () => {
    await given({ maxPerSpend: 20 });
    expect((await use({ amount: 21 })).body).toMatchObject({
      code: 'mandate.exceeded',
      limit: 'maxPerSpend',
      required: 21,
      remaining: 20,
    });
    expect((await hold({ amount: 21 })).body.code).toBe('mandate.exceeded');
    const placed = (await hold({ amount: 20 })).body;
    const extended = await asApp(`/holds/${placed.id}/extend`, { amount: 1 });
    expect(extended.body).toMatchObject({ code: 'mandate.exceeded', limit: 'maxPerSpend', required: 21 });
  });

  test('only credits of the kinds allowed are spent', async () => {
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 60 });
    await given({ kinds: ['paid'] });
    expect((await use({ amount: 61 })).body).toMatchObject({ code: 'credits.insufficient', available: 60 });
    expect((await use({ amount: 60 })).body.newBalance).toMatchObject({
      balance: 0,
      freeCreditsRemaining: 150,
    });
  });

  test.each([
    ['none was given', async () => {}, 'none'],
    ['it is paused', async () => change((await given()).id, { status: 'paused' }), 'paused'],
    ['it is revoked', async () => revoke((await given()).id), 'revoked'],
    [
      'it has expired',
      async () => {
        await given({ expiresAt: '2026-03-10T12:00:01.000Z' });
        service.clock.advance({ seconds: 1 });
      },
      'expired',
    ],
  ])('without a mandate in force nothing is spent: %s', async (_, prepare, reason) => {
    await prepare();
    for (const answer of [await use(), await hold()]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'mandate.required']);
      expect(answer.body.raiseUrl).toContain('/mandates/');
      expect(answer.body.reason).toBe(reason === 'none' ? undefined : reason);
    }
    expect(await balance()).toMatchObject({ available: 150 });
  });

  test('a paused mandate goes on where it was, also for the request that was refused', async () => {
    const mandate = await given();
    await use({ amount: 40 });
    await change(mandate.id, { status: 'paused' });
    const keyed = { idempotencyKey: randomUUID() };
    expect((await use(keyed)).body.code).toBe('mandate.required');
    await change(mandate.id, { status: 'active' });
    expect((await use(keyed)).status).toBe(200);
    expect(await read(mandate.id)).toMatchObject({ used: 50, status: 'active' });
  });

  test('a revocation counts for the next request', async () => {
    const mandate = await given();
    expect((await use()).status).toBe(200);
    await revoke(mandate.id);
    expect((await use()).body).toMatchObject({ code: 'mandate.required', reason: 'revoked' });
  });

  test('who never let the app spend answers like somebody who does not exist', async () => {
    const absent = { onBehalfOf: randomUUID() };
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect(without(await use())).toEqual(without(await use(absent)));
    expect(without(await hold())).toEqual(without(await hold(absent)));
    expect(without(await asApp('/quote', spendBody()))).toEqual(
      without(await asApp('/quote', spendBody(absent))),
    );
    expect((await list(holder.userId)).body).toEqual((await list(absent.onBehalfOf)).body);
  });

  test('an app spends under its own name only, and says for whom', async () => {
    await given();
    for (const [wrong, path] of [
      [{ appId: otherApp.clientId }, '/body/appId'],
      [{ onBehalfOf: undefined }, '/body/onBehalfOf'],
      [{ onBehalfOf: 'somebody' }, '/body/onBehalfOf'],
    ] as const) {
      for (const answer of [await use(wrong), await hold(wrong), await asApp('/quote', spendBody(wrong))]) {
        expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
      }
    }
    const stranger = await addWalletHolder(service);
    const foreign = await own('POST', '/use', { ...spendBody(), onBehalfOf: stranger.userId });
    expect(foreign).toMatchObject({ status: 400, body: { errors: [{ path: '/body/onBehalfOf' }] } });
    expect((await use({ appId: otherApp.clientId }, { as: otherApp })).body.code).toBe('mandate.required');
  });

  test('an app that names a wallet of a team is refused, and debits nobody', async () => {
    await given();
    const walletId = randomUUID();
    for (const path of ['/use', '/holds', '/quote']) {
      expect(await asApp(path, spendBody({ walletId }))).toMatchObject(wrong('/body/walletId'));
    }
    const query = `onBehalfOf=${holder.userId}&walletId=${walletId}`;
    const list = await service.send('GET', `/api/v1/credits/holds?${query}`, { headers: app.headers });
    expect(list).toMatchObject(wrong('/query/walletId'));
    expect(await balance()).toMatchObject({ available: 150 });
    expect((await use({ walletId: holder.userId.toUpperCase() })).status).toBe(200);
  });

  test('a wrong secret spends nothing', async () => {
    await given();
    const wrong = { ...app, headers: { authorization: `Basic ${btoa(`${app.clientId}:wrong`)}` } };
    expect((await use({}, { as: wrong })).body.code).toBe('auth.application_invalid');
  });

  test("a person's own token needs no mandate, and spends nothing of one", async () => {
    const mandate = await given({ allowance: 5 });
    expect((await own('POST', '/use', { ...spendBody({ amount: 50 }), onBehalfOf: undefined })).status).toBe(
      200,
    );
    expect(await read(mandate.id)).toMatchObject({ used: 0 });
  });
});
