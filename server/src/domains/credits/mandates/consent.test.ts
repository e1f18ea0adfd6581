import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { watchStatements } from '../../../../test/harness/statements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const developer = await addWalletHolder(service);
const app = await registerApplication(service, developer.token);
const otherApp = await registerApplication(service, developer.token);
let holder: WalletHolder;
const { given, own, asApp, revoke, change, use, hold, capture, refund } = mandateCalls(
  service,
  app,
  () => holder,
);
const ofOtherApp = mandateCalls(service, otherApp, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const effective = async (id: string) =>
  (await service.send('GET', `/api/v1/credits/mandates/${id}/effective`, { headers: app.headers })).body;
const nothing = [{ limit: 'mandate', amount: 0, until: null }];

describe('of a wallet, an app sees nothing', () => {
  test.each<[string, (id: string) => Promise<unknown> | void]>([
    ['once the mandate is revoked', (id) => revoke(id)],
    ['while it is paused', (id) => change(id, { status: 'paused' })],
    ['after it has expired', () => service.clock.set('2026-03-11T00:00:00.000Z')],
  ])('%s', async (_, end) => {
    const mandate = await given({ allowance: 10, expiresAt: '2026-03-11T00:00:00.000Z' });
    expect((await effective(mandate.id)).limits).toContainEqual({ limit: 'funds', amount: 150, until: null });
    await end(mandate.id);
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 777 });
    expect(await effective(mandate.id)).toMatchObject({ effective: 0, binds: 'mandate', limits: nothing });
    const quote = await asApp('/quote', { amount: 5, appId: app.clientId, onBehalfOf: holder.userId });
    expect(quote.body).toMatchObject({ passes: false, passesAt: null, lots: [], limits: nothing });
  });
});

/** What an app may still do with the credits of a mandate that is over, once it has begun. */
const moves = async () => {
  const spent = (await use({ amount: 5 })).body.transaction;
  const [first, other] = [(await hold({ amount: 5 })).body.id, (await hold({ amount: 5 })).body.id];
  return async () => [
    await capture(first, 1, { final: false }),
    await asApp(`/holds/${other}/void`, {}),
    await refund(spent.id, 1),
  ];
};

describe('of the wallet whose credits it still moves, an app is told', () => {
  test('what it has, while the mandate is in force', async () => {
    await given();
    for (const { status, body } of await (
      await moves()
    )()) {
      expect({ status, body }).toMatchObject({ status: 200, body: { newBalance: { balance: 0 } } });
    }
  });

  test.each<[string, (id: string) => Promise<unknown> | void]>([
    ['once it is revoked', (id) => revoke(id)],
    ['while it is paused', (id) => change(id, { status: 'paused' })],
    ['after it has expired', () => service.clock.set('2026-03-10T12:00:01.000Z')],
    [
      'when the person is gone',
      () => owner.query('update auth.users set is_active = false where id = $1', [holder.userId]),
    ],
  ])('nothing %s', async (_, end) => {
    const mandate = await given({ expiresAt: '2026-03-10T12:00:01.000Z' });
    await ofOtherApp.given();
    const move = await moves();
    await end(mandate.id);
    for (const { status, body } of await move()) {
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('newBalance');
      expect(body.transaction ?? {}).not.toHaveProperty('balanceBefore');
      expect(body.transaction ?? {}).not.toHaveProperty('balanceAfter');
    }
  });
});

test('what an app is told of the wallet is found out as its credits are moved, not afterwards', async () => {
  await given();
  const move = await moves();
  // Should the database be lost by then, the answer to the repeated request would be another one.
  const watch = watchStatements(service);
  const { statements } = await watch.during(move);
  watch.end();
  expect(statements.filter((text) => /credits\.(transact|refund_credits)\(/.test(text))).toHaveLength(3);
  expect(statements.filter((text) => text.includes('credits.mandates'))).toEqual([]);
  expect(statements.at(-1)).toContain('credits.refund_credits(');
});

/** How many grants apps have been told of. */
const eventsOf = async () => {
  const { rows } = await owner.query<{ type: string }>(
    `select type from webhooks.events where data->>'userId' = $1 and type = 'credits.granted' order by id`,
    [holder.userId],
  );
  return rows.length;
};

describe('of what happens to a person, an app hears', () => {
  beforeEach(async () => {
    await owner.query('delete from webhooks.endpoints');
    const body = { applicationId: app.id, url: 'https://example.com/hook' };
    const made = await service.send('POST', '/api/v1/webhooks/endpoints', { token: developer.token, body });
    expect(made.status).toBe(201);
  });

  test('while the mandate is in force, and not a millisecond longer', async () => {
    await given({ expiresAt: '2026-03-11T00:00:00.000Z' });
    service.clock.set('2026-03-10T23:59:59.999Z');
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1 });
    expect(await eventsOf()).toBe(1);
    service.clock.set('2026-03-11T00:00:00.000Z');
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1 });
    expect(await eventsOf()).toBe(1);
  });
});

describe('a person who is gone', () => {
  test('pays for nothing new; what was held can be captured', async () => {
    await given({ allowance: 100 });
    const held = (await hold({ amount: 20 })).body;
    await owner.query('update auth.users set is_active = false where id = $1', [holder.userId]);
    // As one is that was given while the account was being switched off.
    await owner.query(`update credits.mandates set status = 'active' where wallet_id = $1`, [holder.userId]);
    for (const answer of [await use({ amount: 5 }), await hold({ amount: 5 })]) {
      expect(answer.body).toMatchObject({ code: 'mandate.required', status: 403 });
    }
    expect((await capture(held.id, 20)).status).toBe(200);
  });

  test('pays for nothing when the account is erased, either', async () => {
    await given({ allowance: 100 });
    await owner.query('delete from auth.users where id = $1', [holder.userId]);
    expect((await use({ amount: 10 })).body.code).toBe('mandate.required');
    expect((await hold({ amount: 10 })).body.code).toBe('mandate.required');
  });
});

test('an application that is deleted charges nothing by the tokens it was given', async () => {
  const gone = await registerApplication(service, developer.token, { name: 'Gone' });
  await own('POST', '/mandates', { appId: gone.clientId, allowance: 100, period: 'day' });
  const { config, keys } = service.ctx;
  const iat = Math.floor(service.clock.now().getTime() / 1000);
  const token = await keys.sign({
    iss: config.jwtIssuer,
    aud: config.jwtAudience,
    sub: holder.userId,
    sid: holder.sessionId,
    jti: randomUUID(),
    iat,
    exp: iat + 900,
    email: 'x@example.com',
    role: 'user',
    client_id: gone.clientId,
    scope: 'credits:spend',
  });
  const spendBody = { amount: 10, appId: gone.clientId, description: 'x' };
  const spend = () => service.send('POST', '/api/v1/credits/use', { token, body: spendBody });
  expect((await spend()).status).toBe(200);
  await service.send('DELETE', `/api/v1/applications/${gone.id}`, { token: developer.token });
  expect((await spend()).body).toMatchObject({ code: 'auth.application_invalid', status: 401 });
});
