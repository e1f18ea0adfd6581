import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls, redirectUri } from '../../../test/harness/oauth-flow.ts';
import { newPkce, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const { challenge } = newPkce();
const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
const detail = { type: 'credits_spend', allowance: 5, period: 'month' };
const detailsWith = (more: object) => JSON.stringify([{ ...detail, ...more }]);
let calls: OauthCalls;
let device: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const grantTypes = ['authorization_code', 'client_credentials'];
  calls = new OauthCalls(
    service,
    await registerApplication(service, accessToken, { access: 'open', grantTypes }),
  );
  const type = { type: 'native', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] };
  device = new OauthCalls(service, await registerApplication(service, accessToken, type));
});

const push = (params: Record<string, string>) => {
  const request = { client_id: calls.client.clientId, response_type: 'code', redirect_uri: redirectUri };
  return calls.post('/oauth/par', { ...request, scope: 'openid', ...pkce, ...params });
};
const authorize = async (params: Record<string, string>) =>
  (await new TestBrowser(service).request(calls.authorizeUrl({ ...pkce, ...params }))).status;

describe('what PostgreSQL could not store is refused before it gets there', () => {
  test.each(['nonce', 'login_hint', 'ui_locales', 'acr_values', 'scope'])(
    'a null byte in %s of a device, a pushed and a plain request',
    async (name) => {
      const request = { scope: 'openid', [name]: 'a\0b' };
      const refused = { status: 400, body: { error: 'invalid_request' } };
      expect(await device.post('/oauth/device', request)).toMatchObject(refused);
      expect(await push(request)).toMatchObject(refused);
      expect(await authorize(request)).toBe(400);
    },
  );

  test('a null byte in the API of a token', async () => {
    const form = { grant_type: 'client_credentials', resource: 'https://x.example.com/\0' };
    expect(await calls.post('/oauth/token', form)).toMatchObject({ status: 400 });
  });

  test.each([
    ['a null byte in the name of a claim', { claims: '{"userinfo":{"a\\u0000b":null}}' }],
    ['a null byte in the value of a claim', { claims: '{"userinfo":{"email":{"value":"\\u0000"}}}' }],
    ['half a character in the name of a claim', { claims: '{"id_token":{"\\ud800":null}}' }],
    ['a null byte in a location', { authorization_details: detailsWith({ locations: ['https://x/\0'] }) }],
  ])('%s', async (_what, params) => {
    expect(await authorize(params)).toBe(400);
    expect(await push(params)).toMatchObject({ status: 400 });
  });

  test.each([
    ['no list', 'https://api.example.com'],
    ['an empty list', []],
    ['no addresses', ['somewhere']],
    ['no texts', [{ a: 'https://api.example.com' }]],
    ['a long address', [`https://api.example.com/${'x'.repeat(500)}`]],
    ['many addresses', Array.from({ length: 6 }, (_one, index) => `https://api${index}.example.com`)],
  ])('locations that are %s', async (_what, locations) => {
    const spend = { scope: 'openid credits:spend' };
    const refused = await push({ ...spend, authorization_details: detailsWith({ locations }) });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_authorization_details' } });
    const taken = await push({
      ...spend,
      authorization_details: detailsWith({ locations: ['https://api.example.com'] }),
    });
    expect(taken.status).toBe(201);
  });
});

const sendDeviceForm = (cookie: string) =>
  fetch(`${service.url}/device`, {
    method: 'POST',
    headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', cookie },
    body: 'user_code=BBBB-BBBB',
  });

test('a form of the page for devices that comes without its browser is answered, not failed at', async () => {
  const answer = await sendDeviceForm('');
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('request.csrf')]);
  expect((await sendDeviceForm(`__Host-obol_session=${'x'.repeat(43)}`)).status).toBe(400);
});
