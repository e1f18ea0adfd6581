import { randomUUID } from 'node:crypto';
import { generateKeyPair, exportPKCS8, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectPage, findFreePort, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn, type StandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  asOwner,
  comeBack,
  confirmAddress,
  goToStandIn,
  isSignedIn,
  signInAtStandIn,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const [company, github, apple] = [await startStandIn(), await startStandIn(), await startStandIn('app.obol')];
const appleKey = await generateKeyPair('ES256', { extractable: true });
const frontEnd = 'https://app.example.com';
const service = await startTestProvider({
  env: {
    CORS_ORIGINS: frontEnd,
    SOCIAL_COMPANY_ISSUER: company.issuer,
    SOCIAL_COMPANY_CLIENT_ID: 'obol-client',
    SOCIAL_COMPANY_CLIENT_SECRET: 'a secret & more',
    SOCIAL_COMPANY_LABEL: 'The company',
    SOCIAL_GITHUB_ISSUER: github.issuer,
    SOCIAL_GITHUB_CLIENT_ID: 'github-client',
    SOCIAL_GITHUB_CLIENT_SECRET: 'github secret',
    SOCIAL_APPLE_ISSUER: apple.issuer,
    SOCIAL_APPLE_CLIENT_ID: 'app.obol',
    SOCIAL_APPLE_TEAM_ID: 'TEAM123456',
    SOCIAL_APPLE_KEY_ID: 'KEY1234567',
    SOCIAL_APPLE_PRIVATE_KEY: (await exportPKCS8(appleKey.privateKey)).replaceAll('\n', '\\n'),
  },
});

const newBrowser = () => new TestBrowser(service);
const newSub = () => `person-${randomUUID()}`;
const newEmail = () => `${randomUUID()}@example.com`;
const verified = (email: string) => ({ sub: newSub(), email, email_verified: true, name: 'Ada' });
const locationOf = (response: Response) => response.headers.get('location') ?? '';
const start = '/sign-in/with/company';

async function accountsOf(token: string): Promise<any[]> {
  const { status, body } = await service.send('GET', '/api/v1/auth/accounts', { token });
  expect(status).toBe(200);
  return body.accounts;
}

async function eventsOf(token: string): Promise<string[]> {
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token });
  return body.events.map(({ type }: { type: string }) => type);
}

