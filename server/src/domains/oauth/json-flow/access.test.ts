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
