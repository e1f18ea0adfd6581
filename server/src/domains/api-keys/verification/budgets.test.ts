import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../../test/harness/api-keys.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { untilSoManyWait } from '../../../../test/harness/locks.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';
import { expectSound } from '../../../../test/harness/movements.ts';

const service = await startTestService();
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const spend = (more: Record<string, unknown> = {}) => ({
  amount: 1,
  appId: 'chat',
  description: 'Answer',
  ...more,
});
const availableTo = async ({ token }: WalletHolder) =>
  (await service.send('GET', '/api/v1/credits/balance', { token })).body.available;
const use = (headers: Record<string, string>, more: Record<string, unknown> = {}) =>
  service.send('POST', '/api/v1/credits/use', { headers, body: spend(more) });
const give = ({ token }: WalletHolder, { clientId }: TestApplication, more: Record<string, unknown> = {}) =>
  service.send('POST', '/api/v1/credits/mandates', {
    token,
    body: { appId: clientId, allowance: 100, period: 'day', ...more },
  });
const codesOf = (answers: Answer[]) => answers.map(({ body }): string => body.code).toSorted();

test('a budget limits a key on every route, by allowance, most per spend and kinds, and begins anew', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const budget = { allowance: 20, period: 'day', maxPerSpend: 15, kinds: ['paid'] };
  const { id, key } = await makeKey(service, holder.token, { budget });
  const without = await makeKey(service, holder.token);
  const headers = bearer(key);
  expect(await use(headers, { amount: 16 })).toMatchObject({
    status: 402,
    body: { code: 'mandate.exceeded', limit: 'maxPerSpend' },
  });
  expect((await use(headers, { amount: 15 })).body.newBalance).toMatchObject({ balance: 85 });
  const hold = (amount: number) =>
    service.send('POST', '/api/v1/credits/holds', { headers, body: spend({ amount }) });
  const held = await hold(4);
  expect(held.status).toBe(201);
  expect((await hold(2)).body).toMatchObject({ code: 'mandate.exceeded', limit: 'allowance', remaining: 1 });
  const quote = await service.send('POST', '/api/v1/credits/quote', { headers, body: spend({ amount: 5 }) });
  expect(quote.body).toMatchObject({ passes: false, effective: 1, binds: 'allowance' });
  const voided = await service.send('POST', `/api/v1/credits/holds/${held.body.id}/void`, {
    headers,
    body: {},
  });
  expect(voided.status).toBe(200);
  expect((await verifyKey(service, key)).body.budget).toMatchObject({ used: 15, remaining: 5 });
  const raised = await service.send('PATCH', `${ownKeys}/${id}`, {
    token: holder.token,
    body: { budget: { allowance: 25, maxPerSpend: null } },
  });
  expect(raised.body.budget).toMatchObject({ allowance: 25, maxPerSpend: null, used: 15, remaining: 10 });
  expect((await use(headers, { amount: 10 })).status).toBe(200);
  expect((await use(headers)).status).toBe(402);
  service.clock.advance({ days: 1 });
  expect((await verifyKey(service, key, { charge: spend({ amount: 25 }) })).body).toMatchObject({
    valid: true,
    budget: { used: 25, remaining: 0 },
  });
  // Their own token is not limited by it, and neither is a key without a budget.
  expect((await use(bearer(holder.token))).status).toBe(200);
  expect((await use(bearer(without.key))).status).toBe(200);
  await expectSound(service);
});

test('a key with a budget moves no hold that was not placed under it', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 5 } });
  const own = await service.send('POST', '/api/v1/credits/holds', {
    token: holder.token,
    body: spend({ amount: 100 }),
  });
  for (const [act, body] of [
    ['capture', { amount: 100 }],
    ['void', {}],
    ['extend', { expiresInSeconds: 60 }],
  ] as const) {
    const answer = await service.send('POST', `/api/v1/credits/holds/${own.body.id}/${act}`, {
      headers: bearer(key),
      body,
    });
    expect([act, answer.status]).toEqual([act, 404]);
  }
  expect(await availableTo(holder)).toBe(50);
});

test('a budget that its owner revokes lets the key spend nothing, rather than everything', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 5 } });
  const { body: mandates } = await service.send('GET', '/api/v1/credits/mandates', { token: holder.token });
  expect(mandates).toMatchObject([{ appId: null, keyId: expect.any(String), allowance: 5 }]);
  await service.send('DELETE', `/api/v1/credits/mandates/${mandates[0].id}`, { token: holder.token });
  expect(await use(bearer(key))).toMatchObject({
    status: 403,
    body: { code: 'mandate.required', reason: 'revoked' },
  });
  expect((await verifyKey(service, key, { charge: spend() })).body).toMatchObject({
    valid: false,
    code: 'mandate.required',
    refusal: { reason: 'revoked' },
  });
});