describe('a first sign-in', () => {
  test('makes a person with a wallet; the next one finds them by subject, whatever their address is', async () => {
    const claims = verified(newEmail());
    const browser = newBrowser();
    const response = await signInAtStandIn(browser, company, claims);
    expect([response.status, locationOf(response)]).toEqual([303, '/sign-in?done']);
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user).toMatchObject({ email: claims.email, emailVerified: true, name: 'Ada', credits: 150 });
    expect(await accountsOf(accessToken)).toMatchObject([
      { provider: 'company', issuer: company.issuer, email: claims.email },
    ]);
    expect(await eventsOf(accessToken)).toEqual(
      expect.arrayContaining(['account.registered', 'login.succeeded']),
    );

    const other = newBrowser();
    await signInAtStandIn(other, company, { ...claims, email: newEmail() });
    expect((await tokensOf(service, other)).user.id).toBe(user.id);
  });

  test('sends PKCE, state and nonce, and the secret by Basic', async () => {
    const browser = newBrowser();
    const asked = await goToStandIn(browser, company, start);
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'obol-client',
      redirect_uri: `${service.issuer}/api/v1/auth/social/company/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    company.claims = { ...company.claims, ...verified(newEmail()) };
    await comeBack(browser, company, asked);
    const { form, headers } = company.tokenRequests.at(-1) ?? {};
    expect(form?.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    const pair = Buffer.from(headers?.authorization?.split(' ')[1] ?? '', 'base64').toString();
    expect(pair.split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')))).toEqual([
      'obol-client',
      'a secret & more',
    ]);
  });

  test('of sixteen at once makes one person', async () => {
    const claims = verified(newEmail());
    company.claims = claims;
    const browsers = Array.from({ length: 16 }, newBrowser);
    const ways = await Promise.all(browsers.map((browser) => goToStandIn(browser, company, start)));
    const ids = await Promise.all(
      browsers.map(async (browser, index) => {
        // Each answer has the nonce of its own way.
        const asked = ways[index] ?? new URLSearchParams();
        company.nonces.set(`code ${index}`, asked.get('nonce') ?? '');
        expect((await comeBack(browser, company, asked, { code: `code ${index}` })).status).toBe(303);
        return (await tokensOf(service, browser)).user.id;
      }),
    );
    expect(new Set(ids).size).toBe(1);
  });

  test('without an address makes nobody; the address may also come from /userinfo', async () => {
    const sub = newSub();
    const browser = newBrowser();
    company.profile = { sub };
    const refused = await signInAtStandIn(browser, company, { sub });
    expect(locationOf(refused)).toBe('/sign-in?error=auth.upstream_email_missing');
    expect(isSignedIn(browser)).toBe(false);
    const email = newEmail();
    company.profile = { sub: 'somebody else', email, email_verified: true };
    const mixed = await signInAtStandIn(browser, company, { sub });
    expect(locationOf(mixed)).toBe('/sign-in?error=auth.upstream_refused');
    company.profile = { sub, email, email_verified: true };
    await signInAtStandIn(browser, company, { sub });
    company.profile = undefined;
    expect((await tokensOf(service, browser)).user).toMatchObject({ email, emailVerified: true });
  });

  test('with an address that the provider has not confirmed asks for confirmation, and takes nobody over', async () => {
    const email = newEmail();
    const browser = newBrowser();
    await signInAtStandIn(browser, company, { sub: newSub(), email });
    expect((await tokensOf(service, browser)).user).toMatchObject({ email, emailVerified: false });
    expect(await service.mails(email)).toHaveLength(1);
    const other = newBrowser();
    const refused = await signInAtStandIn(other, company, { sub: newSub(), email });
    expect(locationOf(refused)).toBe('/sign-in?error=auth.upstream_email_taken');
    expect(isSignedIn(other)).toBe(false);
    const page = expectPage(await other.open(locationOf(refused)), 'sign-in');
    expect(page.page.problem).toEqual({ code: 'auth.upstream_email_taken' });
  });
});

describe('what does not hold is refused', () => {
  const now = () => Math.floor(service.clock.now().getTime() / 1000);

  test.each<[string, () => Record<string, unknown>]>([
    ['a wrong nonce', () => ({ nonce: 'another' })],
    ['no nonce', () => ({ nonce: undefined })],
    ['a wrong issuer', () => ({ iss: 'https://elsewhere.example' })],
    ['a foreign audience', () => ({ aud: 'another-client' })],
    ['several audiences without azp', () => ({ aud: ['obol-client', 'another-client'] })],
    ['an expired ID token', () => ({ exp: now() - 60 })],
    ['no subject', () => ({ sub: '' })],
    ['a subject too long to store', () => ({ sub: 'x'.repeat(256) })],
  ])('%s', async (_, wrong) => {
    const browser = newBrowser();
    const email = newEmail();
    const asked = await goToStandIn(browser, company, start);
    company.claims = { ...verified(email), nonce: asked.get('nonce'), ...wrong() };
    const response = await comeBack(browser, company, asked);
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_refused');
    expect(isSignedIn(browser)).toBe(false);
    // Nobody was made: the address is free.
    await registerPerson(service, { email });
  });

  test('an ID token signed with a key that the issuer does not publish', async () => {
    const browser = newBrowser();
    const asked = await goToStandIn(browser, company, start);
    company.claims = { ...verified(newEmail()), nonce: asked.get('nonce') };
    company.idTokenKey = await company.newKey();
    const response = await comeBack(browser, company, asked);
    company.idTokenKey = undefined;
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_refused');
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['the iss of the answer is wrong', { iss: 'https://elsewhere.example' }, 'auth.upstream_refused'],
    ['the iss of the answer is missing', { iss: undefined }, 'auth.upstream_refused'],
    ['the person turned back', { code: undefined, error: 'access_denied' }, 'auth.upstream_denied'],
    ['the provider reports a fault', { code: undefined, error: 'server_error' }, 'auth.upstream_refused'],
    ['the code is missing', { code: undefined }, 'auth.upstream_refused'],
  ])('%s', async (_, fields, code) => {
    const browser = newBrowser();
    company.claims = verified(newEmail());
    const asked = await goToStandIn(browser, company, start);
    const response = await comeBack(browser, company, asked, fields);
    expect(locationOf(response)).toBe(`/sign-in?error=${code}`);
    expect(isSignedIn(browser)).toBe(false);
  });

  test('a state that is wrong, used, late, of another browser or for another provider', async () => {
    const refusalOf = async (response: Response) => {
      expect(response.status).toBe(400);
      return ((await response.json()) as { code: string }).code;
    };
    company.claims = verified(newEmail());
    const browser = newBrowser();
    const asked = await goToStandIn(browser, company, start);
    expect(await refusalOf(await comeBack(browser, company, asked, { state: 'wrong' }))).toBe(
      'auth.upstream_state',
    );
    expect(await refusalOf(await comeBack(browser, company, asked, { state: undefined }))).toBe(
      'auth.upstream_state',
    );
    expect(await refusalOf(await comeBack(newBrowser(), company, asked))).toBe('auth.upstream_state');
    const stranger = newBrowser();
    await goToStandIn(stranger, company, start);
    expect(await refusalOf(await comeBack(stranger, company, asked))).toBe('auth.upstream_state');
    const elsewhere = new URLSearchParams(asked);
    elsewhere.set('redirect_uri', `${service.issuer}/api/v1/auth/social/github/callback`);
    expect(await refusalOf(await comeBack(browser, company, elsewhere))).toBe('auth.upstream_state');

    company.claims = { ...company.claims, nonce: asked.get('nonce') };
    expect((await comeBack(browser, company, asked)).status).toBe(303);
    expect(await refusalOf(await comeBack(browser, company, asked))).toBe('auth.upstream_state');
    const slow = await goToStandIn(browser, company, start);
    service.clock.advance({ minutes: 11 });
    expect(await refusalOf(await comeBack(browser, company, slow))).toBe('auth.upstream_state');
    // A browser is shown a page.
    const page = await browser.request(`${asked.get('redirect_uri') ?? ''}?state=x`);
    expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
  });

  test('a deactivated person, on every way', async () => {
    const claims = verified(newEmail());
    const browser = newBrowser();
    await signInAtStandIn(browser, company, claims);
    const { user } = await tokensOf(service, browser);
    await asOwner(service, 'update auth.users set is_active = false where id = $1', [user.id]);
    for (const again of [claims, { ...claims, sub: newSub() }]) {
      const refused = newBrowser();
      const response = await signInAtStandIn(refused, company, again);
      expect(locationOf(response)).toBe('/sign-in?error=auth.account_deactivated');
      expect(isSignedIn(refused)).toBe(false);
    }
  });

  test('a provider that is not set up, or does not answer', async () => {
    expect((await service.send('GET', '/api/v1/auth/social/nobody')).body.code).toBe('auth.provider_unknown');
    const port = await findFreePort();
    const lonely = await startTestService({
      env: {
        SOCIAL_COMPANY_ISSUER: `http://localhost:${port}`,
        SOCIAL_COMPANY_CLIENT_ID: 'x',
        SOCIAL_COMPANY_CLIENT_SECRET: 'y',
      },
    });
    const { status, body } = await lonely.send('GET', '/api/v1/auth/social/company');
    expect([status, body.code]).toEqual([503, 'auth.upstream_unavailable']);
  });
});

