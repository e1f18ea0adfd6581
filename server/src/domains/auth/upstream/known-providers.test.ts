import { randomUUID } from 'node:crypto';
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  accountsOf,
  comeBack,
  goToStandIn,
  isSignedIn,
  locationOf,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const [github, apple] = [await startStandIn(), await startStandIn('app.obol')];
const appleKey = await generateKeyPair('ES256', { extractable: true });
const service = await startTestProvider({
  env: {
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

const signInAtGithub = async (browser: TestBrowser): Promise<Response> => {
  const asked = await goToStandIn(browser, github, '/sign-in/with/github');
  expect(asked.get('scope')).toBe('read:user user:email');
  return comeBack(browser, github, asked, { iss: undefined });
};

describe('GitHub', () => {
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
    expect(await accountsOf(service, accessToken)).toMatchObject([
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
