import { describe, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { logIn, registerPerson, type Person } from '../../../test/harness/people.ts';
import { ConfigError, loadConfig } from '../../config.ts';

// Rule 25: cookies `__Host-`, or a domain cookie where COOKIE_DOMAIN is set; Secure, HttpOnly, SameSite=Lax.
// Calls that a cookie authenticates cannot be forged.
const host = await startTestService({ env: { BASE_URL: 'https://id.example.com' } });
const family = await startTestService({
  env: {
    BASE_URL: 'https://id.example.com',
    COOKIE_DOMAIN: 'example.com',
    CORS_ORIGINS: 'https://notes.example.com',
  },
});

type Cookie = { name: string; value: string; attributes: string[] };

function cookiesOf(answer: { headers: Headers }): Cookie[] {
  return answer.headers.getSetCookie().map((line) => {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    return { name, value, attributes };
  });
}

const headerOf = (cookies: Cookie[]) => cookies.map(({ name, value }) => `${name}=${value}`).join('; ');

/** Opens a page of ours and sends its form, as a browser does. */
async function submitAt(at: TestService, path: string, fields: Record<string, string>, kept: Cookie[] = []) {
  const shown = await fetch(`${at.url}${path}`, { headers: { cookie: headerOf(kept) } });
  const cookies = [...kept, ...cookiesOf(shown)];
  const csrf = /name="csrf" value="([^"]+)"/.exec(await shown.text())?.[1] ?? '';
  const answer = await fetch(`${at.url}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: headerOf(cookies) },
    body: new URLSearchParams({ csrf, ...fields }),
  });
  return { status: answer.status, cookies: [...cookies, ...cookiesOf(answer)] };
}

const signInAt = (at: TestService, { email, password }: Person) =>
  submitAt(at, '/sign-in', { email, password });

describe('rule 25: on its own host', () => {
  test('every cookie is of this host, for browsers on HTTPS only, and out of reach of scripts and other sites', async () => {
    const person = await registerPerson(host);
    const { status, cookies } = await signInAt(host, person);
    expect(status).toBe(303);
    const all = [...cookies, ...cookiesOf(await logIn(host, person))];
    expect(new Set(all.map(({ name }) => name))).toEqual(
      new Set(['__Host-obol_csrf', '__Host-obol_device', '__Host-obol_session', '__Host-obol_challenge']),
    );
    for (const { name, attributes } of all) {
      expect(attributes, name).toEqual(
        expect.arrayContaining(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']),
      );
      expect(attributes.join(), name).not.toContain('Domain');
    }
  });

  test('signing out takes the cookie away and ends what it stood for', async () => {
    const { cookies } = await signInAt(host, await registerPerson(host));
    const session = cookies.filter(({ name }) => name === '__Host-obol_session');
    const out = await submitAt(host, '/sign-out', { decision: 'sign-out' }, session);
    const last = out.cookies.findLast(({ name }) => name === '__Host-obol_session');
    expect(last).toMatchObject({ value: '', attributes: expect.arrayContaining(['Max-Age=0', 'Path=/']) });
    const share = await host.send('POST', '/api/v1/auth/session-to-token', {
      body: {},
      headers: { cookie: headerOf(session) },
    });
    expect(share.body.code).toBe('auth.cookie_invalid');
  });

  test('a cookie under the name of the other set-up is not read', async () => {
    for (const [at, other] of [
      [host, '__Secure-obol_session'],
      [family, '__Host-obol_session'],
    ] as const) {
      const value = cookiesOf(await logIn(at, await registerPerson(at)))[0]?.value;
      const headers = { cookie: `${other}=${value}` };
      const answer = await at.send('POST', '/api/v1/auth/session-to-token', { body: {}, headers });
      expect(answer).toMatchObject({ status: 401, body: { code: 'auth.cookie_invalid' } });
    }
  });
});

describe('rule 25: shared with sibling subdomains by COOKIE_DOMAIN', () => {
  test('the sign-in cookie is of the domain; what protects forms and knows browsers stays on this host', async () => {
    const person = await registerPerson(family);
    const { cookies } = await signInAt(family, person);
    const [session, ...others] = cookies.toSorted((one) => (one.name.includes('session') ? -1 : 1));
    expect(session).toMatchObject({ name: '__Secure-obol_session' });
    expect(session?.attributes).toEqual(
      expect.arrayContaining(['Domain=example.com', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']),
    );
    expect(others.length).toBeGreaterThan(1);
    for (const { name, attributes } of others) {
      expect(name).toMatch(/^__Host-/);
      expect(attributes.join()).not.toContain('Domain');
    }
  });

  test('an app of the family exchanges it for tokens; a stranger among the subdomains does not', async () => {
    const cookie = headerOf(cookiesOf(await logIn(family, await registerPerson(family))));
    const share = (origin: string) =>
      family.send('POST', '/api/v1/auth/session-to-token', { body: {}, headers: { cookie, origin } });
    const { status, body } = await share('https://notes.example.com');
    expect(status).toBe(200);
    const refreshed = await family.send('POST', '/api/v1/auth/refresh', {
      body: { refreshToken: body.refreshToken },
    });
    expect(refreshed.status).toBe(200);
    for (const origin of [
      'https://guest.example.com',
      'https://example.com',
      'http://notes.example.com',
      'null',
    ]) {
      expect(await share(origin), origin).toMatchObject({
        status: 403,
        body: { code: 'auth.origin_not_allowed' },
      });
    }
  });

  test.each([
    ['localhost', 'https://localhost'],
    ['https://example.com', 'https://id.example.com'],
    ['example.com:8443', 'https://id.example.com:8443'],
    ['192.0.2.1', 'https://192.0.2.1'],
    ['other.example', 'https://id.example.com'],
    ['ample.com', 'https://example.com'],
    ['id.example.com', 'https://example.com'],
    ['example.com', 'http://localhost:3001'],
    ['exa mple.com', 'https://id.example.com'],
  ])('COOKIE_DOMAIN=%s with BASE_URL=%s is refused at the start, by name', (domain, baseUrl) => {
    const load = () => loadConfig({ COOKIE_DOMAIN: domain, BASE_URL: baseUrl });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/COOKIE_DOMAIN: .*(expected a domain|is not in)/);
  });

  test.each([
    ['example.com', 'https://example.com'],
    ['example.com', 'https://a.b.example.com:8443'],
    ['.Example.com', 'https://id.example.com'],
    ['family.localhost', 'http://id.family.localhost:3001'],
  ])('COOKIE_DOMAIN=%s with BASE_URL=%s is taken', (domain, baseUrl) => {
    const { cookieDomain } = loadConfig({ COOKIE_DOMAIN: domain, BASE_URL: baseUrl });
    expect(cookieDomain).toBe(domain.replace(/^\./, '').toLowerCase());
  });
});

describe('rule 25: calls that a cookie authenticates cannot be forged', () => {
  test.each([['host', host] as const, ['family', family] as const])(
    'a form of another site, without our token or with another browser’s, does nothing (%s)',
    async (_, at) => {
      const { cookies } = await signInAt(at, await registerPerson(at));
      const foreign = await submitAt(at, '/sign-in', { email: 'nobody@example.com', password: 'x' });
      const foreignSeed = foreign.cookies.find(({ name }) => name === '__Host-obol_csrf')?.value ?? '';
      for (const csrf of ['', 'x'.repeat(43), foreignSeed]) {
        const answer = await fetch(`${at.url}/sign-out`, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie: headerOf(cookies), origin: 'https://evil.example' },
          body: new URLSearchParams({ decision: 'sign-out', csrf }),
        });
        expect(answer.status).toBe(403);
      }
      const stillSignedIn = await at.send('POST', '/api/v1/auth/session-to-token', {
        body: {},
        headers: { cookie: headerOf(cookies) },
      });
      expect(stillSignedIn.status).toBe(200);
    },
  );

  test('the API is not authenticated by a cookie at all: what moves something wants a bearer token', async () => {
    const cookie = headerOf(cookiesOf(await logIn(host, await registerPerson(host))));
    const calls: [string, string, unknown?][] = [
      ['GET', '/api/v1/auth/me'],
      ['POST', '/api/v1/auth/logout'],
      ['DELETE', '/api/v1/auth/sessions'],
      ['GET', '/api/v1/credits/balance'],
      ['POST', '/api/v1/credits/use', { amount: 1, appId: 'chat', description: 'A spend' }],
      ['POST', '/api/v1/auth/change-password', { currentPassword: 'x', newPassword: 'y' }],
    ];
    for (const [method, path, body] of calls) {
      const answer = await host.send(method, path, { headers: { cookie }, ...(body ? { body } : {}) });
      expect([answer.status, answer.body.code], path).toEqual([401, 'auth.required']);
    }
  });
});
