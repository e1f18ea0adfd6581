import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { addMember } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../test/harness/webhooks.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: loopbackEnv });
const { clock } = service;
const owner = await connectAsOwner(service);

const spend = (holder: WalletHolder, amount: number, appId = 'chat') =>
  service.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    body: { amount, appId, description: 'Chat message' },
  });
const asApp = (endpoint: TestEndpoint, path: string, body: Record<string, unknown>) =>
  service.send('POST', `/api/v1/credits/${path}`, {
    headers: endpoint.app.headers,
    body: { appId: endpoint.app.clientId, description: 'Answer', ...body },
  });
const giveMandate = async (holder: WalletHolder, { app }: TestEndpoint, terms = {}) => {
  const body = { appId: app.clientId, allowance: 100, period: 'day', ...terms };
  const answer = await service.send('POST', '/api/v1/credits/mandates', { token: holder.token, body });
  expect(answer.status).toBe(201);
  return answer.body;
};
/** Types and data of what has arrived, in the order of their ids. */
async function arrived(endpoint: TestEndpoint, ...types: string[]) {
  const events = await endpoint.deliver();
  return events
    .filter(({ type }) => types.length === 0 || types.includes(type))
    .map(({ type, data, timestamp }) => ({ type, data, timestamp }));
}
const countEvents = async () =>
  (await owner.query('select count(*)::int as count from webhooks.events')).rows[0].count;

test('credits that run low are told once per crossing, at the threshold of the endpoint', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['credits.low'], lowBalance: 100 });
  const { ada } = endpoint;
  const low = () => arrived(endpoint);
  expect((await spend(ada, 50)).body.newBalance.available).toBe(100);
  expect(await low()).toEqual([]);
  await spend(ada, 1);
  const first = {
    type: 'credits.low',
    timestamp: clock.now().toISOString(),
    data: { userId: ada.userId, walletId: ada.userId, available: 99, threshold: 100 },
  };
  expect(await low()).toEqual([first]);
  await spend(ada, 60);
  expect(await low()).toHaveLength(1);
  await addLot(service, ada, { source: 'purchase', kind: 'paid', amount: 61 });
  expect(await low()).toHaveLength(1);
  await spend(ada, 2);
  expect(await low()).toMatchObject([first, { data: { available: 98 } }]);
});

test('a hold makes credits run low too, and what a neighbour of the same batch does counts for itself', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['credits.low'], lowBalance: 20 });
  const body = { amount: 140, appId: 'chat', description: 'Long answer' };
  const { status } = await service.send('POST', '/api/v1/credits/holds', { token: endpoint.ada.token, body });
  expect(status).toBe(201);
  expect(await arrived(endpoint)).toMatchObject([{ data: { available: 10, threshold: 20 } }]);
});

test('200 parallel spends across the threshold and down to nothing tell each once', async () => {
  const endpoint = await addEndpoint(service, {
    eventTypes: ['credits.low', 'credits.exhausted'],
    lowBalance: 50,
  });
  const answers = await Promise.all(Array.from({ length: 200 }, () => spend(endpoint.ada, 1)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(150);
  const events = await arrived(endpoint);
  expect(events.map(({ type }) => type).toSorted()).toEqual(['credits.exhausted', 'credits.low']);
  const byType = Object.fromEntries(events.map(({ type, data }) => [type, data]));
  expect(byType['credits.exhausted'].available).toBe(0);
  expect(byType['credits.low'].available).toBeLessThan(50);
});

test('a refused spend tells nothing', async () => {
  const endpoint = await addEndpoint(service);
  const before = await countEvents();
  expect((await spend(endpoint.ada, 151)).status).toBe(402);
  expect(await countEvents()).toBe(before);
  expect(await arrived(endpoint)).toEqual([]);
});

test('an event exists exactly when its cause is committed, and not when nobody wants it', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['user.updated'] });
  const change = `update auth.users set name = $2 where id = $1`;
  const before = await countEvents();
  await owner.query('begin');
  await owner.query(change, [endpoint.ada.userId, 'Ada']);
  await owner.query('rollback');
  expect(await countEvents()).toBe(before);
  await owner.query(change, [(await addWalletHolder(service)).userId, 'Somebody else']);
  expect(await countEvents()).toBe(before);
  await owner.query(change, [endpoint.ada.userId, 'Ada']);
  expect(await countEvents()).toBe(before + 1);
  expect(await arrived(endpoint)).toMatchObject([{ type: 'user.updated' }]);
});

