import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../../test/harness/api-keys.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { digestApiKey } from '../../../lib/api-key.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
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
const codesOf = (answers: Answer[]) => answers.map(({ body }) => body.code).toSorted();

test('64 parallel verify-and-charge calls on a key with a budget for 40: exactly 40 are charged', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 80, period: 'day' } });
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => verifyKey(service, key, { charge: spend({ amount: 2 }) })),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(codesOf(answers)).toEqual([
    ...Array.from({ length: 24 }, () => 'mandate.exceeded'),
    ...Array.from({ length: 40 }, () => 'valid'),
  ]);
  for (const { body } of answers) expect(body.valid).toBe(body.charge !== null);
  expect(await availableTo(holder)).toBe(150 - 80);
  expect((await verifyKey(service, key)).body).toMatchObject({
    valid: true,
    budget: { used: 80, remaining: 0 },
  });
  await expectSound(service);
});

test('64 parallel copies of one idempotency key charge once, with one answer; another body is refused', async () => {
  const holder = await addWalletHolder(service);
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 40 } });
  const charge = spend({ amount: 3, idempotencyKey: randomUUID() });
  const answers = await Promise.all(Array.from({ length: 64 }, () => verifyKey(service, key, { charge })));
  const outcomes = answers.map(
    ({
      body: {
        valid,
        charge: { transactionId, amount, available },
      },
    }) => JSON.stringify({ valid, transactionId, amount, available }),
  );
  expect(new Set(outcomes).size).toBe(1);
  expect(answers.filter(({ body }) => !body.charge.replayed)).toHaveLength(1);
  expect(await availableTo(holder)).toBe(147);
  const other = await verifyKey(service, key, { charge: { ...charge, amount: 4 } });
  expect(other.body).toMatchObject({ valid: false, code: 'idempotency.mismatch', charge: null });
  // The same request through the wallet's own route is the same spend.
  const again = await use(bearer(key), charge);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.transaction.id).toBe(answers[0]?.body.charge.transactionId);
  expect(await availableTo(holder)).toBe(147);
});

test('verification and charge are one round trip; without a charge nothing is written', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token, { budget: { allowance: 40 } });
  await verifyKey(service, key);
  const { db } = service.ctx;
  const { call, asService, asCaller, asServiceFor } = db;
  const statements: string[] = [];
  db.call = (text, values) => {
    statements.push(text);
    return call(text, values);
  };
  const refuse = () => {
    throw new Error('a transaction was opened');
  };
  Object.assign(db, { asService: refuse, asCaller: refuse, asServiceFor: refuse });
  await verifyKey(service, key);
  const verified = statements.splice(0);
  await verifyKey(service, key, { charge: spend() });
  Object.assign(db, { call, asService, asCaller, asServiceFor });
  expect(verified).toEqual(['select * from auth.verify_api_keys($1, $2, $3)']);
  expect(statements).toEqual([expect.stringContaining('auth.charge_api_key')]);
  // PostgreSQL itself refuses any write in such a transaction.
  await owner.query('begin transaction read only');
  const { rows } = await owner.query(verified[0] ?? '', [[digestApiKey(key)], [null], service.clock.now()]);
  await owner.query('commit');
  expect(rows).toMatchObject([{ code: null, caller_lives: true, budget: { used: 1 } }]);
});

test('verifications that come together are one call, each with its own answer', async () => {
  const holders = await Promise.all(Array.from({ length: 8 }, () => addWalletHolder(service)));
  const keys = await Promise.all(holders.map(({ token }) => makeKey(service, token)));
  const revoked = keys[3];
  await service.send('DELETE', `${ownKeys}/${revoked?.id}`, { token: holders[3]?.token ?? '' });
  const { db } = service.ctx;
  const call = db.call;
  let calls = 0;
  db.call = (text, values) => {
    if (text.includes('verify_api_keys')) calls += 1;
    return call(text, values);
  };
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => verifyKey(service, keys[index % 8]?.key ?? '')),
  );
  db.call = call;
  expect(calls).toBeLessThan(64);
  for (const [index, { body }] of answers.entries()) {
    const expected =
      index % 8 === 3
        ? { valid: false, code: 'revoked', userId: null }
        : { valid: true, code: 'valid', userId: holders[index % 8]?.userId };
    expect(body).toMatchObject(expected);
  }
});