describe('21. an unverified account with the address of a verified sign-in elsewhere', () => {
  test('is reclaimed: its password, sessions, links and accounts elsewhere are void', async () => {
    const squatter = await registerPerson(service);
    const session = await signIn(service, squatter);
    const squatterSub = newSub();
    await asOwner(
      service,
      `insert into auth.accounts (id, user_id, provider, provider_account_id, created_at, last_used_at)
       values (gen_random_uuid(), $1, $2, $3, now(), now())`,
      [squatter.id, company.issuer, squatterSub],
    );
    await service.send('POST', '/api/v1/auth/forgot-password', { body: { email: squatter.email } });
    const [mail] = await service.mails(squatter.email);
    const token = new URL(mail?.links[0] ?? '').searchParams.get('token');

    const browser = newBrowser();
    const claims = verified(squatter.email);
    await signInAtStandIn(browser, company, claims);
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user).toMatchObject({ id: squatter.id, emailVerified: true, credits: 150 });
    expect((await logIn(service, squatter)).status).toBe(401);
    expect((await service.send('GET', '/api/users/me', { token: session.accessToken })).status).toBe(401);
    const refreshed = await service.send('POST', '/api/v1/auth/refresh', {
      body: { refreshToken: session.refreshToken },
    });
    expect(refreshed.status).toBe(401);
    const reset = await service.send('POST', '/api/v1/auth/reset-password', {
      body: { token, newPassword: 'another good password' },
    });
    expect(reset.body.code).toBe('auth.link_invalid');
    expect(await accountsOf(accessToken)).toMatchObject([{ email: squatter.email }]);
    expect(await eventsOf(accessToken)).toContain('account.reclaimed');
    const stranger = newBrowser();
    await signInAtStandIn(stranger, company, { sub: squatterSub });
    expect(isSignedIn(stranger)).toBe(false);
  });

  test('is not reclaimed by an address that the provider has not confirmed', async () => {
    const person = await registerPerson(service);
    const browser = newBrowser();
    await signInAtStandIn(browser, company, { sub: newSub(), email: person.email, email_verified: false });
    expect(isSignedIn(browser)).toBe(false);
    expect((await logIn(service, person)).status).toBe(200);
  });

  test('is linked when both sides have confirmed it; the password stays', async () => {
    const person = await registerPerson(service);
    await confirmAddress(service, person);
    const browser = newBrowser();
    await signInAtStandIn(browser, company, verified(person.email));
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user.id).toBe(person.id);
    expect((await logIn(service, person)).status).toBe(200);
    expect(await eventsOf(accessToken)).toContain('account.linked');
  });

  test('whoever confirms an address by a reset leaves no account of the one before', async () => {
    const email = newEmail();
    const sub = newSub();
    await signInAtStandIn(newBrowser(), company, { sub, email });
    await service.send('POST', '/api/v1/auth/forgot-password', { body: { email } });
    const mails = await service.mails(email);
    const link = mails.flatMap(({ links }) => links).find((url) => url.includes('reset-password'));
    const token = new URL(link ?? '').searchParams.get('token');
    const body = { token, newPassword: 'another good password' };
    expect((await service.send('POST', '/api/v1/auth/reset-password', { body })).status).toBe(200);
    const browser = newBrowser();
    const response = await signInAtStandIn(browser, company, { sub, email });
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_email_taken');
  });
});