test('credits that come in are told with their source', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['credits.granted'] });
  const { ada } = endpoint;
  const expiresAt = new Date(clock.now().getTime() + 86_400_000).toISOString();
  await addLot(service, ada, { source: 'gift', kind: 'free', amount: 500, expiresAt });
  expect(await arrived(endpoint)).toMatchObject([
    { data: { userId: ada.userId, amount: 500, source: 'gift', kind: 'free', expiresAt } },
  ]);
  clock.advance({ days: 1 });
  await service.send('GET', '/api/v1/credits/balance', { token: ada.token });
  expect(await arrived(endpoint)).toMatchObject([
    {},
    { data: { amount: 5, source: 'daily', expiresAt: null } },
  ]);
});

test('spends are told to the application they were made in, and only if it asked', async () => {
  const asked = await addEndpoint(service, { eventTypes: ['credits.spent'] });
  const usual = await addEndpoint(service);
  for (const endpoint of [asked, usual]) {
    const ben = await addMember(service, endpoint.app.id);
    const { id: mandateId } = await giveMandate(ben, endpoint);
    const key = randomUUID();
    const body = { amount: 7, onBehalfOf: ben.userId, metadata: { model: 'small' }, idempotencyKey: key };
    for (let again = 0; again < 2; again++) expect((await asApp(endpoint, 'use', body)).status).toBe(200);
    await spend(ben, 3, 'elsewhere');
    const spent = await arrived(endpoint, 'credits.spent');
    if (endpoint === usual) expect(spent).toEqual([]);
    else {
      expect(spent).toMatchObject([
        { data: { userId: ben.userId, type: 'usage', amount: 7, mandateId, metadata: { model: 'small' } } },
      ]);
    }
  }
});

test('a mandate tells its application when it is given, changed, paused and revoked; charges tell nothing', async () => {
  const endpoint = await addEndpoint(service);
  const other = await addEndpoint(service);
  const ben = await addWalletHolder(service);
  const { id } = await giveMandate(ben, endpoint);
  const send = (method: string, body?: unknown) =>
    service.send(method, `/api/v1/credits/mandates/${id}`, {
      token: ben.token,
      ...(body === undefined ? {} : { body }),
    });
  clock.advance({ seconds: 1 });
  await asApp(endpoint, 'use', { amount: 7, onBehalfOf: ben.userId });
  await send('PATCH', { allowance: 200 });
  clock.advance({ seconds: 1 });
  await send('PATCH', { status: 'paused' });
  clock.advance({ seconds: 1 });
  await send('DELETE');
  const told = await arrived(endpoint);
  expect(told.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1))).toMatchObject([
    { type: 'mandate.created', data: { userId: ben.userId, mandate: { id, allowance: 100 } } },
    { type: 'mandate.changed', data: { mandate: { allowance: 200, used: 7 } } },
    { type: 'mandate.changed', data: { mandate: { status: 'paused' } } },
    { type: 'mandate.revoked', data: { mandate: { id, status: 'revoked' } } },
  ]);
  expect(await arrived(other)).toEqual([]);
});

test('a spend beyond the mandate is told once per period and wording of the terms', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['mandate.exceeded'] });
  const ben = await addWalletHolder(service);
  const { id } = await giveMandate(ben, endpoint, { allowance: 10 });
  const exceed = async () => {
    const { status, body } = await asApp(endpoint, 'use', { amount: 11, onBehalfOf: ben.userId });
    expect([status, body.code]).toEqual([402, 'mandate.exceeded']);
  };
  for (let again = 0; again < 3; again++) await exceed();
  const first = {
    type: 'mandate.exceeded',
    data: { userId: ben.userId, limit: 'allowance', required: 11, remaining: 10, mandate: { id } },
  };
  expect(await arrived(endpoint)).toMatchObject([first]);
  clock.advance({ days: 1 });
  await exceed();
  expect(await arrived(endpoint)).toMatchObject([first, first]);
  clock.advance({ seconds: 1 });
  await service.send('PATCH', `/api/v1/credits/mandates/${id}`, {
    token: ben.token,
    body: { maxPerSpend: 9 },
  });
  await exceed();
  await exceed();
  expect(await arrived(endpoint)).toMatchObject([first, first, { data: { limit: 'maxPerSpend' } }]);
});