test('an application charges by a person’s key in its own name, within the lower of key budget and mandate', async () => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, admin.token);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 30, period: 'total' } });
  const charge = (amount: number, more: Record<string, unknown> = {}) =>
    verifyKey(service, key, {
      headers: app.headers,
      charge: spend({ amount, appId: app.clientId, ...more }),
    });
  expect(await charge(1, { appId: 'chat' })).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/body/charge/appId' }] },
  });
  // Without a mandate of theirs, the key is the consent.
  const idempotencyKey = randomUUID();
  expect((await charge(10, { idempotencyKey })).body).toMatchObject({
    valid: true,
    budget: { remaining: 20 },
  });
  // A mandate that is lower counts; what was charged before it stays one effect under its key.
  const { body: mandate } = await give(holder, app, { allowance: 5 });
  expect((await charge(10, { idempotencyKey })).body).toMatchObject({
    valid: true,
    charge: { replayed: true },
  });
  expect((await charge(6)).body).toMatchObject({
    valid: false,
    code: 'mandate.exceeded',
    refusal: { remaining: 5 },
  });
  expect((await charge(5)).body).toMatchObject({ valid: true, budget: { used: 15 } });
  const change = (body: unknown) =>
    service.send('PATCH', `/api/v1/credits/mandates/${mandate.id}`, { token: holder.token, body });
  expect((await change({ allowance: 1000 })).body).toMatchObject({ used: 5 });
  // A budget that is lower counts.
  expect((await charge(16)).body).toMatchObject({ code: 'mandate.exceeded', refusal: { remaining: 15 } });
  expect((await charge(15)).body).toMatchObject({ valid: true, budget: { remaining: 0 } });
  await change({ status: 'paused' });
  expect((await charge(1)).body).toMatchObject({ code: 'mandate.required', refusal: { reason: 'paused' } });
  expect(await availableTo(holder)).toBe(120);
  await expectSound(service);
});

test('a key of an application spends for people under their mandates only, within the lower of both', async () => {
  const [one, other, admin] = [
    await addWalletHolder(service),
    await addWalletHolder(service),
    await addWalletHolder(service),
  ];
  const app = await registerApplication(service, admin.token);
  const { id, key } = await makeKey(
    service,
    admin.token,
    { budget: { allowance: 30, period: 'total' } },
    app.id,
  );
  const for_ = ({ userId }: WalletHolder, amount: number) =>
    use(bearer(key), { amount, appId: app.clientId, onBehalfOf: userId });
  const charge = (more: Record<string, unknown>) =>
    verifyKey(service, key, { charge: spend({ appId: app.clientId, ...more }) });
  expect(await for_(one, 1)).toMatchObject({ status: 403, body: { code: 'mandate.required' } });
  expect((await charge({ onBehalfOf: one.userId })).body).toMatchObject({ code: 'mandate.required' });
  expect((await charge({})).body).toMatchObject({ valid: false, code: 'mandate.required' });
  expect((await charge({ appId: 'chat', onBehalfOf: one.userId })).body.code).toBe('app_mismatch');
  await give(one, app, { allowance: 12 });
  await give(other, app);
  expect(await for_(one, 13)).toMatchObject({ status: 402, body: { limit: 'allowance', remaining: 12 } });
  expect((await for_(one, 12)).status).toBe(200);
  expect((await charge({ amount: 8, onBehalfOf: other.userId })).body).toMatchObject({
    valid: true,
    userId: null,
    applicationId: app.id,
    budget: { used: 20, remaining: 10 },
  });
  const refused = await for_(other, 11);
  expect(refused).toMatchObject({ status: 402, body: { code: 'mandate.exceeded', remaining: 10 } });
  // A hold counts against one limit only.
  const held = await service.send('POST', '/api/v1/credits/holds', {
    headers: bearer(key),
    body: spend({ appId: app.clientId, onBehalfOf: other.userId }),
  });
  expect(held).toMatchObject({ status: 403, body: { code: 'api_keys.budget_holds' } });
  // A refund gives back to mandate and budget.
  const spent = await for_(other, 10);
  expect(await for_(other, 1)).toMatchObject({ status: 402 });
  const refund = await service.send('POST', '/api/v1/credits/refunds', {
    headers: bearer(key),
    body: { transactionId: spent.body.transaction.id, amount: 4, reason: 'Cut off' },
  });
  expect(refund.status).toBe(200);
  const { body: mandates } = await service.send('GET', '/api/v1/credits/mandates', { token: other.token });
  expect(mandates).toMatchObject([{ used: 14 }]);
  const list = await service.send('GET', `/api/v1/applications/${app.id}/api-keys`, { token: admin.token });
  expect(list.body.apiKeys).toMatchObject([{ id, budget: { used: 26, remaining: 4 } }]);
  await expectSound(service);
});

