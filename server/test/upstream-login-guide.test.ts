import { parseEnv } from 'node:util';
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { runCurl } from './harness/curl.ts';
import { readGuide } from './harness/guide.ts';
import { startTestProvider, TestBrowser } from './harness/oauth.ts';
import { startStandIn } from './harness/stand-in-provider.ts';
import { comeBack, goToStandIn, signInAtStandIn, tokensOf } from './harness/upstream.ts';

// The settings and the code of the guide, as they stand.

const guide = await readGuide('upstream-login.md');
const pageOrigin = 'http://localhost:3000';
const company = await startStandIn();
const service = await startTestProvider({
  env: {
    CORS_ORIGINS: pageOrigin,
    SOCIAL_COMPANY_ISSUER: company.issuer,
    SOCIAL_COMPANY_CLIENT_ID: 'obol-client',
    SOCIAL_COMPANY_CLIENT_SECRET: 'a secret',
  },
});
const newClaims = () => ({ sub: randomUUID(), email: `${randomUUID()}@example.com`, email_verified: true });

describe('the settings', () => {
  test('set up every provider that the guide names', () => {
    const env = Object.assign({}, ...guide.blocks('ini').map((block) => parseEnv(block)));
    const { identityProviders, trustedIssuers } = loadConfig(env);
    expect(identityProviders.map(({ name, kind, issuer, label }) => [name, kind, issuer, label])).toEqual([
      ['auth0', 'auth0', 'https://family.eu.auth0.com/', 'Auth0'],
      ['apple', 'apple', 'https://appleid.apple.com', 'Apple'],
      ['company', 'oidc', 'https://login.example.com/realms/staff', 'the company'],
      ['github', 'github', 'https://github.com', 'GitHub'],
      ['google', 'oidc', 'https://accounts.google.com', 'Google'],
    ]);
    expect(identityProviders[1]?.apple.privateKey.split('\n')).toHaveLength(3);
    expect(trustedIssuers).toEqual([
      { issuer: 'https://login.example.com/realms/staff', audiences: ['https://api.example.com'] },
      { issuer: 'https://family.eu.auth0.com', audiences: ['https://api.example.com'] },
    ]);
  });

  test('that are missing or wrong are named, all at once', () => {
    const env = {
      SOCIAL_COMPANY_CLIENT_ID: 'x',
      SOCIAL_COMPANY_CLIENT_AUTH: 'guess',
      SOCIAL_APPLE_CLIENT_ID: 'x',
      SOCIAL_AUTH0_CLIENT_ID: 'x',
      SOCIAL_DEFAULT: 'nobody',
      AUTH0_CLIENT_ID: 'x',
      TRUSTED_ISSUERS: 'login.example.com',
    };
    expect(() => loadConfig(env)).toThrow(
      expect.objectContaining({
        problems: expect.arrayContaining([
          'SOCIAL_COMPANY_ISSUER is missing.',
          'SOCIAL_COMPANY_CLIENT_SECRET is missing.',
          'SOCIAL_COMPANY_CLIENT_AUTH: expected basic or post, got "guess".',
          'SOCIAL_APPLE_TEAM_ID is missing.',
          'SOCIAL_APPLE_KEY_ID is missing.',
          'SOCIAL_APPLE_PRIVATE_KEY is missing.',
          'SOCIAL_AUTH0_*: Auth0 is set up by AUTH0_DOMAIN and the like.',
          'SOCIAL_DEFAULT: no provider is called "nobody".',
          'AUTH0_DOMAIN is missing.',
          'AUTH0_CLIENT_SECRET is missing.',
          'TRUSTED_ISSUERS: expected the http(s) address of an issuer, got "login.example.com".',
        ]),
      }),
    );
    const production = { NODE_ENV: 'production', TRUSTED_ISSUERS: 'http://login.example.com' };
    expect(() => loadConfig(production)).toThrow('expected the https address of an issuer');
  });
});

test('a page signs people in, and takes no code that it has not asked for', async () => {
  const [source = ''] = guide.blocks('js');
  const file = await guide.write(
    source.replace("'http://localhost:3001'", `'${service.issuer}'`),
    'page.mjs',
  );
  const stored = new Map<string, string>();
  const location = { href: `${pageOrigin}/inbox`, assign: (url: string) => void (location.href = url) };
  const realFetch = fetch;
  const stubs = {
    location,
    history: { replaceState: (_state: null, _title: string, url: string) => void (location.href = url) },
    sessionStorage: {
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, value: string) => stored.set(name, value),
    },
    fetch: (url: string, init: RequestInit = {}) =>
      realFetch(url, {
        ...init,
        headers: {
          ...(init.headers as Record<string, string>),
          ...(url.includes('session-to-token') ? { origin: pageOrigin } : {}),
        },
      }),
  };
  for (const [name, stub] of Object.entries(stubs)) vi.stubGlobal(name, stub);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { signIn, completeSignIn } = await import(file);

  expect(await completeSignIn()).toBeUndefined();
  const claims = newClaims();
  const goThere = async (): Promise<string> => {
    location.href = `${pageOrigin}/inbox`;
    await signIn('company');
    const browser = new TestBrowser(service);
    const asked = await goToStandIn(browser, company, location.href);
    company.claims = { ...claims, nonce: asked.get('nonce') };
    return (await comeBack(browser, company, asked)).headers.get('location') ?? '';
  };
  location.href = await goThere();
  expect(await completeSignIn()).toMatchObject({ user: { email: claims.email }, tokenType: 'Bearer' });
  expect(location.href).toBe(`${pageOrigin}/inbox`);
  const foreign = await goThere();
  await goThere();
  location.href = foreign;
  await expect(completeSignIn()).rejects.toThrow('auth.code_invalid');
});

test('the commands for connected accounts', async () => {
  const browser = new TestBrowser(service);
  await signInAtStandIn(browser, company, newClaims());
  const { accessToken } = await tokensOf(service, browser);
  const values: Record<string, string> = { ACCESS_TOKEN: accessToken };
  const run = (command: string) =>
    runCurl(
      service.url,
      command.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? ''),
    );
  const [list = '', link = '', unlink = ''] = guide.blocks('bash').join('\n').split('\n');
  const { body } = await run(list);
  expect(body.accounts).toMatchObject([{ provider: 'company' }]);
  values.ACCOUNT_ID = body.accounts[0].id;
  expect(await run(link)).toMatchObject({ status: 200, body: { url: expect.stringContaining('ticket=') } });
  expect(await run(unlink)).toMatchObject({ status: 409, body: { code: 'auth.last_way_in' } });
});
