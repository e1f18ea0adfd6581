import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectCallback, expectPage, newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import type { Person } from '../harness/people.ts';

const service = await startTestProvider();
let calls: OauthCalls;
let person: Person;
let browser: TestBrowser;

type Params = Record<string, string | undefined>;

const pkce = () => ({ code_challenge: newPkce().challenge, code_challenge_method: 'S256' });

beforeAll(async () => {
  calls = new OauthCalls(service, await registerOwnApplication(service));
  ({ person, browser } = await calls.obtainTokens({ scope: 'openid email' }));
});

const ask = (params: Params, by = calls) => browser.open(by.authorizeUrl({ ...pkce(), ...params }));
/** What the application reads when it is refused. */
const refusal = async (params: Params, by = calls): Promise<Record<string, string>> => {
  const callback = expectCallback(await ask(params, by));
  expect(callback.searchParams.has('code')).toBe(false);
  return Object.fromEntries(callback.searchParams);
};
const idTokenOf = async (params: Params) =>
  decodeJwt((await calls.obtainTokens(params, { browser, person })).tokens.id_token);

describe('16. parameters of OpenID Connect', () => {
  test('prompt: none says what would be needed, and stands alone; what is unknown is refused', async () => {
    const fresh = new OauthCalls(service, await registerOwnApplication(service));
    expect((await refusal({ prompt: 'none' }, fresh)).error).toBe('consent_required');
    expect((await refusal({ prompt: 'none login' })).error).toBe('invalid_request');
    expect((await refusal({ prompt: 'dance' })).error).toBe('invalid_request');
    expect(expectCallback(await ask({ prompt: 'none' })).searchParams.has('code')).toBe(true);
    expectPage(await ask({ prompt: 'consent' }), 'consent');
    expectPage(await ask({ prompt: 'login' }), 'sign-in');
    expectPage(await ask({ prompt: 'select_account' }), 'choose-account');
  });

  test('max_age: too long ago is asked again, and auth_time tells when', async () => {
    service.clock.advance({ seconds: 60 });
    const before = await idTokenOf({ max_age: '3600' });
    const now = Math.floor(service.clock.now().getTime() / 1000);
    expect(before['auth_time']).toBeLessThanOrEqual(now - 60);
    expect((await refusal({ max_age: '30', prompt: 'none' })).error).toBe('login_required');
    expect((await refusal({ max_age: 'x' })).error).toBe('invalid_request');
    const again = await idTokenOf({ max_age: '30' });
    expect(again['auth_time']).toBe(now);
  });

  test('login_hint fills in who is expected', async () => {
    const stranger = new TestBrowser(service);
    const url = calls.authorizeUrl({ ...pkce(), login_hint: 'grace@example.com' });
    expect(expectPage(await stranger.open(url), 'sign-in').page.email).toBe('grace@example.com');
  });

  test('id_token_hint: the one who is signed in, or login_required; nonsense is refused', async () => {
    const { tokens: mine } = await calls.obtainTokens({}, { browser, person });
    const { tokens: others } = await calls.obtainTokens();
    const none = { prompt: 'none' };
    const done = expectCallback(await ask({ ...none, id_token_hint: mine.id_token }));
    expect(done.searchParams.has('code')).toBe(true);
    expect((await refusal({ ...none, id_token_hint: others.id_token })).error).toBe('login_required');
    expect((await refusal({ ...none, id_token_hint: 'x.y.z' })).error).toBe('invalid_request');
    expect((await refusal({ ...none, id_token_hint: mine.access_token })).error).toBe('invalid_request');
  });

  test('acr_values are wishes: the token says what was done', async () => {
    const { acr } = await idTokenOf({ acr_values: 'urn:obol:password urn:other' });
    expect(acr).toBe('urn:obol:password');
    await idTokenOf({ acr_values: 'urn:other' });
  });

  test('claims asked for by name come, once agreed to; wishes for others are ignored', async () => {
    const claims = JSON.stringify({ id_token: { email: { essential: true }, nonsense: null } });
    const token = await idTokenOf({ scope: 'openid', claims, prompt: 'consent' });
    expect(token).toMatchObject({ email: person.email });
    expect(token).not.toHaveProperty('nonsense');
    expect((await refusal({ claims: '{"id_token":' })).error).toBe('invalid_request');
    const other = JSON.stringify({ id_token: { sub: { value: 'somebody else' } } });
    expect((await refusal({ claims: other, prompt: 'none' })).error).toBe('login_required');
  });

  test('ui_locales never stand in the way', async () => {
    for (const uiLocales of ['de-CH fr', 'xx', '!!'])
      expect(expectCallback(await ask({ ui_locales: uiLocales })).searchParams.has('code')).toBe(true);
  });
});
