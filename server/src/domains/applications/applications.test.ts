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

async function auditOf(applicationId: string) {
  const { rows } = await owner.query(
    `select action, actor_id, details from audit.events where target_id = $1 order by id`,
    [applicationId],
  );
  return rows;
}

test('whoever registers an application becomes its administrator, and sees its secret this once', async () => {
  const ada = await addWalletHolder(service);
  const created = await send(ada, 'POST', '', {
    name: ' Notes ',
    redirectUri: 'https://notes.example.com/callback',
    roles: ['editor', 'viewer'],
  });
  expect(created.status).toBe(201);
  const { clientSecret, ...shown } = created.body.application;
  expect(shown).toMatchObject({
    clientId: expect.stringMatching(/^app_[0-9a-f]{32}$/),
    name: 'Notes',
    type: 'confidential',
    access: 'closed',
    redirectUri: 'https://notes.example.com/callback',
    redirectUris: ['https://notes.example.com/callback'],
    roles: ['editor', 'viewer', 'admin'],
    defaultRole: 'editor',
    role: 'admin',
    isActive: true,
  });
  expect(Buffer.from(clientSecret.replace('obol_cs_', ''), 'base64url')).toHaveLength(32);
  const read = await send(ada, 'GET', `/${shown.id}`);
  expect(read).toMatchObject({ status: 200, body: { application: shown } });
  expect(read.body.application).not.toHaveProperty('clientSecret');
  expect((await send(ada, 'GET', '')).body).toEqual({ applications: [shown] });
});

test('a secret is stored as a digest only', async () => {
  const { app } = await newApplication();
  const { rows } = await owner.query(
    `select to_jsonb(s)::text as text, octet_length(secret_hash) as length
    from apps.application_secrets s where s.application_id = $1`,
    [app.id],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].length).toBe(32);
  const secret = app.clientSecret.replace('obol_cs_', '');
  expect(rows[0].text).not.toContain(secret);
  expect(rows[0].text).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
});

test('an application without a server of its own gets no secret and cannot rotate one', async () => {
  const { ada, app } = await newApplication({
    type: 'native',
    redirectUri: undefined,
    redirectUris: ['com.example.notes:/callback', 'http://127.0.0.1:8080/callback'],
  });
  expect(app.clientSecret).toBeNull();
  const { status, body } = await send(ada, 'POST', `/${app.id}/rotate-secret`);
  expect({ status, code: body.code }).toEqual({ status: 409, code: 'applications.no_secret' });
});

test('the last administrator cannot be the default role, nor does an open door make one', async () => {
  const ada = await addWalletHolder(service);
  const body = { name: 'Notes', redirectUris: [], access: 'open' };
  const bare = await send(ada, 'POST', '', body);
  expect(bare.body.application).toMatchObject({ roles: ['admin', 'user'], defaultRole: 'user' });
  const refused = await send(ada, 'POST', '', { ...body, roles: ['admin'], defaultRole: 'admin' });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: '/body/defaultRole' }] } });
});

test.each([
  ['no redirect address at all', { redirectUri: undefined }],
  ['a script', { redirectUri: 'javascript:alert(1)' }],
  ['a data address', { redirectUri: 'data:text/html,hello' }],
  ['plain http elsewhere', { redirectUri: 'http://notes.example.com/callback' }],
  ['a fragment', { redirectUri: 'https://notes.example.com/callback#x' }],
  ['a relative address', { redirectUri: '/callback' }],
  ['a password in it', { redirectUri: 'https://a:b@notes.example.com/' }],
  ['a backslash', { redirectUri: 'https://notes.example.com\\@evil.example.com/' }],
  ['an app scheme in a confidential application', { redirectUri: 'com.example.notes:/callback' }],
  ['an empty name', { name: '  ' }],
  ['a name that is read backwards', { name: '\u202eknaB ruoY' }],
  ['a name with something that nobody sees', { name: 'Your\u200bBank' }],
  ['a role with spaces', { roles: ['The Boss'] }],
  ['an unknown type', { type: 'other' }],
])('%s is malformed', async (_, change) => {
  const ada = await addWalletHolder(service);
  const body = { name: 'Notes', redirectUri: 'https://notes.example.com/callback', ...change };
  const answer = await send(ada, 'POST', '', body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  expect((await send(ada, 'GET', '')).body.applications).toEqual([]);
});

test('a name may be of any letters and signs', async () => {
  for (const name of ['Notes 👩\u200d👧', 'می\u200cخواهم', 'Ключи & Ко.']) {
    const { ada } = await newApplication({ name });
    expect((await send(ada, 'GET', '')).body.applications[0].name).toBe(name);
  }
});

test('an administrator changes what is named; what is absent stays', async () => {
  const { ada, app } = await newApplication();
  service.clock.advance({ minutes: 1 });
  const before = (await send(ada, 'GET', `/${app.id}`)).body.application;
  const { status, body } = await send(ada, 'PUT', `/${app.id}`, { name: 'Papers', access: 'open' });
  expect(status).toBe(200);
  expect(body.application).toEqual({
    ...before,
    name: 'Papers',
    access: 'open',
    updatedAt: service.clock.now().toISOString(),
  });
  expect((await send(ada, 'GET', `/${app.id}`)).body).toEqual(body);
  const moved = await send(ada, 'PUT', `/${app.id}`, { redirectUris: ['https://papers.example.com/'] });
  expect(moved.body.application).toMatchObject({
    name: 'Papers',
    redirectUri: 'https://papers.example.com/',
  });
});

test('a role that somebody has cannot be taken out of the application', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'] });
  await addMember(service, app.id, 'viewer');
  const refused = await send(ada, 'PUT', `/${app.id}`, { roles: ['editor'] });
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'applications.role_in_use', roles: ['viewer'] },
  });
  const kept = await send(ada, 'PUT', `/${app.id}`, { roles: ['viewer'] });
  expect(kept.body.application).toMatchObject({ roles: ['viewer', 'admin'], defaultRole: 'viewer' });
});

