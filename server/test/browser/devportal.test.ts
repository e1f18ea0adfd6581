import { beforeEach, expect, test } from 'vitest';
import { startTestProvider } from '../harness/oauth.ts';
import { registerPerson, type Person } from '../harness/people.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { callFromPage, makePkceInPage, type PageCall } from './in-page.ts';
import { openOtherOrigin } from './other-origin.ts';

// The portal is the front end that the service knows; the shop is a page of anybody's.
const portal = await openOtherOrigin();
const shop = await openOtherOrigin({ host: '127.0.0.1' });
const service = await startTestProvider({
  startAt: new Date().toISOString(),
  env: { CORS_ORIGINS: portal.origin },
});
const browser = await openBrowser();
const redirectUrl = `${shop.origin}/callback`;
let atPortal: WatchedPage;
let atShop: WatchedPage;

beforeEach(async () => {
  [atPortal, atShop] = [await browser.newPage(), await browser.newPage()];
  await atPortal.goto(portal.origin);
  await atShop.goto(shop.origin);
});

const call = (page: WatchedPage, path: string, given: Omit<PageCall, 'url'> = {}) =>
  page.evaluate(callFromPage, { url: `${service.issuer}${path}`, ...given });
const post = (page: WatchedPage, path: string, body: unknown, token?: string) =>
  call(page, path, { method: 'POST', body, ...(token === undefined ? {} : { token }) });

/** Signs in at the portal, as its users do; the answer's `token` is what DevPortal's front end keeps. */
async function logInAtPortal({ email, password }: Person): Promise<string> {
  const { status, body } = await post(atPortal, '/api/auth/login', { email, password });
  expect(status).toBe(200);
  return body.token;
}

async function registerAtPortal(more: Record<string, unknown>) {
  const token = await logInAtPortal(await registerPerson(service));
  const given = { name: 'Shop', redirectUri: redirectUrl, roles: ['buyer', 'seller'], ...more };
  const { status, body } = await post(atPortal, '/api/applications', given, token);
  expect(status).toBe(201);
  expect(body.application.clientSecret).toEqual(expect.any(String));
  return { id: body.application.id, clientId: body.application.clientId, ownerToken: token };
}

/** Makes a challenge in the shop's page, and checks the request before anybody types a password. */
async function beginAtShop(clientId: string) {
  const { verifier, challenge } = await atShop.evaluate(makePkceInPage);
  const asked = { clientId, redirectUrl, code_challenge: challenge, code_challenge_method: 's256' };
  const query = new URLSearchParams(asked).toString();
  const checked = await call(atShop, `/api/oauth/validate?${query}`);
  expect(checked).toEqual({ status: 200, body: { application: { name: 'Shop', clientId } } });
  return { asked, verifier };
}

const redeem = (code: string, verifier: string, clientId: string) =>
  post(atShop, '/api/oauth/token', { code, code_verifier: verifier, clientId });

test('register an application, validate, authorize, redeem: by fetch alone, without a cookie', async () => {
  const { clientId } = await registerAtPortal({ access: 'open' });
  const person = await registerPerson(service);
  const { asked, verifier } = await beginAtShop(clientId);
  const { email, password } = person;
  const wrong = await post(atShop, '/api/oauth/authorize', { email, password: 'not this one', ...asked });
  expect(wrong).toMatchObject({ status: 401, body: { code: 'auth.invalid_credentials' } });
  const authorized = await post(atShop, '/api/oauth/authorize', { email, password, ...asked });
  expect(authorized).toEqual({ status: 200, body: { code: expect.any(String) } });
  const { code } = authorized.body;
  const redeemed = await redeem(code, verifier, clientId);
  expect(redeemed).toMatchObject({
    status: 200,
    body: {
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      user: { id: person.id, username: null, email },
      role: 'buyer',
    },
  });
  const token = redeemed.body.access_token;
  expect((await call(atShop, '/userinfo', { token })).body).toMatchObject({ sub: person.id, email });
  expect(await atShop.context().cookies()).toEqual([]);

  expect((await redeem(code, verifier, clientId)).body.code).toBe('oauth.code_invalid');
  expect((await call(atShop, '/userinfo', { token })).status).toBe(401);
});

