import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

// Rule 27: impersonation carries `act`, is visible to the person, and leads no further than reading.

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const reason = 'The invoice looks wrong';

async function newPerson() {
  const person = await registerPerson(service);
  return { ...person, ...(await signIn(service, person)) };
}

const impersonate = (userId: string, by: WalletHolder = admin) =>
  service.send('POST', `/api/v1/users/${userId}/impersonate`, { token: by.token, body: { reason } });

async function lookAs(
  userId: string,
  by: WalletHolder = admin,
): Promise<{ token: string; sessionId: string }> {
  const { status, body } = await impersonate(userId, by);
  expect(status).toBe(200);
  return { token: body.accessToken, sessionId: body.sessionId };
}

const codeOf = async (token: string, path = '/api/v1/auth/me') =>
  (await service.send('GET', path, { token })).body.code;

test('shows what the person sees, for a quarter of an hour, with a banner and without a refresh token', async () => {
  const ada = await newPerson();
  const { status, body } = await impersonate(ada.id);
  expect([status, body.expiresIn, body.tokenType]).toEqual([200, 900, 'Bearer']);
  expect(Object.keys(body).toSorted()).toEqual([
    'accessToken',
    'expiresIn',
    'sessionId',
    'tokenType',
    'user',
  ]);
  const claims = decodeJwt(body.accessToken);
  expect(claims).toMatchObject({
    sub: ada.id,
    sid: body.sessionId,
    role: 'user',
    act: { sub: admin.userId },
  });
  const token = body.accessToken;
  const own = await service.send('GET', '/api/v1/auth/me', { token: ada.accessToken });
  expect((await service.send('GET', '/api/v1/auth/me', { token })).body).toEqual(own.body);
  const startedAt = service.clock.now().toISOString();
  const endsAt = new Date(service.clock.now().getTime() + 900_000).toISOString();
  const session = await service.send('GET', '/api/v1/auth/session', { token });
  expect(session.body.impersonation).toEqual({ administratorId: admin.userId, startedAt, endsAt });
  const ownSession = await service.send('GET', '/api/v1/auth/session', { token: ada.accessToken });
  expect(ownSession.body.impersonation).toBeNull();
  const judged = await service.send('POST', '/api/v1/auth/validate', { body: { token } });
  expect(judged.body).toMatchObject({ valid: true, payload: { act: { sub: admin.userId } } });
  service.clock.advance({ minutes: 15 });
  expect(await codeOf(token)).toBe('auth.token_invalid');
});

test('stands in the trail of the person and in the audit trail, and the person can end it', async () => {
  const ada = await newPerson();
  service.clock.advance({ seconds: 1 });
  const { token, sessionId } = await lookAs(ada.id);
  const trail = await service.send('GET', '/api/v1/auth/security-events', { token: ada.accessToken });
  expect(trail.body.events[0]).toMatchObject({
    type: 'impersonation.started',
    sessionId,
    ipAddress: null,
    details: { reason },
  });
  const { rows } = await owner.query(
    `select actor_id, reason, ip_address, details from audit.events where target_id = $1`,
    [ada.id],
  );
  expect(rows).toEqual([{ actor_id: admin.userId, reason, ip_address: '127.0.0.1', details: { sessionId } }]);
  const devices = await service.send('GET', '/api/v1/auth/sessions', { token: ada.accessToken });
  const seen = devices.body.sessions.find(({ id }: any) => id === sessionId);
  expect(seen).toMatchObject({ impersonated: true, deviceName: 'Administrator', ipAddress: null });
  await service.send('DELETE', `/api/v1/auth/sessions/${sessionId}`, { token: ada.accessToken });
  expect(await codeOf(token)).toBe('auth.session_ended');
});

test('ends when the administrator signs out of it', async () => {
  const ada = await newPerson();
  const { token } = await lookAs(ada.id);
  expect((await service.send('POST', '/api/v1/auth/logout', { token })).status).toBe(200);
  expect(await codeOf(token)).toBe('auth.session_ended');
  expect(await codeOf(ada.accessToken)).toBeUndefined();
});

