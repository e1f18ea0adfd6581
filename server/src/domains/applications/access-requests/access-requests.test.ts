import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { requestCalls } from '../../../../test/harness/access-requests.ts';
import { addMember, registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const { send, ask, approve, deny, withdraw, newApplication } = requestCalls(service);

async function auditOf(applicationId: string) {
  const { rows } = await owner.query(
    `select action, actor_id, details from audit.events where target_id = $1 and action like 'access.%' order by id`,
    [applicationId],
  );
  return rows;
}

test('who asks is let in with the role that an administrator names', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'] });
  const ben = await addWalletHolder(service);
  const asked = await ask(ben, { applicationId: app.id, message: ' I write\nthe newsletter. ' });
  expect(asked.status).toBe(201);
  const request = asked.body.accessRequest;
  expect(request).toEqual({
    id: expect.any(String),
    applicationId: app.id,
    clientId: app.clientId,
    applicationName: 'Notes',
    userId: ben.userId,
    message: 'I write\nthe newsletter.',
    status: 'pending',
    role: null,
    reason: null,
    createdAt: service.clock.now().toISOString(),
    decidedAt: null,
  });

  const received = await send(ada, 'GET', '');
  const user = { email: `${ben.userId}@example.com`, emailVerified: false, name: null, username: null };
  expect(received.body).toEqual({ accessRequests: [{ ...request, user }] });
  expect(received.headers.get('x-total-count')).toBe('1');

  service.clock.advance({ minutes: 1 });
  const approved = await approve(ada, request.id, { role: 'viewer' });
  const after = {
    ...request,
    status: 'approved',
    role: 'viewer',
    decidedAt: service.clock.now().toISOString(),
  };
  expect([approved.status, approved.body.accessRequest]).toEqual([200, { ...after, user }]);
  expect((await send(ben, 'GET', '/mine')).body).toEqual({ accessRequests: [after] });
  expect((await send(ada, 'GET', '')).body).toEqual({ accessRequests: [] });
  const seen = await service.send('GET', `/api/v1/applications/${app.id}`, { token: ben.token });
  expect(seen.body.application.role).toBe('viewer');

  expect(await auditOf(app.id)).toEqual([
    { action: 'access.requested', actor_id: ben.userId, details: { requestId: request.id } },
    {
      action: 'access.approved',
      actor_id: ada.userId,
      details: { requestId: request.id, role: 'viewer', userId: ben.userId },
    },
  ]);
  const trail = await service.send('GET', '/api/v1/auth/security-events', { token: ben.token });
  expect(JSON.stringify(trail.body)).toContain('access.approved');
  expect(JSON.stringify(trail.body)).not.toContain(ada.userId);
});

test('an application is named by its client id as well, and the default role is granted when none is named', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'], defaultRole: 'viewer' });
  const ben = await addWalletHolder(service);
  const { body } = await ask(ben, { clientId: app.clientId });
  expect(body.accessRequest).toMatchObject({ applicationId: app.id, message: null });
  const approved = await approve(ada, body.accessRequest.id);
  expect(approved.body.accessRequest).toMatchObject({ status: 'approved', role: 'viewer' });
});

test('a request is denied with a reason, after which one may ask again', async () => {
  const { ada, app } = await newApplication();
  const ben = await addWalletHolder(service);
  const first = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  service.clock.advance({ seconds: 1 });
  const denied = await deny(ada, first.id, { reason: ' We are full. ' });
  expect(denied.body.accessRequest).toMatchObject({ status: 'denied', reason: 'We are full.', role: null });
  const member = await service.send('GET', `/api/v1/applications/${app.id}`, { token: ben.token });
  expect(member.status).toBe(404);
  service.clock.advance({ seconds: 1 });
  const second = await ask(ben, { applicationId: app.id });
  expect(second.status).toBe(201);
  service.clock.advance({ seconds: 1 });
  expect((await deny(ada, second.body.accessRequest.id)).body.accessRequest.reason).toBeNull();
  expect((await auditOf(app.id)).map(({ action }) => action)).toEqual([
    'access.requested',
    'access.denied',
    'access.requested',
    'access.denied',
  ]);
});

test('what was asked can be taken back, and then be asked again', async () => {
  const { ada, app } = await newApplication();
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  const withdrawn = await withdraw(ben, id);
  expect([withdrawn.status, withdrawn.body.accessRequest.status]).toEqual([200, 'withdrawn']);
  expect((await send(ada, 'GET', '')).body.accessRequests).toEqual([]);
  for (const answer of [await withdraw(ben, id), await approve(ada, id), await deny(ada, id)]) {
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'access.request_decided', requestStatus: 'withdrawn' },
    });
  }
  expect((await ask(ben, { applicationId: app.id })).status).toBe(201);
});

test('a person has one open request for an application, and others for others', async () => {
  const [{ app }, { app: other }] = [await newApplication(), await newApplication()];
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  const again = await ask(ben, { clientId: app.clientId });
  expect(again).toMatchObject({ status: 409, body: { code: 'access.request_open', accessRequestId: id } });
  expect((await ask(ben, { applicationId: other.id })).status).toBe(201);
});

test('what was decided stays decided', async () => {
  const { ada, app } = await newApplication();
  const eve = await addMember(service, app.id, 'admin');
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  expect((await approve(ada, id)).status).toBe(200);
  for (const answer of [await approve(eve, id), await deny(ada, id), await withdraw(ben, id)]) {
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'access.request_decided', requestStatus: 'approved' },
    });
  }
});