test('parallel spends for many people by one key of an application stay within its budget', async () => {
  const admin = await addWalletHolder(service);
  const app = await registerApplication(service, admin.token);
  const holders = await Promise.all(Array.from({ length: 8 }, () => addWalletHolder(service)));
  await Promise.all(holders.map((holder) => give(holder, app)));
  const { key } = await makeKey(service, admin.token, { budget: { allowance: 40 } }, app.id);
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => {
      const onBehalfOf = holders[index % 8]?.userId;
      return verifyKey(service, key, { charge: spend({ appId: app.clientId, onBehalfOf }) });
    }),
  );
  expect(codesOf(answers).filter((code) => code === 'valid')).toHaveLength(40);
  expect(new Set(codesOf(answers))).toEqual(new Set(['valid', 'mandate.exceeded']));
  const rest = await Promise.all(holders.map(availableTo));
  expect(rest.reduce((sum, available) => sum + available, 0)).toBe(8 * 150 - 40);
  await expectSound(service);
});

test('of two spends that come to a budget at once, the second sees what the first left of it', async () => {
  const admin = await addWalletHolder(service);
  const app = await registerApplication(service, admin.token);
  const holders = [await addWalletHolder(service), await addWalletHolder(service)];
  for (const holder of holders) await give(holder, app);
  const { id, key } = await makeKey(service, admin.token, { budget: { allowance: 10 } }, app.id);
  const owner = await connectAsOwner(service);
  await owner.query('begin');
  await owner.query('select from credits.mandates where key_id = $1 for update', [id]);
  const answers = holders.map(({ userId: onBehalfOf }) =>
    verifyKey(service, key, { charge: spend({ amount: 6, appId: app.clientId, onBehalfOf }) }),
  );
  await untilSoManyWait(owner, 2);
  await owner.query('commit');
  expect(codesOf(await Promise.all(answers))).toEqual(['mandate.exceeded', 'valid']);
});

test('a budget is raised after a sign-in of the last half hour only, by whichever route; lowered at any time', async () => {
  const person = await registerPerson(service);
  const { refreshToken } = await signIn(service, person);
  const budget = { allowance: 20, period: 'week', maxPerSpend: 5, kinds: ['free'] };
  const { id } = await makeKey(service, (await signIn(service, person)).accessToken, { budget });
  service.clock.advance({ seconds: 1801 });
  const { body: kept } = await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
  const token: string = kept.accessToken;
  const { body: mandates } = await service.send('GET', '/api/v1/credits/mandates', { token });
  const change = (terms: Record<string, unknown>, as = token) =>
    service.send('PATCH', `${ownKeys}/${id}`, { token: as, body: { budget: terms } });
  const changeMandate = (body: Record<string, unknown>, as = token) =>
    service.send('PATCH', `/api/v1/credits/mandates/${mandates[0].id}`, { token: as, body });
  const raises = [{ allowance: 21 }, { period: 'day' }, { kinds: ['free', 'paid'] }, { maxPerSpend: null }];
  const refused = { status: 403, body: { code: 'auth.step_up_required' } };
  for (const raise of raises) {
    expect(await change(raise), JSON.stringify(raise)).toMatchObject(refused);
    expect(await changeMandate(raise), JSON.stringify(raise)).toMatchObject(refused);
  }
  expect(await changeMandate({ overrun: 'spill' })).toMatchObject(refused);
  const lower = { allowance: 10, period: 'week', maxPerSpend: 4, kinds: ['free'] };
  expect((await change(lower)).body.budget).toMatchObject(lower);
  expect((await changeMandate({ allowance: 9 })).body).toMatchObject({ allowance: 9 });
  for (const status of ['paused', 'active']) expect((await changeMandate({ status })).status).toBe(200);
  const rename = { token, body: { name: 'Hourly import' } };
  expect((await service.send('PATCH', `${ownKeys}/${id}`, rename)).status).toBe(200);
  const { accessToken: fresh } = await signIn(service, person);
  expect((await change({ allowance: 50 }, fresh)).status).toBe(200);
  expect((await changeMandate({ allowance: 60 }, fresh)).status).toBe(200);
});