describe('leads no further', () => {
  test('nothing is changed by it, whatever the route', async () => {
    const ada = await newPerson();
    const { token } = await lookAs(ada.id);
    const { body: document } = await service.send('GET', '/openapi.json');
    const guarded = Object.entries<any>(document.paths).flatMap(([path, item]) =>
      ['post', 'put', 'patch', 'delete'].flatMap((method) =>
        item[method]?.security?.some((scheme: object) => 'bearer' in scheme) ? [[method, path] as const] : [],
      ),
    );
    expect(guarded.length).toBeGreaterThan(50);
    for (const [method, path] of guarded) {
      // The latter takes no token of a person at all.
      if (['/api/v1/auth/logout', '/api/v1/api-keys/verify'].includes(path)) continue;
      const filled = path.replace('{provider}', 'google').replaceAll(/\{\w+\}/g, randomUUID());
      const { status, body } = await service.send(method.toUpperCase(), filled, {
        token,
        ...(method === 'delete' ? {} : { body: exampleBody(document.paths[path][method]) }),
      });
      expect([method, path, status, body.code]).toEqual([method, path, 403, 'auth.impersonation_forbidden']);
    }
  });

  test('it is not exchanged for a code of an application', async () => {
    const ada = await newPerson();
    const app = await registerApplication(service, ada.accessToken, { access: 'open' });
    const { token } = await lookAs(ada.id);
    const answer = await service.send('POST', '/api/v1/oauth/authorize-with-token', {
      body: {
        token,
        clientId: app.clientId,
        redirectUrl: 'https://notes.example.com/callback',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 's256',
      },
    });
    expect([answer.status, answer.body.code]).toEqual([403, 'auth.impersonation_forbidden']);
  });

  test('it opens nothing of the administration', async () => {
    const ada = await newPerson();
    const { token } = await lookAs(ada.id);
    expect(await codeOf(token, '/api/v1/users')).toBe('auth.admin_required');
    expect(await codeOf(token, '/api/v1/audit/events')).toBe('auth.admin_required');
    expect(await codeOf(token, `/api/v1/users/${ada.id}`)).toBe('auth.admin_required');
  });

  test('administrators, oneself included, and inactive people cannot be impersonated', async () => {
    const other = await addAdministrator(service);
    const gone = await newPerson();
    await service.send('DELETE', `/api/v1/users/${gone.id}`, { token: admin.token });
    for (const id of [other.userId, admin.userId, gone.id]) {
      const { status, body } = await impersonate(id);
      expect([status, body.code]).toEqual([409, 'users.impersonation_refused']);
    }
  });

  test('who becomes an administrator is looked at no longer', async () => {
    const ada = await newPerson();
    const { token } = await lookAs(ada.id);
    const path = `/api/v1/users/${ada.id}/role`;
    await service.send('PUT', path, { token: admin.token, body: { role: 'admin' } });
    expect(await codeOf(token, '/api/v1/users')).toBe('auth.session_ended');
    expect(await codeOf(ada.accessToken)).toBeUndefined();
    await service.send('PUT', path, { token: admin.token, body: { role: 'user' } });
    expect(await codeOf(token)).toBe('auth.session_ended');
  });

  test.each([
    ['demoted', 'PUT', 'role', { role: 'user' }],
    ['banned', 'POST', 'ban', { reason: 'Left' }],
  ])('an administrator who is %s looks at nobody any more', async (_, method, end, body) => {
    const ada = await newPerson();
    const former = await addAdministrator(service);
    const { token } = await lookAs(ada.id, former);
    await service.send(method, `/api/v1/users/${former.userId}/${end}`, { token: admin.token, body });
    expect(await codeOf(token)).toBe('auth.session_ended');
    expect((await impersonate(ada.id, former)).status).not.toBe(200);
  });

  test('of a demotion and an impersonation at once, none is left over', async () => {
    for (let round = 0; round < 8; round++) {
      const ada = await newPerson();
      const former = await addAdministrator(service);
      const path = `/api/v1/users/${former.userId}/role`;
      const [answer] = await Promise.all([
        impersonate(ada.id, former),
        service.send('PUT', path, { token: admin.token, body: { role: 'user' } }),
      ]);
      if (answer.status === 200) expect(await codeOf(answer.body.accessToken)).toBe('auth.session_ended');
      else expect(['auth.admin_required', 'auth.session_ended']).toContain(answer.body.code);
    }
  });
});

/** What the document gives as an example, so that the schema is not what refuses. */
function exampleBody(operation: any): unknown {
  return operation.requestBody?.content?.['application/json']?.example ?? {};
}