describe('GitHub', () => {
  const signInAtGithub = async (browser: TestBrowser): Promise<Response> => {
    const asked = await goToStandIn(browser, github, '/sign-in/with/github');
    expect(asked.get('scope')).toBe('read:user user:email');
    return comeBack(browser, github, asked, { iss: undefined });
  };

  test('the verified primary address counts, and the number of the account', async () => {
    const email = newEmail();
    const id = 1_000_000 + Number(randomUUID().replace(/\D/g, '').slice(0, 6));
    github.github = {
      user: { id, login: 'ada', name: null, email: 'profile@example.com', avatar_url: 'https://a.example/1' },
      emails: [
        { email: 'other@example.com', primary: false, verified: true },
        { email, primary: true, verified: true },
      ],
    };
    const browser = newBrowser();
    expect(locationOf(await signInAtGithub(browser))).toBe('/sign-in?done');
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user).toMatchObject({ email, emailVerified: true, name: 'ada', picture: 'https://a.example/1' });
    expect(await accountsOf(accessToken)).toMatchObject([
      { provider: 'github', issuer: `${github.issuer}/login/oauth` },
    ]);
    const { form } = github.tokenRequests.at(-1) ?? {};
    expect(form?.get('client_secret')).toBe('github secret');
    expect(form?.get('code_verifier')).toMatch(/^[\w-]{43}$/);
  });

  test('an unverified address takes over nobody', async () => {
    const person = await registerPerson(service);
    github.github = {
      user: { id: 77, login: 'mallory' },
      emails: [{ email: person.email, primary: true, verified: false }],
    };
    const browser = newBrowser();
    expect(locationOf(await signInAtGithub(browser))).toBe('/sign-in?error=auth.upstream_email_taken');
    github.github = { user: { message: 'Bad credentials' }, emails: [] };
    expect(locationOf(await signInAtGithub(browser))).toBe('/sign-in?error=auth.upstream_refused');
    expect(isSignedIn(browser)).toBe(false);
  });
});

