import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { findFreePort, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  asOwner,
  comeBack,
  companyEnv,
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
const now = () => Math.floor(service.clock.now().getTime() / 1000);

const refusalOf = async (response: Response) => {
  expect(response.status).toBe(400);
  return ((await response.json()) as { code: string }).code;
};

describe('what does not hold is refused', () => {
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
    company.claims = { ...newClaims(email), nonce: asked.get('nonce'), ...wrong() };
    const response = await comeBack(browser, company, asked);
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_refused');
    expect(isSignedIn(browser)).toBe(false);
    // Nobody was made: the address is free.
    await registerPerson(service, { email });
  });

  test('an ID token signed with a key that the issuer does not publish', async () => {
    const browser = newBrowser();
    const asked = await goToStandIn(browser, company, start);
    company.claims = { ...newClaims(), nonce: asked.get('nonce') };
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
    company.claims = newClaims();
    const asked = await goToStandIn(browser, company, start);
    const response = await comeBack(browser, company, asked, fields);
    expect(locationOf(response)).toBe(`/sign-in?error=${code}`);
    expect(isSignedIn(browser)).toBe(false);
  });

  test('a state that is wrong, used, late, of another browser or for another provider', async () => {
    company.claims = newClaims();
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
    elsewhere.set('redirect_uri', `${service.issuer}/api/v1/auth/social/other/callback`);
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
    const claims = newClaims();
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
        ...companyEnv(company),
        SOCIAL_COMPANY_ISSUER: `http://localhost:${port}`,
      },
    });
    const { status, body } = await lonely.send('GET', '/api/v1/auth/social/company');
    expect([status, body.code]).toEqual([503, 'auth.upstream_unavailable']);
  });
});