test('who may verify: the key itself, an application, a key of an application with that scope; nobody else', async () => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, admin.token);
  const { key } = await makeKey(service, holder.token);
  const apps = await makeKey(service, admin.token, { scopes: ['api-keys:verify'] }, app.id);
  const narrow = await makeKey(service, admin.token, { scopes: ['credits:spend'] }, app.id);
  const others = await makeKey(service, admin.token);
  for (const headers of [bearer(key), { 'x-api-key': key }, app.headers, bearer(apps.key)]) {
    expect(await verifyKey(service, key, { headers })).toMatchObject({
      status: 200,
      body: { valid: true, code: 'valid', userId: holder.userId, applicationId: null },
    });
  }
  expect((await verifyKey(service, apps.key, { headers: app.headers })).body).toMatchObject({
    valid: true,
    userId: null,
    applicationId: app.id,
    scopes: ['api-keys:verify'],
  });
  const refused: [Record<string, string>, number, string][] = [
    [{}, 401, 'auth.application_invalid'],
    [bearer(holder.token), 401, 'auth.application_invalid'],
    [bearer(others.key), 403, 'auth.insufficient_scope'],
    [bearer(narrow.key), 403, 'auth.insufficient_scope'],
    [{ ...app.headers, 'x-api-key': key }, 400, 'request.invalid'],
  ];
  for (const [headers, status, code] of refused) {
    expect(await verifyKey(service, key, { headers })).toMatchObject({ status, body: { code } });
  }
  await service.send('DELETE', `/api/v1/applications/${app.id}`, { token: admin.token });
  for (const charge of [undefined, spend({ appId: app.clientId })]) {
    for (const headers of [app.headers, bearer(apps.key)]) {
      const answer = await verifyKey(service, key, { headers, ...(charge ? { charge } : {}) });
      expect(answer).toMatchObject({ status: 401, body: { code: 'auth.application_invalid' } });
    }
  }
});

test('a key without credits:spend charges nothing; funds, too, limit a key', async () => {
  const holder = await addWalletHolder(service);
  const narrow = await makeKey(service, holder.token, { scopes: ['credits:read'] });
  expect((await verifyKey(service, narrow.key, { charge: spend() })).body).toMatchObject({
    valid: false,
    code: 'insufficient_scope',
    charge: null,
  });
  const { key } = await makeKey(service, holder.token, { budget: { allowance: 1000 } });
  expect((await verifyKey(service, key, { charge: spend({ amount: 151 }) })).body).toMatchObject({
    valid: false,
    code: 'credits.insufficient',
    refusal: { required: 151, available: 150 },
    charge: null,
  });
  expect(await availableTo(holder)).toBe(150);
  expect((await verifyKey(service, key)).body.budget).toMatchObject({ used: 0 });
});

test('a budget limits a key on every route, by allowance, most per spend and kinds, and begins anew', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const budget = { allowance: 20, period: 'day', maxPerSpend: 15, kinds: ['paid'] };
  const { id, key } = await makeKey(service, holder.token, { budget });
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
  const without = await makeKey(service, holder.token);
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

test('a key of an application is no client secret: it opens no token endpoint', async () => {
  const admin = await addWalletHolder(service);
  const app = await registerApplication(service, admin.token, { grantTypes: ['client_credentials'] });
  const { key } = await makeKey(service, admin.token, {}, app.id);
  const pair = Buffer.from(`${encodeURIComponent(app.clientId)}:${key}`).toString('base64');
  const answer = await fetch(`${service.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${pair}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  expect(answer.status).toBe(401);
});

test('what is malformed is refused, whatever the key is', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token);
  const bodies = [
    {},
    { key: 7 },
    { key: null },
    { key: 'a'.repeat(1001) },
    { key, charge: {} },
    { key, charge: spend({ amount: 0 }) },
    { key, charge: spend({ amount: 1.5 }) },
    { key, charge: spend({ amount: 2 ** 53 }) },
    { key, charge: spend({ amount: '5' }) },
    { key, charge: spend({ appId: '' }) },
    { key, charge: spend({ idempotencyKey: '' }) },
    { key, charge: spend({ onBehalfOf: 'me' }) },
    { key, charge: spend({ metadata: 'much' }) },
  ];
  for (const body of bodies) {
    const answer = await service.send('POST', '/api/v1/api-keys/verify', {
      headers: { 'x-api-key': key },
      body,
    });
    expect([body, answer.status]).toEqual([body, 400]);
  }
});
