import { beforeAll, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../../test/harness/applications.ts';
import { jsonFlowCalls } from '../../../../test/harness/json-flow.ts';
import { startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';

const service = await startTestProvider();
let owner: string;
let app: TestApplication;
const { authorize, authorizeWithToken, redeem } = jsonFlowCalls(service, () => app);

beforeAll(async () => {
  owner = (await signIn(service, await registerPerson(service))).accessToken;
  app = await registerApplication(service, owner);
});

test('a closed application: refused with the way to ask, asked, approved, in', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const refusals = [await authorize(person), await authorizeWithToken(accessToken)];
  for (const refused of refusals) {
    expect(refused).toMatchObject({
      status: 403,
      body: {
        code: 'access.required',
        requestStatus: 'none',
        accessRequest: {
          method: 'POST',
          url: `${service.issuer}/api/v1/access-requests`,
          body: { clientId: app.clientId },
        },
      },
    });
  }
  const { method, url, body: request } = refusals[0]!.body.accessRequest;
  const path = url.replace(service.issuer, '');
  const made = await service.send(method, path, { token: accessToken, body: request });
  expect(made.status).toBe(201);
  expect((await authorize(person)).body).toMatchObject({ code: 'access.required', requestStatus: 'pending' });
  const { id } = made.body.accessRequest;
  const decision = { token: owner, body: { role: 'editor' } };
  expect((await service.send('PUT', `/api/access-requests/${id}/approve`, decision)).status).toBe(200);
  const { body } = await authorize(person);
  expect((await redeem(body.code)).body).toMatchObject({ user: { id: person.id }, role: 'editor' });
});

test('a refusal opens no session', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  await authorize(person);
  const { body } = await service.send('GET', '/api/v1/auth/sessions', { token: accessToken });
  expect(body.sessions ?? body).toHaveLength(1);
});

test('who is put out between code and token gets none', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const made = await service.send('POST', '/api/access-requests', {
    token: accessToken,
    body: { applicationId: app.id },
  });
  const path = `/api/access-requests/${made.body.accessRequest.id}/approve`;
  await service.send('PUT', path, { token: owner });
  const { code } = (await authorize(person)).body;
  const token = (await redeem((await authorize(person)).body.code)).body.access_token;
  await service.send('DELETE', `/api/applications/${app.id}/users/${person.id}`, { token: owner });
  expect((await redeem(code)).body.code).toBe('oauth.code_invalid');
  const userinfo = await fetch(`${service.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  expect(userinfo.status).toBe(401);
  expect((await authorize(person)).body.code).toBe('access.required');
});

async function introspect(token: string, by: TestApplication = app): Promise<any> {
  const response = await fetch(`${service.url}/oauth/introspect`, {
    method: 'POST',
    headers: { ...by.headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }),
  });
  return response.json();
}

/** Somebody who signed in to an application of their own choice, with the token that it got. */
async function signedInTo(application: TestApplication) {
  const person = await registerPerson(service);
  const { code } = (await authorize(person, { clientId: application.clientId })).body;
  const { body } = await redeem(code, { clientId: application.clientId });
  return { person, token: body.access_token as string };
}

test('a role that changes is seen by introspection at once', async () => {
  const open = await registerApplication(service, owner, { access: 'open', roles: ['viewer', 'editor'] });
  const { person, token } = await signedInTo(open);
  expect(await introspect(token, open)).toMatchObject({ active: true, role: 'viewer' });
  const body = { role: 'editor' };
  await service.send('PUT', `/api/applications/${open.id}/users/${person.id}`, { token: owner, body });
  expect(await introspect(token, open)).toMatchObject({ active: true, role: 'editor' });
});

test('tokens end with the access of their owner, with the switch of the application, and with the application', async () => {
  const open = await registerApplication(service, owner, { access: 'open' });
  const [{ person, token }, other] = [await signedInTo(open), await signedInTo(open)];
  await service.send('DELETE', `/api/applications/${open.id}/users/${person.id}`, { token: owner });
  expect(await introspect(token, open)).toEqual({ active: false });
  expect(await introspect(other.token, open)).toMatchObject({ active: true });

  const change = (isActive: boolean) =>
    service.send('PUT', `/api/applications/${open.id}`, { token: owner, body: { isActive } });
  const me = () => fetch(`${service.url}/userinfo`, { headers: { authorization: `Bearer ${other.token}` } });
  await change(false);
  expect((await me()).status).toBe(401);
  await change(true);
  expect((await me()).status).toBe(200);
  await service.send('DELETE', `/api/applications/${open.id}`, { token: owner });
  expect((await me()).status).toBe(401);
});

test('an application that is deleted while people sign in to it leaves nothing, and nobody waits for ever', async () => {
  for (let round = 0; round < 12; round++) {
    const open = await registerApplication(service, owner, { access: 'open' });
    const people = await Promise.all([1, 2, 3].map(() => registerPerson(service)));
    const [deleted, ...answers] = await Promise.all([
      service.send('DELETE', `/api/applications/${open.id}`, { token: owner }),
      ...people.map((person) => authorize(person, { clientId: open.clientId })),
    ]);
    expect(deleted?.status).toBe(200);
    for (const { status } of answers) expect(status).toBeLessThan(500);
    for (const { status, body } of answers) {
      if (status !== 200) continue;
      expect((await redeem(body.code, { clientId: open.clientId })).status).toBe(400);
    }
  }
});