test('a stranger learns nothing: an application of others answers like one that is not there', async () => {
  const { app } = await newApplication();
  const ben = await addWalletHolder(service);
  const calls: [string, string, unknown?][] = [
    ['GET', ''],
    ['PUT', '', { name: 'Mine' }],
    ['DELETE', ''],
    ['POST', '/rotate-secret', {}],
    ['GET', '/users'],
    ['PUT', `/users/${ben.userId}`, { role: 'admin' }],
    ['DELETE', `/users/${ben.userId}`],
  ];
  for (const [method, path, body] of calls) {
    const [real, absent] = [
      await send(ben, method, `/${app.id}${path}`, body),
      await send(ben, method, `/${randomUUID()}${path}`, body),
    ];
    expect([real.status, real.body.code], `${method} ${path}`).toEqual([404, 'request.not_found']);
    const { requestId: _a, instance: _b, ...first } = real.body;
    const { requestId: _c, instance: _d, ...second } = absent.body;
    expect(first).toEqual(second);
  }
  expect((await send(ben, 'GET', '')).body).toEqual({ applications: [] });
});

test('the numbers count what the caller sees, and what waits for their decision', async () => {
  const { ada, app } = await newApplication();
  const other = await registerApplication(service, ada.token);
  await send(ada, 'PUT', `/${other.id}`, { isActive: false });
  const ben = await addMember(service, app.id, 'editor');
  for (const status of ['pending', 'denied']) {
    const carol = await addWalletHolder(service);
    await owner.query(
      `insert into apps.access_requests (id, application_id, user_id, status, created_at) values ($1, $2, $3, $4, $5)`,
      [randomUUID(), app.id, carol.userId, status, service.clock.now()],
    );
  }
  expect((await send(ada, 'GET', '/stats')).body).toEqual({ total: 2, active: 1, pending: 1 });
  expect((await send(ben, 'GET', '/stats')).body).toEqual({ total: 1, active: 1, pending: 0 });
  const nobody = await addWalletHolder(service);
  expect((await send(nobody, 'GET', '/stats')).body).toEqual({ total: 0, active: 0, pending: 0 });
});

test('a deleted application is gone with its secrets and members; the trail tells who did it', async () => {
  const { ada, app } = await newApplication();
  service.clock.advance({ seconds: 1 });
  await send(ada, 'PUT', `/${app.id}`, { name: 'Papers' });
  service.clock.advance({ seconds: 1 });
  await send(ada, 'POST', `/${app.id}/rotate-secret`, { overlapSeconds: 60 });
  service.clock.advance({ seconds: 1 });
  expect((await send(ada, 'DELETE', `/${app.id}`)).status).toBe(200);
  expect((await send(ada, 'GET', `/${app.id}`)).status).toBe(404);
  const { rows } = await owner.query(
    `select from apps.application_secrets where application_id = $1
     union all select from apps.memberships where application_id = $1`,
    [app.id],
  );
  expect(rows).toEqual([]);
  const trail = await auditOf(app.id);
  expect(trail.map(({ action }) => action)).toEqual([
    'application.created',
    'application.changed',
    'application.secret_rotated',
    'application.deleted',
  ]);
  expect(new Set(trail.map(({ actor_id: actor }) => actor))).toEqual(new Set([ada.userId]));
  expect(JSON.stringify(trail)).not.toContain(app.clientSecret);
});

test('the old paths of the developer portal are the same routes', async () => {
  const { ada, app } = await newApplication();
  const { status, body } = await service.send('GET', '/api/applications', { token: ada.token });
  expect(status).toBe(200);
  expect(body.applications).toMatchObject([{ id: app.id }]);
});
