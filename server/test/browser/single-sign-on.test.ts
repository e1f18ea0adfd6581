import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { newPkce, startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../harness/people.ts';
import { answer, startReceiver } from '../harness/receiver.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { callFromPage, type PageCall } from './in-page.ts';
import { openOtherOrigin } from './other-origin.ts';

// A family of apps: the service, an app and a stranger on subdomains of one domain; two apps elsewhere.
const sibling = await openOtherOrigin({ host: 'notes.family.localhost' });
const stranger = await openOtherOrigin({ host: 'guest.family.localhost' });
const elsewhere = await openOtherOrigin({ host: '127.0.0.1' });
const receiver = await startReceiver();
const service = await startTestProvider({
  host: 'id.family.localhost',
  startAt: new Date().toISOString(),
  env: {
    COOKIE_DOMAIN: 'family.localhost',
    CORS_ORIGINS: sibling.origin,
    WEBHOOK_ALLOW_LOOPBACK: 'true',
  },
});
const browser = await openBrowser();
let atlas: OauthCalls;
let kettle: OauthCalls;

beforeAll(async () => {
  receiver.reply = answer(200);
  const { accessToken } = await signIn(service, await registerPerson(service));
  const newApplication = async (name: string) => {
    const redirectUri = `${elsewhere.origin}/${name.toLowerCase()}`;
    const backchannelLogoutUri = `${receiver.url.replace('127.0.0.1', 'localhost')}/${name.toLowerCase()}`;
    const given = { name, access: 'open', redirectUri, backchannelLogoutUri };
    return new OauthCalls(service, {
      ...(await registerApplication(service, accessToken, given)),
      redirectUri,
    });
  };
  [atlas, kettle] = [await newApplication('Atlas'), await newApplication('Kettle')];
});

async function signInAt(page: WatchedPage, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Sends the browser to the service, as an application does; returns what `finish` makes of the way back. */
async function begin(page: WatchedPage, calls: OauthCalls, params: Record<string, string> = {}) {
  const { verifier, challenge } = newPkce();
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  await page.goto(`${service.issuer}${calls.authorizeUrl({ ...pkce, ...params })}`);
  return {
    finish: async () => {
      await page.waitForURL(`${calls.client.redirectUri}?**`);
      const query = new URL(page.url()).searchParams;
      if (query.has('error')) return { error: query.get('error') };
      return (await calls.redeem(query.get('code') ?? '', verifier)).body;
    },
  };
}

/** Signs in at an application for the first time: a password and a consent. */
async function signInFirst(page: WatchedPage, calls: OauthCalls, person?: Person) {
  const way = await begin(page, calls);
  if (person) await signInAt(page, person);
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  return way.finish();
}

const call = (page: WatchedPage, path: string, given: Omit<PageCall, 'url'> = {}) =>
  page.evaluate(callFromPage, { url: `${service.issuer}${path}`, ...given });
const shareSession = (page: WatchedPage) =>
  call(page, '/api/v1/auth/session-to-token', { method: 'POST', body: {}, credentials: 'include' });
const sidOf = (token: string) => decodeJwt(token)['sid'];

test('who is signed in at one app is signed in at the next without a page', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  await signInFirst(page, atlas, person);
  // The first time at the next app asks what it may do, but not for a password.
  expect(await (await begin(page, kettle, { prompt: 'none' })).finish()).toEqual({
    error: 'consent_required',
  });
  await signInFirst(page, kettle);

  await page.goto(`${service.issuer}/sign-out`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
  expect(await (await begin(page, kettle, { prompt: 'none' })).finish()).toEqual({ error: 'login_required' });

  const way = await begin(page, atlas);
  await signInAt(page, person);
  const atAtlas = await way.finish();
  const documents: string[] = [];
  page.on('response', (response) => {
    if (response.url().startsWith(service.issuer) && response.status() === 200)
      documents.push(response.url());
  });
  for (const params of [{ prompt: 'none' }, {}]) {
    const tokens = await (await begin(page, kettle, params)).finish();
    expect(decodeJwt(tokens.id_token).sub).toBe(person.id);
    expect(decodeJwt(tokens.id_token)['auth_time']).toBe(decodeJwt(atAtlas.id_token)['auth_time']);
  }
  expect(documents).toEqual([]);
  expect(page.faults).toEqual([]);
});

test('an app on a sibling subdomain signs in by the cookie, if the service knows it', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  await page.goto(sibling.origin);
  expect(await shareSession(page)).toMatchObject({ status: 401 });
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, person);
  await page.getByText('You are signed in').waitFor();

  await page.goto(sibling.origin);
  const { status, body } = await shareSession(page);
  expect([status, body.user.email]).toEqual([200, person.email]);
  const renewed = await call(page, '/api/v1/auth/refresh', {
    method: 'POST',
    body: { refreshToken: body.refreshToken },
  });
  expect(renewed.status).toBe(200);
  const me = await call(page, '/api/v1/auth/me', { token: renewed.body.accessToken });
  expect(me).toMatchObject({ status: 200, body: { email: person.email } });
  expect(await page.evaluate(() => document.cookie)).toBe('');

  for (const { origin } of [stranger, elsewhere]) {
    await page.goto(origin);
    expect((await shareSession(page)).status).toBe(0);
  }
});

test('signing out once signs out everywhere, and tells every app of it', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  const atAtlas = await signInFirst(page, atlas, person);
  const atKettle = await signInFirst(page, kettle);
  await page.goto(sibling.origin);
  const { body: shared } = await shareSession(page);
  await service.ctx.jobs.runDue();
  receiver.received.splice(0);

  await page.goto(`${service.issuer}/sign-out`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
  await service.ctx.jobs.runDue();
  const jwks = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
  const told = await Promise.all(
    receiver.received.map(async ({ path, body }) => {
      const token = new URLSearchParams(body).get('logout_token') ?? '';
      const { payload } = await jwtVerify(token, jwks, { issuer: service.issuer, typ: 'logout+jwt' });
      return { path, aud: payload.aud, sid: payload['sid'], sub: payload.sub };
    }),
  );
  expect(told.toSorted((one, other) => one.path.localeCompare(other.path))).toEqual([
    { path: '/hook/atlas', aud: atlas.client.clientId, sid: sidOf(atAtlas.id_token), sub: person.id },
    { path: '/hook/kettle', aud: kettle.client.clientId, sid: sidOf(atKettle.id_token), sub: person.id },
  ]);

  for (const [calls, tokens] of [
    [atlas, atAtlas],
    [kettle, atKettle],
  ] as const) {
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
    expect(await (await begin(page, calls, { prompt: 'none' })).finish()).toEqual({
      error: 'login_required',
    });
  }
  await page.goto(sibling.origin);
  expect((await shareSession(page)).status).toBe(401);
  expect((await call(page, '/api/v1/auth/me', { token: shared.accessToken })).status).toBe(401);
  const { refreshToken } = shared;
  const renewed = await call(page, '/api/v1/auth/refresh', { method: 'POST', body: { refreshToken } });
  expect(renewed.status).toBe(401);
});
