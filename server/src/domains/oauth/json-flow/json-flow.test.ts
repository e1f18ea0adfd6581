import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../../test/harness/applications.ts';
import { jsonFlowCalls, redirectUrl } from '../../../../test/harness/json-flow.ts';
import { newPkce, startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';

const service = await startTestProvider();
let owner: string;
let app: TestApplication;
const { verifier, asked, post, validate, authorize, authorizeWithToken, redeem } = jsonFlowCalls(
  service,
  () => app,
);

beforeAll(async () => {
  owner = (await signIn(service, await registerPerson(service))).accessToken;
  app = await registerApplication(service, owner, { access: 'open' });
});

const newApplication = (given: Record<string, unknown>) => registerApplication(service, owner, given);

async function newCode(person?: Person): Promise<{ code: string; person: Person }> {
  const known = person ?? (await registerPerson(service));
  const { status, body } = await authorize(known);
  expect(status).toBe(200);
  return { code: body.code, person: known };
}

const me = (token: string) =>
  fetch(`${service.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });

test('from the check over the password to a token, as the clients of DevPortal do it', async () => {
  const checked = await validate();
  expect([checked.status, checked.body]).toEqual([
    200,
    { application: { name: 'Notes', clientId: app.clientId } },
  ]);
  const { code, person } = await newCode();
  const { status, body, headers } = await redeem(code);
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 900,
    scope: 'openid profile email',
    user: { id: person.id, username: null, email: person.email },
    role: 'editor',
  });
  expect(decodeJwt(body.access_token)).toMatchObject({
    iss: service.issuer,
    sub: person.id,
    aud: service.ctx.config.jwtAudience,
    client_id: app.clientId,
    role: 'editor',
    scope: 'openid profile email',
  });
  expect(await (await me(body.access_token)).json()).toMatchObject({ sub: person.id, email: person.email });
});

test('the method is s256 in either case', async () => {
  const person = await registerPerson(service);
  for (const method of ['s256', 'S256']) {
    expect((await validate({ code_challenge_method: method })).status).toBe(200);
    expect((await authorize(person, { code_challenge_method: method })).status).toBe(200);
  }
});

test('somebody who is signed in to the service goes on without a password', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { status, body } = await authorizeWithToken(accessToken);
  expect(status).toBe(200);
  expect((await redeem(body.code)).body.user.id).toBe(person.id);
});

test('a sibling app signs in with the cookie of the sign-in, and goes on to another application', async () => {
  const person = await registerPerson(service);
  const login = await service.send('POST', '/api/v1/auth/login', { body: person });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const shared = await service.send('POST', '/api/v1/auth/session-to-token', {
    body: {},
    headers: { cookie },
  });
  const { status, body } = await authorizeWithToken(shared.body.accessToken);
  expect(status).toBe(200);
  expect((await redeem(body.code)).body.user.id).toBe(person.id);
});

test('a code of this flow is one that the token endpoint takes', async () => {
  const { code, person } = await newCode();
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUrl, code_verifier: verifier };
  const response = await fetch(`${service.url}/oauth/token`, {
    method: 'POST',
    headers: { ...app.headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form),
  });
  expect(response.status).toBe(200);
  const tokens = (await response.json()) as Record<string, string>;
  expect(decodeJwt(tokens['id_token'] ?? '')).toMatchObject({ sub: person.id, aud: app.clientId });
  expect((await redeem(code)).body.code).toBe('oauth.code_invalid');
  expect((await me(tokens['access_token'] ?? '')).status).toBe(401);
});

test('a code works once, and its second use ends the token of the first', async () => {
  const { code } = await newCode();
  const { access_token: token } = (await redeem(code)).body;
  expect((await me(token)).status).toBe(200);
  const again = await redeem(code);
  expect(again).toMatchObject({ status: 400, body: { code: 'oauth.code_invalid', error: 'invalid_grant' } });
  expect((await me(token)).status).toBe(401);
});

test('of several who redeem a code at once one is answered at most, and nothing is left that works', async () => {
  const { code } = await newCode();
  const answers = await Promise.all([1, 2, 3, 4].map(() => redeem(code)));
  const given = answers.filter(({ status }) => status === 200);
  expect(given).toHaveLength(1);
  expect((await me(given[0]?.body.access_token)).status).toBe(401);
});

test('a code lives for ten minutes', async () => {
  const [first, second] = [await newCode(), await newCode()];
  service.clock.advance({ minutes: 9, seconds: 59 });
  expect((await redeem(first.code)).status).toBe(200);
  service.clock.advance({ seconds: 1 });
  expect((await redeem(second.code)).body.code).toBe('oauth.code_invalid');
});

test('a code is bound to its application and its verifier; a try with another one does not use it up', async () => {
  const other = await newApplication({ access: 'open' });
  const { code } = await newCode();
  const wrong = [
    await redeem(code, { clientId: other.clientId }),
    await redeem(code, { clientId: 'app_unknown' }),
    await redeem(code, { code_verifier: newPkce().verifier }),
    await redeem(`${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`),
  ];
  for (const { status, body } of wrong) expect([status, body.code]).toEqual([400, 'oauth.code_invalid']);
  expect((await redeem(code)).status).toBe(200);
});

test.each<[string, Record<string, unknown>]>([
  ['the challenge is missing', { code_challenge: undefined }],
  ['the challenge is no SHA-256', { code_challenge: 'short' }],
  ['the method is missing', { code_challenge_method: undefined }],
  ['the method is plain', { code_challenge_method: 'plain' }],
  ['the redirect address is missing', { redirectUrl: undefined }],
  ['the application is missing', { clientId: undefined }],
])('no code when %s', async (_, more) => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const answers = [
    await validate(more),
    await authorize(person, more),
    await authorizeWithToken(accessToken, more),
  ];
  for (const { status, body } of answers) expect([status, body.code]).toEqual([400, 'request.invalid']);
});

test('the redirect address is compared letter for letter', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const others = [
    `${redirectUrl}/`,
    `${redirectUrl}?x=1`,
    redirectUrl.toUpperCase(),
    redirectUrl.replace('https', 'http'),
    'https://notes.example.com/',
    'https://evil.example.com/callback',
  ];
  for (const redirect of others) {
    const more = { redirectUrl: redirect };
    const answers = [
      await validate(more),
      await authorize(person, more),
      await authorizeWithToken(accessToken, more),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code], redirect).toEqual([400, 'oauth.redirect_mismatch']);
    }
  }
});

test('an application that is unknown, switched off, or has to prove itself with a key does not take part', async () => {
  const person = await registerPerson(service);
  const off = await newApplication({ access: 'open' });
  await service.send('PUT', `/api/v1/applications/${off.id}`, { token: owner, body: { isActive: false } });
  const bound = await newApplication({ access: 'open', dpopBound: true });
  const keyed = await newApplication({
    access: 'open',
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwksUri: 'https://notes.example.com/jwks.json',
  });
  const lonely = await newApplication({ access: 'open', grantTypes: ['client_credentials'] });
  const clientIds = ['app_unknown', ...[off, bound, keyed, lonely].map(({ clientId }) => clientId)];
  for (const clientId of clientIds) {
    for (const answer of [await validate({ clientId }), await authorize(person, { clientId })]) {
      expect([answer.status, answer.body.code]).toEqual([400, 'oauth.client_unknown']);
    }
  }
});

test('a code does not outlive what it stands for', async () => {
  const { code, person } = await newCode();
  const [session] = await sessionsOf(person);
  expect(session.deviceName).toBe('Notes');
  const { accessToken } = await signIn(service, person);
  await service.send('DELETE', `/api/v1/auth/sessions/${session.id}`, { token: accessToken });
  expect((await redeem(code)).body.code).toBe('oauth.code_invalid');

  const next = await newCode(person);
  const { body } = await service.send('GET', '/api/v1/users/me/grants', { token: accessToken });
  expect(body.grants).toMatchObject([{ application: { clientId: app.clientId } }]);
  await service.send('DELETE', `/api/v1/users/me/grants/${body.grants[0].id}`, { token: accessToken });
  expect((await redeem(next.code)).body.code).toBe('oauth.code_invalid');
  expect((await redeem((await newCode(person)).code)).status).toBe(200);
});

async function sessionsOf(person: Person): Promise<any[]> {
  const { accessToken } = await signIn(service, person);
  const { body } = await service.send('GET', '/api/v1/auth/sessions', { token: accessToken });
  const sessions = body.sessions ?? body;
  return sessions.filter((session: any) => session.deviceName !== null);
}

test('signing in by this flow is counted', async () => {
  const counted = await newApplication({ access: 'open' });
  const person = await registerPerson(service);
  for (let round = 0; round < 2; round++) await authorize(person, { clientId: counted.clientId });
  const { body } = await service.send('GET', `/api/v1/applications/${counted.id}/stats`, { token: owner });
  expect(body.stats).toMatchObject({ members: 2, signIns: 2, activeUsers: 1 });
});

test('a token of this flow tells who somebody is and does nothing for them', async () => {
  const { access_token: token } = (await redeem((await newCode()).code)).body;
  for (const path of ['/api/v1/users/me', '/api/v1/auth/sessions', '/api/v1/credits/balance']) {
    const { status, body } = await service.send('GET', path, { token });
    expect([status, body.code], path).toEqual([403, 'auth.insufficient_scope']);
  }
  const chained = await authorizeWithToken(token);
  expect([chained.status, chained.body.code]).toEqual([401, 'auth.token_invalid']);
});

test('the token of an ended session is no way in', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  await service.send('POST', '/api/v1/auth/logout', { token: accessToken });
  const ended = await authorizeWithToken(accessToken);
  expect([ended.status, ended.body.code]).toEqual([401, 'auth.session_ended']);
  const forged = await authorizeWithToken(`${accessToken.slice(0, -4)}AAAA`);
  expect([forged.status, forged.body.code]).toEqual([401, 'auth.token_invalid']);
});

test('a page of any origin reads the answers, without cookies either way', async () => {
  const person = await registerPerson(service);
  const headers = { origin: 'https://anything.example.net' };
  const answer = await post(
    'authorize',
    { email: person.email, password: person.password, ...asked() },
    headers,
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  expect(answer.headers.getSetCookie()).toEqual([]);
  const preflight = await fetch(`${service.url}/api/oauth/token`, {
    method: 'OPTIONS',
    headers: {
      ...headers,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  const elsewhere = await service.send('GET', '/api/v1/auth/me', { headers });
  expect(elsewhere.headers.get('access-control-allow-origin')).toBeNull();
});
