import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readGuide } from './harness/guide.ts';
import { expectCallback, expectPage, findFreePort, startTestProvider, TestBrowser } from './harness/oauth.ts';
import { OauthCalls } from './harness/oauth-flow.ts';
import { registerOwnApplication } from './harness/openid.ts';
import { registerPerson, type Person } from './harness/people.ts';

// The code of the guide, run as it stands. Its programs go by the clock of the machine, so the service starts
// there.

const guide = await readGuide('sign-in.md');
const [serverSource = '', pageSource = '', cliSource = ''] = guide.blocks('js');
const service = await startTestProvider({ startAt: new Date().toISOString() });
let person: Person;

beforeAll(async () => {
  person = await registerPerson(service);
});

test('a server app signs people in and out', async () => {
  const BASE_URL = `http://localhost:${await findFreePort()}`;
  const app = await registerOwnApplication(service, {
    redirectUri: `${BASE_URL}/callback`,
    postLogoutRedirectUris: [`${BASE_URL}/`],
  });
  const env = { ISSUER: service.issuer, CLIENT_ID: app.clientId, CLIENT_SECRET: app.clientSecret, BASE_URL };
  expect(await guide.run(serverSource, env)).toEqual([`listening on ${BASE_URL}`]);

  let cookie = '';
  const open = async (path: string): Promise<Response> => {
    const response = await fetch(new URL(path, BASE_URL), { redirect: 'manual', headers: { cookie } });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) cookie = set.split(';')[0] ?? '';
    return response;
  };
  expect(await (await open('/')).text()).toContain('Sign in');
  const away = (await open('/sign-in')).headers.get('location') ?? '';
  const browser = new TestBrowser(service);
  const back = await new OauthCalls(service, app).passPages(browser, person, away);
  expect((await open(back.href)).headers.get('location')).toBe('/');
  expect(await (await open('/')).text()).toContain(`Hello ${person.email}`);

  const leave = (await open('/sign-out')).headers.get('location') ?? '';
  const page = expectPage(await browser.open(leave), 'sign-out');
  expect(expectCallback(await browser.submit(page, { decision: 'sign-out' })).href).toBe(`${BASE_URL}/`);
  expect(await (await open('/')).text()).toContain('Sign in');
  // A code for a session that never asked for one.
  cookie = '';
  expect((await open(back.href)).headers.get('location')).toBe('/');
});

/** The few things of a browser that the code of the page uses; answers are read only where CORS allows it. */
function standInForBrowser(address: string): { href: string; assign: (url: string) => void } {
  const stored = new Map<string, string>();
  const location = { href: address, assign: (url: string) => void (location.href = url) };
  const realFetch = fetch;
  const stubs = {
    location,
    sessionStorage: {
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, value: string) => stored.set(name, value),
      removeItem: (name: string) => stored.delete(name),
    },
    history: { replaceState: (_state: null, _title: string, url: string) => void (location.href = url) },
    fetch: async (url: string, init: RequestInit = {}) => {
      if (!url.startsWith(service.issuer)) return realFetch(url, init);
      const headers = { ...(init.headers as Record<string, string>), origin: new URL(address).origin };
      const response = await realFetch(url, { ...init, headers });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      return response;
    },
  };
  for (const [name, stub] of Object.entries(stubs)) vi.stubGlobal(name, stub);
  onTestFinished(() => void vi.unstubAllGlobals());
  return location;
}

test('a page in a browser signs people in, without a secret', async () => {
  const redirectUri = 'http://localhost:3000/';
  const app = await registerOwnApplication(service, { type: 'public', redirectUri });
  const source = pageSource
    .replace("'http://localhost:3001'", JSON.stringify(service.issuer))
    .replace("'the client id'", JSON.stringify(app.clientId));
  const { signIn, completeSignIn, readUser } = await import(await guide.write(source, 'page.mjs'));
  const browser = new TestBrowser(service);
  const calls = new OauthCalls(service, { clientId: app.clientId });
  const location = standInForBrowser(redirectUri);

  expect(await completeSignIn()).toBeUndefined();
  await signIn();
  location.href = (await calls.passPages(browser, person, location.href)).href;
  const answer = location.href;
  const tokens = await completeSignIn();
  expect(location.href).toBe(redirectUri);
  expect(await readUser(tokens)).toMatchObject({ sub: person.id, email: person.email });

  // Who is signed in to Obol sees no page; an answer that this tab has not asked for is not taken.
  await signIn({ prompt: 'none' });
  location.href = expectCallback(await browser.open(location.href)).href;
  expect(await readUser(await completeSignIn())).toMatchObject({ sub: person.id });
  location.href = answer;
  await expect(completeSignIn()).rejects.toThrow('for somebody else');
  await signIn({ prompt: 'none' });
  location.href = expectCallback(await new TestBrowser(service).open(location.href)).href;
  await expect(completeSignIn()).rejects.toThrow('login_required');
});

test('a command line signs people in by a code that they type in elsewhere', async () => {
  const app = await registerOwnApplication(service, {
    type: 'native',
    redirectUri: 'http://127.0.0.1/callback',
    grantTypes: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  });
  const lines = await guide.run(cliSource, { ISSUER: service.issuer, CLIENT_ID: app.clientId });
  const [, address = '', userCode = ''] = /^Open (\S+) and type in (\S+)$/.exec(lines[0] ?? '') ?? [];
  const browser = new TestBrowser(service);
  const typed = expectPage(await browser.open(address), 'device-code');
  const confirm = expectPage(await browser.submit(typed, { user_code: userCode }), 'device-confirm');
  const signInPage = expectPage(await browser.submit(confirm, { decision: 'confirm' }), 'sign-in');
  const credentials = { email: person.email, password: person.password };
  const consent = expectPage(await browser.submit(signInPage, credentials), 'consent');
  expectPage(await browser.submit(consent, { decision: 'allow' }), 'device-done');
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(3);
  expect(lines[1]).toBe(`Signed in as ${person.email}`);
  expect(lines[2]).toBe('Signed in for 900 more seconds');
});
