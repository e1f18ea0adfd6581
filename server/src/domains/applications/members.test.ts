import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { addMember, registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const base = '/api/v1/applications';

const send = (holder: WalletHolder, method: string, path: string, body?: unknown) =>
  service.send(method, `${base}${path}`, { token: holder.token, ...(body === undefined ? {} : { body }) });

async function newApplication(given: Record<string, unknown> = {}) {
  const ada = await addWalletHolder(service);
  return { ada, app: await registerApplication(service, ada.token, given) };
}

test('an ordinary member reads the application and changes nothing', async () => {
  const { app } = await newApplication();
  const ben = await addMember(service, app.id, 'editor');
  expect((await send(ben, 'GET', `/${app.id}`)).body.application.role).toBe('editor');
  expect((await send(ben, 'GET', '')).body.applications).toHaveLength(1);
  const calls: [string, string, unknown?][] = [
    ['PUT', '', { name: 'Mine' }],
    ['DELETE', ''],
    ['POST', '/rotate-secret', {}],
    ['GET', '/users'],
    ['PUT', `/users/${ben.userId}`, { role: 'admin' }],
    ['DELETE', `/users/${ben.userId}`],
  ];
  for (const [method, path, body] of calls) {
    const { status, body: problem } = await send(ben, method, `/${app.id}${path}`, body);
    expect([status, problem.code], `${method} ${path}`).toEqual([403, 'applications.admin_required']);
  }
});

test('administrators see the members, change their roles and remove them', async () => {
  const { ada, app } = await newApplication();
  service.clock.advance({ minutes: 1 });
  const ben = await addMember(service, app.id, 'editor');
  const listed = await send(ada, 'GET', `/${app.id}/users?limit=1`);
  expect(listed.body.users).toMatchObject([{ userId: ada.userId, role: 'admin' }]);
  expect(listed.headers.get('x-total-count')).toBe('2');
  expect(listed.headers.get('link')).toContain('offset=1');

  const changed = await send(ada, 'PUT', `/${app.id}/users/${ben.userId}`, { role: 'admin' });
  expect(changed.body.user).toMatchObject({ userId: ben.userId, role: 'admin' });
  expect((await send(ben, 'GET', `/${app.id}`)).body.application.role).toBe('admin');

  const unknown = await send(ada, 'PUT', `/${app.id}/users/${ben.userId}`, { role: 'queen' });
  expect(unknown).toMatchObject({ status: 400, body: { code: 'applications.role_unknown' } });
  const stranger = await addWalletHolder(service);
  for (const method of ['PUT', 'DELETE']) {
    const body = method === 'PUT' ? { role: 'editor' } : undefined;
    const { status } = await send(ada, method, `/${app.id}/users/${stranger.userId}`, body);
    expect(status).toBe(404);
  }

  expect((await send(ada, 'DELETE', `/${app.id}/users/${ben.userId}`)).status).toBe(200);
  expect((await send(ben, 'GET', `/${app.id}`)).status).toBe(404);
});

test('removing a member ends the consent that they gave', async () => {
  const { ada, app } = await newApplication();
  const ben = await addMember(service, app.id, 'editor');
  await owner.query(
    `insert into apps.grants (id, application_id, user_id, scopes, created_at, updated_at)
     values ($1, $2, $3, '{credits}', $4, $4)`,
    [randomUUID(), app.id, ben.userId, service.clock.now()],
  );
  await send(ada, 'DELETE', `/${app.id}/users/${ben.userId}`);
  const { rows } = await owner.query('select revoked_at from apps.grants where application_id = $1', [
    app.id,
  ]);
  expect(rows).toEqual([{ revoked_at: service.clock.now() }]);
});

test('the last administrator can neither step down nor be removed', async () => {
  const { ada, app } = await newApplication();
  await addMember(service, app.id, 'editor');
  const path = `/${app.id}/users/${ada.userId}`;
  const [down, gone] = [await send(ada, 'PUT', path, { role: 'editor' }), await send(ada, 'DELETE', path)];
  for (const { status, body } of [down, gone]) {
    expect([status, body.code]).toEqual([409, 'applications.last_admin']);
  }
  expect((await send(ada, 'PUT', path, { role: 'admin' })).status).toBe(200);
});

test('two administrators who remove each other at once leave one', async () => {
  for (let round = 0; round < 5; round++) {
    const { ada, app } = await newApplication();
    const ben = await addMember(service, app.id, 'admin');
    const answers = await Promise.all([
      send(ada, 'DELETE', `/${app.id}/users/${ben.userId}`),
      send(ben, 'DELETE', `/${app.id}/users/${ada.userId}`),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404]);
    const { rows } = await owner.query('select role from apps.memberships where application_id = $1', [
      app.id,
    ]);
    expect(rows).toEqual([{ role: 'admin' }]);
  }
});