describe('Apple', () => {
  test('answers with a form across sites, is shown a secret that we sign, and names the person once', async () => {
    const browser = newBrowser();
    const email = newEmail();
    const response = await browser.request('/sign-in/with/apple');
    expect(response.headers.getSetCookie().join()).toMatch(/__Host-obol_upstream=.*SameSite=None/i);
    const away = new URL(locationOf(response)).searchParams;
    expect(Object.fromEntries(away)).toMatchObject({ response_mode: 'form_post', scope: 'name email' });
    apple.claims = { sub: newSub(), email, email_verified: 'true', nonce: away.get('nonce') };
    const form = {
      code: 'a code',
      state: away.get('state') ?? '',
      iss: apple.issuer,
      user: JSON.stringify({ name: { firstName: 'Ada', lastName: 'King' }, email: 'ignored@example.com' }),
    };
    // A form from another site brings no cookie but that with SameSite=None.
    browser.cookies.delete('__Host-obol_session');
    const back = await browser.request(away.get('redirect_uri') ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://appleid.apple.com' },
      body: new URLSearchParams(form).toString(),
    });
    expect([back.status, locationOf(back)]).toEqual([303, '/sign-in?done']);
    expect((await tokensOf(service, browser)).user).toMatchObject({
      email,
      emailVerified: true,
      name: 'Ada King',
    });
    const secret = apple.tokenRequests.at(-1)?.form.get('client_secret') ?? '';
    const { payload, protectedHeader } = await jwtVerify(secret, appleKey.publicKey);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'KEY1234567' });
    expect(payload).toMatchObject({ iss: 'TEAM123456', sub: 'app.obol', aud: apple.issuer });
  });
});

describe('accounts', () => {
  /** Somebody with a password and a confirmed address, signed in at a browser. */
  const arrive = async () => {
    const person = await registerPerson(service);
    await confirmAddress(service, person);
    const browser = newBrowser();
    const page = expectPage(await browser.open('/sign-in'), 'sign-in');
    await browser.submit(page, { email: person.email, password: person.password });
    return { person, browser, token: (await signIn(service, person)).accessToken };
  };
  const link = (token: string, returnTo = `${frontEnd}/settings`) =>
    service.send('POST', '/api/v1/auth/social/company/link', { token, body: { returnTo } });
  const pass = async (browser: TestBrowser, url: string, claims: Record<string, unknown>) => {
    company.claims = claims;
    return comeBack(browser, company, await goToStandIn(browser, company, url));
  };

  test('are connected while signed in, and sign in from then on', async () => {
    const { person, browser, token } = await arrive();
    const { status, body } = await link(token);
    expect(status).toBe(200);
    const claims = verified(newEmail());
    expect(locationOf(await pass(browser, body.url, claims))).toBe(`${frontEnd}/settings`);
    expect(await accountsOf(token)).toMatchObject([{ provider: 'company', email: claims.email }]);
    const other = newBrowser();
    await signInAtStandIn(other, company, claims);
    expect((await tokensOf(service, other)).user.id).toBe(person.id);
    // Once more changes nothing.
    const again = await link(token);
    expect(locationOf(await pass(browser, again.body.url, claims))).toBe(`${frontEnd}/settings`);
    expect(await accountsOf(token)).toHaveLength(1);
  });

  test('are connected only in the browser of the one who asks, once, and only if both sides are confirmed', async () => {
    const { browser, token } = await arrive();
    const { body } = await link(token);
    const victim = await arrive();
    const refused = await victim.browser.request(body.url, { headers: { accept: 'application/json' } });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      401,
      'auth.cookie_invalid',
    ]);
    const nobody = await newBrowser().request(body.url, { headers: { accept: 'application/json' } });
    expect(nobody.status).toBe(401);
    const spent = await browser.request(body.url, { headers: { accept: 'application/json' } });
    expect(spent.status).toBe(400);

    const unconfirmed = await link(token);
    const claims = { sub: newSub(), email: newEmail(), email_verified: false };
    expect(locationOf(await pass(browser, unconfirmed.body.url, claims))).toBe(
      `${frontEnd}/settings?error=auth.email_unverified`,
    );
    const person = await registerPerson(service);
    const own = newBrowser();
    const page = expectPage(await own.open('/sign-in'), 'sign-in');
    await own.submit(page, { email: person.email, password: person.password });
    const unverified = await link((await signIn(service, person)).accessToken);
    expect(locationOf(await pass(own, unverified.body.url, verified(newEmail())))).toContain(
      'error=auth.email_unverified',
    );
    expect((await link(token, 'https://evil.example')).body.code).toBe('auth.return_not_allowed');
    expect((await service.send('POST', '/api/v1/auth/social/company/link', { body: {} })).status).toBe(401);
  });

  test('of somebody else are not taken from them', async () => {
    const claims = verified(newEmail());
    const owner = newBrowser();
    await signInAtStandIn(owner, company, claims);
    const { browser, token } = await arrive();
    const { body } = await link(token);
    expect(locationOf(await pass(browser, body.url, claims))).toBe(
      `${frontEnd}/settings?error=auth.account_linked_elsewhere`,
    );
    expect(await accountsOf(token)).toEqual([]);
  });

  test('are disconnected, with the sessions that they opened; nobody else can', async () => {
    const { browser, token } = await arrive();
    const claims = verified(newEmail());
    await pass(browser, (await link(token)).body.url, claims);
    const there = newBrowser();
    await signInAtStandIn(there, company, claims);
    const { accessToken } = await tokensOf(service, there);
    const [{ id }] = await accountsOf(token);
    const stranger = await arrive();
    const remove = (as: string, which = id) =>
      service.send('DELETE', `/api/v1/auth/accounts/${which}`, { token: as });
    expect((await remove(stranger.token)).status).toBe(404);
    expect((await remove(token, randomUUID())).status).toBe(404);
    expect((await remove(token, 'x')).status).toBe(400);
    expect((await remove(token)).status).toBe(200);
    expect((await remove(token)).status).toBe(404);
    expect((await service.send('GET', '/api/users/me', { token: accessToken })).status).toBe(401);
    expect(await eventsOf(token)).toContain('account.unlinked');
  });

  test('the last way to sign in stays, also when the last two are removed at once', async () => {
    const email = newEmail();
    const browser = newBrowser();
    await signInAtStandIn(browser, company, verified(email));
    const { accessToken: token } = await tokensOf(service, browser);
    const [only] = await accountsOf(token);
    const remove = (id: string) => service.send('DELETE', `/api/v1/auth/accounts/${id}`, { token });
    expect(await remove(only.id)).toMatchObject({ status: 409, body: { code: 'auth.last_way_in' } });
    await signInAtStandIn(newBrowser(), company, verified(email));
    const both = await accountsOf(token);
    expect(both).toHaveLength(2);
    const statuses = (await Promise.all(both.map(({ id }) => remove(id)))).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 409]);
    expect(await accountsOf(token)).toHaveLength(1);
  });
});

