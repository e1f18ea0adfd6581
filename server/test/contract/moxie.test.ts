import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import {
  expectCallback,
  findFreePort,
  startTestProvider,
  TestBrowser,
  type TestProvider,
} from '../harness/oauth.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import { registerPerson, type Person } from '../harness/people.ts';
import { confirmAddress, isSignedIn } from '../harness/upstream.ts';
import { startTestService } from '../harness/index.ts';

// What the README of Moxie promises, against a real OIDC provider: a second Obol, which knows this one as an
// application and an API, as an Auth0 tenant would.

const frontEnd = 'https://app.moxie.example';
const api = 'https://api.moxie.example';
const upstream = await startTestProvider();
let service: TestProvider;
let app: TestApplication;
let calls: OauthCalls;

beforeAll(async () => {
  const port = await findFreePort();
  const issuer = `http://localhost:${port}`;
  app = await registerOwnApplication(upstream, {
    redirectUris: [`${issuer}/api/callback`, `${issuer}/api/v1/auth/social/auth0/callback`],
    postLogoutRedirectUris: [frontEnd],
    resources: [api],
  });
  calls = new OauthCalls(upstream, { ...app, redirectUri: `${issuer}/api/callback` });
  const env = {
    BASE_URL: issuer,
    AUTH0_DOMAIN: upstream.issuer,
    AUTH0_CLIENT_ID: app.clientId,
    AUTH0_CLIENT_SECRET: app.clientSecret,
    AUTH0_AUDIENCE: api,
    FRONTEND_URL: frontEnd,
  };
  service = { ...(await startTestService({ env, port, clock: upstream.clock })), issuer };
});

/** Goes to the provider by the redirect login, signs in there, and comes back to the callback. */
async function passUpstream(browser: TestBrowser, person: Person, path = '/api/login'): Promise<URL> {
  const away = expectCallback(await browser.open(path));
  expect(away.origin).toBe(upstream.issuer);
  return calls.passPages(new TestBrowser(upstream), person, away.href);
}

/** A confirmed person of the provider who signs in here for the first time. */
async function arrive(): Promise<{ person: Person; browser: TestBrowser; landed: URL }> {
  const person = await registerPerson(upstream);
  await confirmAddress(upstream, person);
  const browser = new TestBrowser(service);
  const back = await passUpstream(browser, person);
  expect(back.pathname).toBe('/api/callback');
  return { person, browser, landed: expectCallback(await browser.open(back.href)) };
}

const exchange = (code: string | null, origin = frontEnd) =>
  service.send('POST', '/api/auth/session-to-token', { body: { code }, headers: { origin } });

describe('login', () => {
  test('a first login makes a user with a wallet, and returns to the app with a one-time code', async () => {
    const { person, browser, landed } = await arrive();
    expect(`${landed.origin}${landed.pathname}`).toBe(`${frontEnd}/`);
    expect([...landed.searchParams.keys()]).toEqual(['code']);
    expect(isSignedIn(browser)).toBe(true);

    const code = landed.searchParams.get('code');
    expect(await exchange(code, 'https://elsewhere.example')).toMatchObject({ status: 403 });
    const { status, body } = await exchange(code);
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ email: person.email, emailVerified: true, credits: 150, role: 'user' });
    expect(await exchange(code)).toMatchObject({ status: 401, body: { code: 'auth.code_invalid' } });
    const me = await service.send('GET', '/api/users/me', { token: body.accessToken });
    expect(me).toMatchObject({ status: 200, body: { id: body.user.id } });
    const refreshed = await service.send('POST', '/api/auth/refresh', {
      body: { refreshToken: body.refreshToken },
    });
    expect(refreshed.status).toBe(200);
  });

  test('a second login is the same user', async () => {
    const { person, landed } = await arrive();
    const first = (await exchange(landed.searchParams.get('code'))).body.user.id;
    const browser = new TestBrowser(service);
    const again = await passUpstream(browser, person);
    const { searchParams } = expectCallback(await browser.open(again.href));
    expect((await exchange(searchParams.get('code'))).body.user.id).toBe(first);
  });

  test('it returns only to front ends of this service', async () => {
    for (const [returnTo, isAllowed] of [
      [`${frontEnd}/inbox?tab=2`, true],
      ['/sign-in?done', true],
      ['https://evil.example/', false],
      [`${frontEnd}.evil.example/`, false],
      [`https://x@${new URL(frontEnd).host}/`, false],
      ['//evil.example', false],
      ['/\\evil.example', false],
      ['javascript:alert(1)', false],
    ] as const) {
      const path = `/api/login?${new URLSearchParams({ returnTo }).toString()}`;
      const answer = await service.send('GET', path);
      expect([returnTo, answer.status]).toEqual([returnTo, isAllowed ? 302 : 400]);
      if (!isAllowed) expect(answer.body.code).toBe('auth.return_not_allowed');
    }
  });

  test('logout ends the session here and leads to that of the provider', async () => {
    const { browser, landed } = await arrive();
    const { accessToken } = (await exchange(landed.searchParams.get('code'))).body;
    const away = expectCallback(await browser.open(`/api/logout?returnTo=${frontEnd}/`));
    expect(away.origin + away.pathname).toBe(`${upstream.issuer}/v2/logout`);
    expect(away.searchParams.get('returnTo')).toBe(`${frontEnd}/`);
    expect(isSignedIn(browser)).toBe(false);
    expect((await service.send('GET', '/api/users/me', { token: accessToken })).status).toBe(401);
    expect((await service.send('GET', '/api/logout?returnTo=https://evil.example/')).status).toBe(400);
  });
});

describe('/api/users/me with a token of the provider', () => {
  test('the user of the callback, and of nobody else', async () => {
    const { person, landed } = await arrive();
    const { user } = (await exchange(landed.searchParams.get('code'))).body;
    const { tokens } = await calls.obtainTokens({ resource: api, prompt: 'consent' }, { person });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: api, iss: upstream.issuer, sub: person.id });
    const me = await service.send('GET', '/api/users/me', { token: tokens.access_token });
    expect(me).toMatchObject({ status: 200, body: { id: user.id, email: person.email, credits: 150 } });
    const spent = await service.send('POST', '/api/credits/use', {
      token: tokens.access_token,
      body: { amount: 10, appId: 'moxie', description: 'A letter' },
    });
    expect(spent.status).toBe(200);
  });

  test('expired, foreign-audience, unsigned and ID tokens are refused', async () => {
    const { person } = await arrive();
    const { tokens } = await calls.obtainTokens({ resource: api, prompt: 'consent' }, { person });
    const other = await calls.obtainTokens({ prompt: 'consent', scope: 'openid credits:read' }, { person });
    const [header, payload] = tokens.access_token.split('.');
    const refused = [
      tokens.id_token,
      other.tokens.access_token,
      `${header}.${payload}.`,
      `${header}.${payload}.AAAA`,
    ];
    for (const token of refused)
      expect((await service.send('GET', '/api/users/me', { token })).body.code).toBe('auth.token_invalid');
    upstream.clock.advance({ minutes: 16 });
    const late = await service.send('GET', '/api/users/me', { token: tokens.access_token });
    expect(late).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
    expect(late.headers.get('www-authenticate')).toContain('invalid_token');
  });
});
