import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService, type Answer, type TestService } from '../../../../test/harness/index.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  readOwn,
} from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token, { access: 'open' });
const otherApp = await registerApplication(service, admin.token, { name: 'Other' });
let holder: WalletHolder;

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const credits = '/api/v1/credits';
const own = (method: string, path: string, body?: unknown): Promise<Answer> =>
  service.send(method, `${credits}${path}`, {
    token: holder.token,
    ...(body === undefined ? {} : { body }),
  });
const give = (more: Record<string, unknown> = {}) =>
  own('POST', '/mandates', { appId: app.clientId, allowance: 100, period: 'day', ...more });
const given = async (more: Record<string, unknown> = {}): Promise<any> => {
  const answer = await give(more);
  expect(answer.status).toBe(201);
  return answer.body;
};
const change = (id: string, changes: Record<string, unknown>) => own('PATCH', `/mandates/${id}`, changes);
const revoke = (id: string) => own('DELETE', `/mandates/${id}`);

type Options = { at?: TestService; as?: { clientId: string; headers: Record<string, string> } };
const asApp = (path: string, body: unknown, { at = service, as = app }: Options = {}) =>
  at.send('POST', `${credits}${path}`, { headers: as.headers, body });
const spendBody = (more: Record<string, unknown> = {}) => ({
  amount: 10,
  appId: app.clientId,
  description: 'Answer',
  onBehalfOf: holder.userId,
  ...more,
});
const use = (more: Record<string, unknown> = {}, options: Options = {}) =>
  asApp('/use', spendBody(more), options);
const hold = (more: Record<string, unknown> = {}, options: Options = {}) =>
  asApp('/holds', spendBody(more), options);
const capture = (id: string, amount: number, more: Record<string, unknown> = {}) =>
  asApp(`/holds/${id}/capture`, { amount, ...more });
const balance = () => readOwn(service, holder, 'balance');
const read = (id: string) => readOwn(service, holder, `mandates/${id}`);

describe('giving', () => {
  test('a mandate has terms, and tells what is left of it', async () => {
    const mandate = await given({ maxPerSpend: 50, period: 'month', expiresAt: '2026-12-31T00:00:00Z' });
    expect(mandate).toEqual({
      id: expect.any(String),
      walletId: holder.userId,
      appId: app.clientId,
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
    const without = (answer: Answer) => {
      const { requestId: _, ...rest } = answer.body;
      return [answer.status, rest];
    };
    const absent = { onBehalfOf: randomUUID() };
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect(without(await use())).toEqual(without(await use(absent)));
    expect(without(await hold())).toEqual(without(await hold(absent)));
    expect(without(await asApp('/quote', spendBody()))).toEqual(
      without(await asApp('/quote', spendBody(absent))),
    );
    const list = (id: string) =>
      service.send('GET', `${credits}/mandates?onBehalfOf=${id}`, { headers: app.headers });
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

describe('a token that a person gave to an app', () => {
  const tokenOf = (scope: string) => {
    const now = Math.floor(service.clock.now().getTime() / 1000);
    return service.ctx.keys.sign({
      iss: service.ctx.config.jwtIssuer,
      aud: service.ctx.config.jwtAudience,
      sub: holder.userId,
      sid: holder.sessionId,
      jti: randomUUID(),
      iat: now,
      exp: now + 900,
      email: 'somebody@example.com',
      role: 'user',
      client_id: app.clientId,
      scope,
    });
  };
  const useWith = async (scope: string, more: Record<string, unknown> = {}) =>
    service.send('POST', `${credits}/use`, {
      token: await tokenOf(scope),
      body: { ...spendBody(more), onBehalfOf: undefined },
    });

  test('spends with the scope for it, under the same mandate', async () => {
    expect((await useWith('openid')).body.code).toBe('auth.insufficient_scope');
    expect((await useWith('credits:spend')).body.code).toBe('mandate.required');
    const mandate = await given();
    expect((await useWith('openid credits:spend', { amount: 60 })).status).toBe(200);
    expect((await use({ amount: 41 })).body).toMatchObject({ code: 'mandate.exceeded', remaining: 40 });
    expect(await read(mandate.id)).toMatchObject({ used: 60 });
  });

  test('sees and moves the holds of its app only, and changes no mandate', async () => {
    await given();
    const mine = (await own('POST', '/holds', { amount: 5, appId: 'chat', description: 'x' })).body;
    const token = await tokenOf('credits:spend');
    expect((await service.send('GET', `${credits}/holds`, { token })).body).toEqual([]);
    expect((await service.send('GET', `${credits}/holds/${mine.id}`, { token })).status).toBe(404);
    const body = { amount: 5 };
    expect((await service.send('POST', `${credits}/holds/${mine.id}/capture`, { token, body })).status).toBe(
      404,
    );
    const wider = { appId: app.clientId, allowance: 1000, period: 'day' };
    expect((await service.send('POST', `${credits}/mandates`, { token, body: wider })).status).toBe(403);
  });
});

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
    const refund = (transactionId: string, amount: number) =>
      asApp('/refunds', { transactionId, amount, reason: 'Cut off' });
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
    const place = async () => (await hold({ amount: 20 })).body.id;
    const first = await place();
    expect((await capture(first, 51)).body).toMatchObject({
      code: 'credits.insufficient',
      required: 51,
      available: 50,
    });
    expect((await capture(first, 30)).body).toMatchObject({ captured: 30, newBalance: { balance: 20 } });
    expect(await read(mandate.id)).toMatchObject({ used: 30 });
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
    const keyed = { idempotencyKey: randomUUID() };
    const next = await place();
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
    await asApp('/refunds', { transactionId: spent.id, reason: 'x' });
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
    await asApp('/refunds', { transactionId: captured.id, amount: 20, reason: 'x' });
    expect(await used()).toBe(10);
    await asApp('/refunds', { transactionId: captured.id, amount: 70, reason: 'x' });
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

describe('races', () => {
  const parties = [service, second];
  const party = (index: number) => parties[index % parties.length]!;
  const many = (count: number, call: (index: number) => Promise<Answer>) =>
    Promise.all(Array.from({ length: count }, (_, index) => call(index)));

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

  test('30 parallel copies of one key under a mandate have one effect', async () => {
    const mandate = await given();
    const keyed = { amount: 10, idempotencyKey: randomUUID() };
    const answers = await many(30, (index) => use(keyed, { at: party(index) }));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await read(mandate.id)).toMatchObject({ used: 10 });
  });
});

test('refusals come in a fixed order: malformed, application, consent, replay, wallet, mandate, funds', async () => {
  const mandate = await given({ allowance: 1000 });
  const done = { idempotencyKey: randomUUID() };
  expect((await use(done)).status).toBe(200);
  const code = async (more: Record<string, unknown>, options: Options = {}) =>
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