describe('front ends', () => {
  let standIn: StandIn;
  beforeAll(() => {
    standIn = company;
  });

  const land = async (query: Record<string, string> = {}) => {
    const browser = newBrowser();
    const path = `/api/v1/auth/social/company?${new URLSearchParams({ returnTo: frontEnd, ...query }).toString()}`;
    const response = await signInAtStandIn(browser, standIn, verified(newEmail()), path);
    return new URL(locationOf(response));
  };
  const exchange = (body: Record<string, unknown>, headers: Record<string, string> = { origin: frontEnd }) =>
    service.send('POST', '/api/v1/auth/session-to-token', { body, headers });

  test('the code lives a minute, and is proved where the front end has sent a challenge', async () => {
    const late = await land();
    service.clock.advance({ seconds: 61 });
    expect((await exchange({ code: late.searchParams.get('code') })).body.code).toBe('auth.code_invalid');

    const codeVerifier = 'v'.repeat(43);
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier));
    const codeChallenge = Buffer.from(digest).toString('base64url');
    const code = (await land({ codeChallenge })).searchParams.get('code');
    expect((await exchange({ code })).status).toBe(401);
    expect((await exchange({ code, codeVerifier: 'w'.repeat(43) })).status).toBe(401);
    expect((await exchange({ code, codeVerifier })).status).toBe(200);
    expect((await exchange({ code: 7 })).status).toBe(400);
  });

  test('of sixteen exchanges of one code, one gets tokens', async () => {
    const code = (await land()).searchParams.get('code');
    const statuses = await Promise.all(
      Array.from({ length: 16 }, async () => (await exchange({ code })).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(15);
  });

  test('the providers are listed', async () => {
    const { body } = await service.send('GET', '/api/v1/auth/social');
    expect(body.providers).toEqual(
      ['apple', 'company', 'github'].map((name) => ({
        name,
        label: expect.any(String),
        url: `${service.issuer}/api/v1/auth/social/${name}`,
      })),
    );
  });
});
