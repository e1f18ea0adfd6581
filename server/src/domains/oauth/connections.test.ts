import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { newPkce, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

/**
 * Far fewer connections than requests: one that held a connection and waited for another would stop them
 * all.
 */
const service = await startTestProvider({ env: { DATABASE_POOL_MAX: '3' } });
const requests = Array.from({ length: 40 });
const resource = 'https://api.example.com';
const { challenge } = newPkce();
let calls: OauthCalls;
let api: OauthCalls;
let authorizeUrl: string;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const register = async (given: Record<string, unknown>) =>
    new OauthCalls(service, await registerApplication(service, accessToken, given));
  calls = await register({ access: 'open' });
  api = await register({ redirectUris: [], grantTypes: ['client_credentials'], resources: [resource] });
  authorizeUrl = calls.authorizeUrl({ code_challenge: challenge, code_challenge_method: 'S256' });
});

const askAtOnce = async (ask: () => Promise<{ status: number }>) =>
  new Set(await Promise.all(requests.map(async () => (await ask()).status)));

const askAsStranger = () => {
  const cookie = `__Host-obol_session=${randomBytes(32).toString('base64url')}`;
  return fetch(`${service.url}${authorizeUrl}`, { redirect: 'manual', headers: { cookie } });
};

test('requests to /authorize from browsers that nobody knows all answer', async () => {
  expect(await askAtOnce(askAsStranger)).toEqual(new Set([303]));
});

test('requests to /authorize of somebody who is signed in all answer', async () => {
  const { browser } = await calls.obtainTokens();
  const cookies = [...browser.cookies];
  const ask = () => {
    const other = new TestBrowser(service);
    for (const [name, cookie] of cookies) other.cookies.set(name, cookie);
    return other.request(authorizeUrl);
  };
  expect(await askAtOnce(ask)).toEqual(new Set([303]));
});

test('requests to /userinfo all answer', async () => {
  const { tokens } = await calls.obtainTokens();
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  expect(await askAtOnce(() => fetch(`${service.url}/userinfo`, { headers }))).toEqual(new Set([200]));
});

test('requests to /oauth/introspect of an API all answer', async () => {
  const { tokens } = await calls.obtainTokens({ resource });
  expect(await askAtOnce(() => api.introspect(tokens.access_token))).toEqual(new Set([200]));
  expect((await api.introspect(tokens.access_token)).body.active).toBe(true);
});
