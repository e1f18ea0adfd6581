import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../../../../test/harness/applications.ts';
import {
  expectCallback,
  expectPage,
  startTestProvider,
  TestBrowser,
  type ShownPage,
} from '../../../../test/harness/oauth.ts';
import { OauthCalls } from '../../../../test/harness/oauth-flow.ts';
import { registerOwnApplication } from '../../../../test/harness/openid.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { comeBack, goToStandIn, isSignedIn } from '../../../../test/harness/upstream.ts';

// A sign-in elsewhere as a step between an authorization request and its answer, without JavaScript.

const company = await startStandIn();
const service = await startTestProvider({
  env: {
    SOCIAL_COMPANY_ISSUER: company.issuer,
    SOCIAL_COMPANY_CLIENT_ID: 'obol-client',
    SOCIAL_COMPANY_CLIENT_SECRET: 'a secret',
    SOCIAL_COMPANY_LABEL: 'The company',
  },
});
let app: TestApplication;
let calls: OauthCalls;

beforeAll(async () => {
  app = await registerOwnApplication(service);
  calls = new OauthCalls(service, app);
});

const newClaims = () => ({ sub: randomUUID(), email: `${randomUUID()}@example.com`, email_verified: true });
const pkce = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };

/** Begins an authorization request; stops at the page to sign in. */
async function reachSignIn(browser: TestBrowser, params: Record<string, string> = {}): Promise<ShownPage> {
  return expectPage(await browser.open(calls.authorizeUrl({ ...pkce, ...params })), 'sign-in');
}

/** Follows the link to the provider on a page; returns where the callback leads. */
async function passCompany(
  browser: TestBrowser,
  { page }: ShownPage,
  claims: Record<string, unknown>,
  fields: Record<string, string | undefined> = {},
): Promise<{ url: string; asked: URLSearchParams }> {
  company.claims = claims;
  const asked = await goToStandIn(browser, company, page.providers[0].url);
  const response = await comeBack(browser, company, asked, fields);
  expect(response.status).toBe(303);
  return { url: response.headers.get('location') ?? '', asked };
}

describe('a sign-in at a provider within an authorization request', () => {
  test('is a link on the page, and leads on to consent and back to the application', async () => {
    const browser = new TestBrowser(service);
    const page = await reachSignIn(browser);
    expect(page.page.providers).toMatchObject([{ name: 'company', label: 'The company' }]);
    expect(page.text).toContain('Continue with The company');
    const { url } = await passCompany(browser, page, newClaims());
    const consent = expectPage(await browser.open(url), 'consent');
    const callback = expectCallback(await browser.submit(consent, { decision: 'allow' }));
    expect(callback.searchParams.get('code')).toBeTruthy();
  });

  test('is on the page to register, too', async () => {
    const browser = new TestBrowser(service);
    const signIn = await reachSignIn(browser);
    const page = expectPage(await browser.open(signIn.page.registerUrl), 'register');
    const { url } = await passCompany(browser, page, newClaims());
    expectPage(await browser.open(url), 'consent');
  });

  test('shows on the page why it has failed; the password still works there', async () => {
    const browser = new TestBrowser(service);
    const refused = await passCompany(browser, await reachSignIn(browser), newClaims(), {
      code: undefined,
      error: 'access_denied',
    });
    const page = expectPage(await browser.open(refused.url), 'sign-in');
    expect(page.page.problem).toEqual({ code: 'auth.upstream_denied' });
    expect(page.text).toContain('You turned back');
    expect(isSignedIn(browser)).toBe(false);
    const { url } = await passCompany(browser, page, newClaims());
    expectPage(await browser.open(url), 'consent');
  });

  test('an error that nobody has heard of is not shown', async () => {
    const browser = new TestBrowser(service);
    const { url } = await reachSignIn(browser);
    const page = expectPage(await browser.open(`${url}?error=Call+0800+NOW`), 'sign-in');
    expect(page.page.problem).toBeNull();
    expect(page.text).not.toContain('0800');
  });

  test('counts once, in the browser and the request that it was made for', async () => {
    const browser = new TestBrowser(service);
    const { url } = await passCompany(browser, await reachSignIn(browser), newClaims());
    const stranger = new TestBrowser(service);
    const other = await reachSignIn(stranger);
    const moved = url.replace(/interaction\/[^/]+/, `interaction/${other.page.form.action.split('/')[2]}`);
    expectPage(await stranger.open(moved), 'sign-in');
    expect(expectPage(await stranger.open(url), 'notice').page.kind).toBe('interaction-over');
    expectPage(await browser.open(url), 'consent');
  });

  test('shows that it is still them, where the application asks for it: the provider asks again', async () => {
    const browser = new TestBrowser(service);
    const claims = newClaims();
    const first = await passCompany(browser, await reachSignIn(browser), claims);
    expect(first.asked.get('prompt')).toBeNull();
    const consent = expectPage(await browser.open(first.url), 'consent');
    await browser.submit(consent, { decision: 'allow' });
    service.clock.advance({ minutes: 5 });
    const page = await reachSignIn(browser, { prompt: 'login' });
    expect(page.page.reason).toBe('again');
    const again = await passCompany(browser, page, claims);
    expect(again.asked.get('prompt')).toBe('login');
    const callback = expectCallback(await browser.open(again.url));
    expect(callback.searchParams.get('code')).toBeTruthy();
  });

  test('of somebody else signs out who was signed in', async () => {
    const browser = new TestBrowser(service);
    const first = await passCompany(browser, await reachSignIn(browser), newClaims());
    await browser.submit(expectPage(await browser.open(first.url), 'consent'), { decision: 'allow' });
    const page = await reachSignIn(browser, { prompt: 'login' });
    const { url } = await passCompany(browser, page, newClaims());
    expectPage(await browser.open(url), 'consent');
  });
});

describe('the sign-in page on its own', () => {
  test('leads on to where it was asked to', async () => {
    const browser = new TestBrowser(service);
    const page = expectPage(await browser.open('/sign-in?next=/access-requests'), 'sign-in');
    const { url } = await passCompany(browser, page, newClaims());
    expect(url).toBe('/access-requests');
    expectPage(await browser.open(url), 'access-requests');
  });

  test('leads nowhere else', async () => {
    const browser = new TestBrowser(service);
    const { url } = await passCompany(
      browser,
      { page: { providers: [{ url: '/sign-in/with/company?next=https://evil.example' }] } } as ShownPage,
      newClaims(),
    );
    expect(url).toBe('/sign-in?done');
    expect((await browser.request('/sign-in/with/nobody')).status).toBe(404);
  });
});