test('who is signed in at the portal gets into the shop without a password', async () => {
  const { clientId } = await registerAtPortal({ access: 'open' });
  const person = await registerPerson(service);
  const token = await logInAtPortal(person);
  const { asked, verifier } = await beginAtShop(clientId);
  const authorized = await post(atShop, '/api/oauth/authorize-with-token', { token, ...asked });
  expect(authorized.status).toBe(200);
  const redeemed = await redeem(authorized.body.code, verifier, clientId);
  expect(redeemed.body).toMatchObject({ user: { id: person.id }, role: 'buyer' });
  expect(await atShop.context().cookies()).toEqual([]);

  expect((await post(atPortal, '/api/auth/logout', {}, token)).status).toBe(200);
  const after = await post(atShop, '/api/oauth/authorize-with-token', { token, ...asked });
  expect(after).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
});

test('a closed application: refused, asked at the portal, approved by its administrator, in', async () => {
  const { clientId, ownerToken } = await registerAtPortal({});
  const person = await registerPerson(service);
  const token = await logInAtPortal(person);
  const { asked, verifier } = await beginAtShop(clientId);
  const { email, password } = person;
  const authorize = () => post(atShop, '/api/oauth/authorize', { email, password, ...asked });
  const withToken = () => post(atShop, '/api/oauth/authorize-with-token', { token, ...asked });

  for (const refused of [await authorize(), await withToken()])
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'access.required', requestStatus: 'none', accessRequest: { body: { clientId } } },
    });
  const { url, body } = (await authorize()).body.accessRequest;
  const made = await post(atPortal, new URL(url).pathname, { ...body, message: 'I sell maps.' }, token);
  expect(made.status).toBe(201);
  expect((await authorize()).body).toMatchObject({ code: 'access.required', requestStatus: 'pending' });

  const { body: waiting } = await call(atPortal, '/api/access-requests', { token: ownerToken });
  expect(waiting.accessRequests).toMatchObject([{ message: 'I sell maps.', user: { email } }]);
  const path = `/api/access-requests/${waiting.accessRequests[0].id}/approve`;
  const decision = { method: 'PUT', body: { role: 'seller' } };
  const byOneself = await call(atPortal, path, { ...decision, token });
  expect(byOneself).toMatchObject({ status: 403, body: { code: 'access.own_request' } });
  expect((await call(atPortal, path, { ...decision, token: ownerToken })).status).toBe(200);

  const { code } = (await authorize()).body;
  expect((await redeem(code, verifier, clientId)).body).toMatchObject({
    user: { id: person.id },
    role: 'seller',
  });
});

test('a page that the service does not know reads nothing but the JSON flow, and sends no cookie there', async () => {
  const { clientId } = await registerAtPortal({ access: 'open' });
  const person = await registerPerson(service);
  const { accessToken: token } = (await service.send('POST', '/api/auth/login', { body: person })).body;
  const { asked } = await beginAtShop(clientId);
  for (const [method, path] of [
    ['POST', '/api/auth/login'],
    ['POST', '/api/auth/refresh'],
    ['GET', '/api/auth/me'],
    ['GET', '/api/v1/auth/sessions'],
    ['GET', '/api/v1/credits/balance'],
    ['POST', '/api/v1/credits/use'],
    ['GET', '/api/users/me'],
    ['GET', '/api/applications'],
    ['POST', '/api/applications'],
    ['POST', '/api/access-requests'],
    ['DELETE', '/api/v1/auth/sessions'],
    ['GET', '/authorize'],
    ['GET', '/health'],
  ] as const) {
    const answer = await call(atShop, path, {
      method,
      token,
      ...(method === 'POST' ? { body: person } : {}),
    });
    expect([path, answer.status]).toEqual([path, 0]);
  }
  const own = await service.send('GET', '/api/v1/auth/sessions', { token });
  expect(own.body.sessions).toHaveLength(1);
  expect((await service.send('GET', '/api/applications', { token })).body.applications).toEqual([]);

  // With cookies not even the flow is open: the browser refuses the answer.
  const withCookies = await call(atShop, '/api/oauth/authorize', {
    method: 'POST',
    body: { ...person, ...asked },
    credentials: 'include',
  });
  expect(withCookies.status).toBe(0);
  expect((await call(atPortal, '/api/auth/me', { token, credentials: 'include' })).status).toBe(200);
});