test('members need not ask, nor does anybody at an open door', async () => {
  const { ada, app } = await newApplication();
  const open = await registerApplication(service, ada.token, { access: 'open' });
  const ben = await addMember(service, app.id, 'editor');
  const [member, guest] = [
    await ask(ben, { applicationId: app.id }),
    await ask(ben, { applicationId: open.id }),
  ];
  expect([member.status, member.body.code]).toEqual([409, 'access.already_member']);
  expect([guest.status, guest.body.code]).toEqual([409, 'access.not_needed']);
});

test('an application that is absent, switched off or named two ways is not found', async () => {
  const { ada, app } = await newApplication();
  const { app: other } = await newApplication();
  const ben = await addWalletHolder(service);
  await service.send('PUT', `/api/v1/applications/${app.id}`, {
    token: ada.token,
    body: { isActive: false },
  });
  const bodies = [
    { applicationId: randomUUID() },
    { clientId: 'app_unknown' },
    { applicationId: app.id },
    { applicationId: other.id, clientId: app.clientId },
  ];
  for (const body of bodies) {
    const answer = await ask(ben, body);
    expect([answer.status, answer.body.code], JSON.stringify(body)).toEqual([404, 'request.not_found']);
  }
});

test.each([
  ['no application', {}],
  ['an id that is none', { applicationId: 'notes' }],
  ['a message that is too long', { applicationId: randomUUID(), message: 'a'.repeat(1001) }],
  ['a message with control characters', { applicationId: randomUUID(), message: 'a\u0007b' }],
])('%s is malformed', async (_, body) => {
  const answer = await ask(await addWalletHolder(service), body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
});

test('nobody decides on their own request, not even an administrator', async () => {
  const { app } = await newApplication();
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  const refused = { status: 403, body: { code: 'access.own_request' } };
  expect(await approve(ben, id, { role: 'admin' })).toMatchObject(refused);
  await owner.query(
    `insert into apps.memberships (application_id, user_id, role, created_at) values ($1, $2, 'admin', $3)`,
    [app.id, ben.userId, service.clock.now()],
  );
  expect(await approve(ben, id, { role: 'admin' })).toMatchObject(refused);
  expect(await deny(ben, id)).toMatchObject(refused);
});

test('to all others a request answers like one that does not exist', async () => {
  const { app } = await newApplication();
  const { ada: stranger } = await newApplication();
  const editor = await addMember(service, app.id, 'editor');
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  for (const person of [stranger, editor]) {
    for (const act of [approve, deny, withdraw]) {
      const [hidden, absent] = [await act(person, id), await act(person, randomUUID())];
      expect(hidden.status).toBe(404);
      const ownOnes = { requestId: expect.any(String), instance: expect.any(String) };
      expect(hidden.body).toEqual({ ...absent.body, ...ownOnes });
    }
    expect((await send(person, 'GET', '')).body.accessRequests).toEqual([]);
    expect((await send(person, 'GET', '/mine')).body.accessRequests).toEqual([]);
  }
});

test('a role that the application does not have is refused, and the request stays open', async () => {
  const { ada, app } = await newApplication();
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  const refused = await approve(ada, id, { role: 'queen' });
  expect(refused).toMatchObject({ status: 400, body: { code: 'applications.role_unknown' } });
  expect(refused.body.roles).toContain('editor');
  expect((await approve(ada, id, { role: 'editor' })).status).toBe(200);
});

test('approving whoever became a member meanwhile gives them that role', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'] });
  const ben = await addWalletHolder(service);
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  const values = [app.id, ben.userId];
  await owner.query(
    `insert into apps.memberships (application_id, user_id, role, created_at) values ($1, $2, 'editor', now())`,
    values,
  );
  expect((await approve(ada, id, { role: 'viewer' })).status).toBe(200);
  const { rows } = await owner.query(
    'select role from apps.memberships where application_id = $1 and user_id = $2',
    values,
  );
  expect(rows).toEqual([{ role: 'viewer' }]);
});

test('lists are paged', async () => {
  const { ada, app } = await newApplication();
  for (let number = 0; number < 3; number++) {
    service.clock.advance({ seconds: 1 });
    await ask(await addWalletHolder(service), { applicationId: app.id, message: `${number}` });
  }
  const page = await send(ada, 'GET', '?limit=2&offset=1');
  expect(page.body.accessRequests.map(({ message }: { message: string }) => message)).toEqual(['1', '2']);
  expect(page.headers.get('x-total-count')).toBe('3');
  expect((await send(ada, 'GET', '?limit=2')).headers.get('link')).toContain('offset=2');
});

test('somebody who asks again and again has to wait for a day', async () => {
  const { app } = await newApplication();
  const ben = await addWalletHolder(service);
  for (let round = 0; round < 5; round++) {
    const { status, body } = await ask(ben, { applicationId: app.id });
    expect(status).toBe(201);
    await withdraw(ben, body.accessRequest.id);
  }
  const refused = await ask(ben, { applicationId: app.id });
  expect(refused).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
  expect(refused.headers.get('retry-after')).toBe('86400');
  service.clock.advance({ days: 1 });
  expect((await ask(ben, { applicationId: app.id })).status).toBe(201);
});

test('nobody asks or decides without having signed in', async () => {
  const id = randomUUID();
  const calls = [
    ['GET', ''],
    ['GET', '/mine'],
    ['POST', ''],
    ['PUT', `/${id}/approve`],
    ['PUT', `/${id}/deny`],
    ['DELETE', `/${id}`],
  ];
  for (const [method = '', path] of calls) {
    const body = method === 'POST' ? { applicationId: id } : undefined;
    const options = body ? { body } : {};
    const { status } = await service.send(method, `/api/v1/access-requests${path}`, options);
    expect(status, `${method} ${path}`).toBe(401);
  }
});