test('a hold that ends by itself is told to its application', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['hold.expired'] });
  const ben = await addWalletHolder(service);
  await giveMandate(ben, endpoint);
  const placed = await asApp(endpoint, 'holds', { amount: 40, onBehalfOf: ben.userId, expiresInSeconds: 60 });
  expect(placed.status).toBe(201);
  const voided = await asApp(endpoint, 'holds', { amount: 1, onBehalfOf: ben.userId, expiresInSeconds: 60 });
  await service.send('POST', `/api/v1/credits/holds/${voided.body.id}/void`, {
    headers: endpoint.app.headers,
    body: {},
  });
  clock.advance({ seconds: 60 });
  await service.send('GET', '/api/v1/credits/balance', { token: ben.token });
  expect(await arrived(endpoint)).toMatchObject([
    {
      timestamp: placed.body.expiresAt,
      data: { holdId: placed.body.id, userId: ben.userId, amount: 40, captured: 0, returned: 40 },
    },
  ]);
});

test('an application hears of its members and of who gave it a mandate, until that ends, and of nobody else', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['user.updated'] });
  const [member, giver, stranger] = [
    await addMember(service, endpoint.app.id),
    await addWalletHolder(service),
    await addWalletHolder(service),
  ];
  const { id } = await giveMandate(giver, endpoint);
  const rename = ({ token }: WalletHolder, name: string) =>
    service.send('PUT', '/api/v1/users/me', { token, body: { name } });
  for (const holder of [member, giver, stranger]) await rename(holder, 'First');
  const told = async () => (await arrived(endpoint)).map(({ data }) => data.userId);
  expect(new Set(await told())).toEqual(new Set([member.userId, giver.userId]));

  await service.send('DELETE', `/api/v1/credits/mandates/${id}`, { token: giver.token });
  await service.send('DELETE', `/api/v1/applications/${endpoint.app.id}/users/${member.userId}`, {
    token: endpoint.ada.token,
  });
  for (const holder of [member, giver, stranger]) await rename(holder, 'Second');
  expect(await told()).toHaveLength(2);
});

test('people and memberships: what changed, and never what it says', async () => {
  const endpoint = await addEndpoint(service);
  const ben = await addMember(service, endpoint.app.id);
  const told = async (type: string) => (await arrived(endpoint, type)).map(({ data }) => data);
  expect(await told('member.added')).toEqual([{ userId: ben.userId, role: 'editor' }]);

  const body = { name: 'Ben', picture: 'https://example.com/ben.png' };
  await service.send('PUT', '/api/v1/users/me', { token: ben.token, body });
  expect(await told('user.updated')).toEqual([{ userId: ben.userId, fields: ['name', 'picture'] }]);
  await service.send('PUT', '/api/v1/users/me', { token: ben.token, body });
  expect(await told('user.updated')).toHaveLength(1);

  const users = `/api/v1/applications/${endpoint.app.id}/users/${ben.userId}`;
  await service.send('PUT', users, { token: endpoint.ada.token, body: { role: 'admin' } });
  expect(await told('member.role_changed')).toEqual([{ userId: ben.userId, role: 'admin' }]);

  await owner.query('update auth.users set is_active = false where id = $1', [ben.userId]);
  await owner.query('update auth.users set is_active = true where id = $1', [ben.userId]);
  expect(await told('user.deactivated')).toEqual([{ userId: ben.userId }]);
  expect(await told('user.reactivated')).toEqual([{ userId: ben.userId }]);

  await service.send('DELETE', users, { token: endpoint.ada.token });
  expect(await arrived(endpoint, 'member.removed')).toEqual([
    {
      type: 'member.removed',
      timestamp: clock.now().toISOString(),
      data: { userId: ben.userId, role: 'admin' },
    },
  ]);
});

test('who registers through an application is told to it, and who is deleted to all that know them', async () => {
  const endpoint = await addEndpoint(service, { eventTypes: ['user.registered', 'user.deleted'] });
  const [id, now] = [randomUUID(), clock.now()];
  await owner.query('begin');
  await owner.query('insert into auth.users (id, email, created_at, updated_at) values ($1, $2, $3, $3)', [
    id,
    `${id}@example.com`,
    now,
  ]);
  await owner.query(
    `insert into apps.memberships (application_id, user_id, role, created_at) values ($1, $2, 'editor', $3)`,
    [endpoint.app.id, id, now],
  );
  await owner.query('commit');
  await owner.query(`select set_config('obol.at', $1, false)`, [now.toISOString()]);
  await owner.query('delete from auth.users where id = $1', [id]);
  const told = await arrived(endpoint);
  expect(told.map(({ type }) => type).toSorted()).toEqual(['user.deleted', 'user.registered']);
  expect(told.map(({ data }) => data)).toEqual([{ userId: id }, { userId: id }]);
});
