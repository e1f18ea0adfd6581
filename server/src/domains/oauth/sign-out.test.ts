import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { newPkce } from '../../../test/harness/oauth.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { expectCallback, expectPage, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const home = 'https://notes.example.com/bye';
let calls: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const given = { access: 'open', postLogoutRedirectUris: [home] };
  calls = new OauthCalls(service, await registerApplication(service, accessToken, given));
});

const silently = (browser: TestBrowser, params: Record<string, string> = {}) =>
  browser.open(calls.authorizeUrl({ ...pkce(), prompt: 'none', ...params }));
const pkce = () => ({ code_challenge: newPkce().challenge, code_challenge_method: 'S256' });
const errorOf = (shown: unknown) => expectCallback(shown as URL).searchParams.get('error');

describe('one session over all applications', () => {
  test('prompt=none answers at once, and says login_required to who is not signed in', async () => {
    const { browser } = await calls.obtainTokens();
    const callback = expectCallback(await silently(browser));
    expect(callback.searchParams.get('code')).not.toBeNull();
    expect(callback.searchParams.get('iss')).toBe(service.issuer);
    const stranger = expectCallback(await silently(new TestBrowser(service)));
    expect(Object.fromEntries(stranger.searchParams)).toMatchObject({
      error: 'login_required',
      iss: service.issuer,
      state: 'a state',
    });
  });

  test('the session of the pages is the one in the list of devices, and its end counts at once', async () => {
    const { browser, person, tokens } = await calls.obtainTokens();
    const { accessToken } = await signIn(service, person);
    const { body } = await service.send('GET', '/api/v1/auth/sessions', { token: accessToken });
    expect(body.sessions).toHaveLength(2);
    const other = body.sessions.find(({ current }: { current: boolean }) => !current);
    await service.send('DELETE', `/api/v1/auth/sessions/${other.id}`, { token: accessToken });
    expect(errorOf(await silently(browser))).toBe('login_required');
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('the cookie is another one after each way through the pages', async () => {
    const { browser, person } = await calls.obtainTokens();
    const name = '__Host-obol_session';
    const before = browser.cookies.get(name)?.value;
    await calls.passPages(browser, person, calls.authorizeUrl({ ...pkce(), prompt: 'consent' }));
    expect(browser.cookies.get(name)?.value).not.toBe(before);
    const stale = new TestBrowser(service);
    stale.cookies.set(name, { value: before ?? '', path: '/' });
    expect(errorOf(await silently(stale))).toBe('login_required');
  });
});

describe('signing out', () => {
  test('an application sends the person here, who agrees, and ends up where it wants them', async () => {
    const { browser, tokens } = await calls.obtainTokens();
    const query = { id_token_hint: tokens.id_token, post_logout_redirect_uri: home, state: 'x' };
    const page = expectPage(
      await browser.open(`/logout?${new URLSearchParams(query).toString()}`),
      'sign-out',
    );
    expect(page.page.application.name).toBe('Notes');
    const left = expectCallback(await browser.submit(page, { decision: 'sign-out' }));
    expect(left.href).toBe(`${home}?state=x`);
    expect(errorOf(await silently(browser))).toBe('login_required');
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('nobody is sent to an address that is not registered', async () => {
    const { browser, tokens } = await calls.obtainTokens();
    for (const elsewhere of ['https://evil.example/bye', `${home}/`, `${home}?x`]) {
      const query = { id_token_hint: tokens.id_token, post_logout_redirect_uri: elsewhere };
      const shown = expectPage(
        await browser.open(`/logout?${new URLSearchParams(query).toString()}`),
        'error',
      );
      expect(shown.status).toBe(400);
    }
  });

  test('/v2/logout is the same', async () => {
    const { browser } = await calls.obtainTokens();
    const query = new URLSearchParams({ client_id: calls.client.clientId, returnTo: home });
    const page = expectPage(await browser.open(`/v2/logout?${query.toString()}`), 'sign-out');
    expect(expectCallback(await browser.submit(page, { decision: 'sign-out' })).href).toBe(home);
  });

  test('a form from elsewhere signs nobody out', async () => {
    const { browser } = await calls.obtainTokens();
    const forged = await browser.open('/logout/confirm', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'logout=yes&xsrf=guess',
    });
    expectPage(forged, 'error');
    expect(expectCallback(await silently(browser)).searchParams.get('code')).not.toBeNull();
  });

  test('without an application', async () => {
    const { browser } = await calls.obtainTokens();
    const page = expectPage(await browser.open('/sign-out'), 'sign-out');
    expectPage(await browser.submit(page, { decision: 'sign-out' }), 'signed-out');
    expect(errorOf(await silently(browser))).toBe('login_required');
  });
});

describe('signing in', () => {
  test('prompt=login and max_age ask for the password again, in the same session', async () => {
    const { browser, person } = await calls.obtainTokens();
    for (const asked of [{ prompt: 'login' }, { max_age: '10' }]) {
      service.clock.advance({ seconds: 60 });
      const shown = expectPage(await browser.open(calls.authorizeUrl({ ...pkce(), ...asked })), 'sign-in');
      expect(shown.page).toMatchObject({ reason: 'again', email: person.email });
      const done = await browser.submit(shown, { email: person.email, password: person.password });
      expect(expectCallback(done).searchParams.get('code')).not.toBeNull();
    }
    expect(errorOf(await silently(browser, { max_age: '5' }))).toBe(null);
    service.clock.advance({ seconds: 60 });
    expect(errorOf(await silently(browser, { max_age: '10' }))).toBe('login_required');
  });

  test('as somebody else ends the session before', async () => {
    const { browser, tokens } = await calls.obtainTokens();
    const other = await registerPerson(service);
    const url = calls.authorizeUrl({ ...pkce(), prompt: 'select_account' });
    const chosen = expectPage(await browser.open(url), 'choose-account');
    const shown = expectPage(await browser.submit(chosen, { decision: 'other-account' }), 'sign-in');
    const consent = await browser.submit(shown, { email: other.email, password: other.password });
    expect(expectPage(consent, 'consent').page.account.email).toBe(other.email);
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
  });

  test('a wrong password shows the page again; cancelling goes back with access_denied', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const page = expectPage(await browser.open(calls.authorizeUrl(pkce())), 'sign-in');
    const again = expectPage(
      await browser.submit(page, { email: person.email, password: 'wrong' }),
      'sign-in',
    );
    expect([again.status, again.page.problem.code]).toEqual([401, 'auth.invalid_credentials']);
    expect(errorOf(await browser.submit(again, { decision: 'cancel' }))).toBe('access_denied');
  });

  test('a form without the token of this browser is refused', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const page = expectPage(await browser.open(calls.authorizeUrl(pkce())), 'sign-in');
    const fields = { email: person.email, password: person.password };
    const forged = await browser.submit(page, { ...fields, csrf: 'x'.repeat(43) });
    expect(expectPage(forged, 'error')).toMatchObject({ status: 403, page: { code: 'request.csrf' } });
    const stranger = new TestBrowser(service);
    expectPage(await stranger.submit(page, fields), 'error');
  });

  test('registering on the way goes on to the application', async () => {
    const browser = new TestBrowser(service);
    const page = expectPage(await browser.open(calls.authorizeUrl(pkce())), 'sign-in');
    const form = expectPage(await browser.open(page.page.registerUrl), 'register');
    const typed = { email: 'grace@example.com', password: 'correct horse lantern', name: 'Grace' };
    expectPage(await browser.submit(form, typed), 'consent');
  });

  test('on its own page, which leads on to pages of ours only', async () => {
    const person = await registerPerson(service);
    for (const [next, end] of [
      ['/device', 'device-code'],
      ['https://evil.example', 'notice'],
      ['//evil.example', 'notice'],
    ] as const) {
      const browser = new TestBrowser(service);
      const page = expectPage(
        await browser.open(`/sign-in?${new URLSearchParams({ next }).toString()}`),
        'sign-in',
      );
      expectPage(await browser.submit(page, { email: person.email, password: person.password }), end);
    }
  });
});
