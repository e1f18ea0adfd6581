import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { expectPage, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  accountsOf,
  comeBack,
  companyEnv,
  eventsOf,
  goToStandIn,
  isSignedIn,
  locationOf,
  newClaims,
  signInAtStandIn,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const company = await startStandIn();
const service = await startTestProvider({ env: { ...companyEnv(company) } });

const newBrowser = () => new TestBrowser(service);
const newSub = () => `person-${randomUUID()}`;
const newEmail = () => `${randomUUID()}@example.com`;
const start = '/sign-in/with/company';

describe('a first sign-in', () => {
  test('makes a person with a wallet; the next one finds them by subject, whatever their address is', async () => {
    const claims = newClaims();
    const browser = newBrowser();
    const response = await signInAtStandIn(browser, company, claims);
    expect([response.status, locationOf(response)]).toEqual([303, '/sign-in?done']);
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user).toMatchObject({ email: claims.email, emailVerified: true, name: 'Ada', credits: 150 });
    expect(await accountsOf(service, accessToken)).toMatchObject([
      { provider: 'company', issuer: company.issuer, email: claims.email },
    ]);
    expect(await eventsOf(service, accessToken)).toEqual(
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
    company.claims = { ...company.claims, ...newClaims() };
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
    const claims = newClaims();
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
