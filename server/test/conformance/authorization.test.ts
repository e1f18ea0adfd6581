import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import { expectCallback, expectPage, newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls, redirectUri } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import { type Person } from '../harness/people.ts';

const service = await startTestProvider();
let app: TestApplication;
let calls: OauthCalls;
/** Somebody who is signed in and has agreed already: what goes wrong is the request's fault. */
let person: Person;
let browser: TestBrowser;

type Params = Record<string, string | undefined>;

const pkce = () => ({ code_challenge: newPkce().challenge, code_challenge_method: 'S256' });

beforeAll(async () => {
  app = await registerOwnApplication(service);
  calls = new OauthCalls(service, app);
  ({ person, browser } = await calls.obtainTokens({ scope: 'openid email' }));
});

const ask = (params: Params, by = calls) => browser.open(by.authorizeUrl({ ...pkce(), ...params }));
/** What the application reads when it is refused. */
const refusal = async (params: Params, by = calls): Promise<Record<string, string>> => {
  const callback = expectCallback(await ask(params, by));
  expect(callback.searchParams.has('code')).toBe(false);
  return Object.fromEntries(callback.searchParams);
};

describe('1. redirect_uri', () => {
  test.each([
    ['another path', 'https://notes.example.com/callback2'],
    ['a slash more', `${redirectUri}/`],
    ['a query', `${redirectUri}?x=1`],
    ['a bare question mark', `${redirectUri}?`],
    ['a fragment', `${redirectUri}#x`],
    ['another case', 'https://notes.example.com/Callback'],
    ['another case of the host', 'https://NOTES.example.com/callback'],
    ['a way up', 'https://notes.example.com/x/../callback'],
    ['percent encoding', 'https://notes.example.com/%63allback'],
    ['a port', 'https://notes.example.com:443/callback'],
    ['another host', 'https://evil.example/callback'],
    ['a longer host', 'https://notes.example.com.evil.example/callback'],
    ['a name before the host', 'https://notes.example.com@evil.example/callback'],
    ['no encryption', 'http://notes.example.com/callback'],
    ['no scheme', '//notes.example.com/callback'],
    ['a script', 'javascript:alert(1)'],
    ['nothing', ''],
    ['no parameter', undefined],
  ])('%s shows an error page and redirects nowhere', async (_what, given) => {
    const shown = expectPage(await ask({ redirect_uri: given }), 'error');
    expect(shown.status).toBe(400);
    expect(shown.page.links).toEqual([]);
  });

  test('two of them, an unknown application and none show an error page, too', async () => {
    const twice = `${calls.authorizeUrl(pkce())}&redirect_uri=${encodeURIComponent('https://evil.example/')}`;
    expectPage(await browser.open(twice), 'error');
    for (const clientId of ['nobody', '', undefined, '\u{1f600}'])
      expectPage(await ask({ client_id: clientId, redirect_uri: 'https://evil.example/' }), 'error');
  });

  test('an installed app may listen on any loopback port; a web application may not', async () => {
    const redirectUris = ['http://127.0.0.1/cb', 'com.example.notes:/cb'];
    const native = new OauthCalls(service, {
      ...(await registerOwnApplication(service, { type: 'native', redirectUri: undefined, redirectUris })),
      redirectUri: 'http://127.0.0.1:51234/cb',
    });
    const { code, verifier } = await native.obtainCode({}, { browser, person });
    expect((await native.redeem(code, verifier)).status).toBe(200);
    for (const other of ['http://127.0.0.1:51234/cb2', 'http://127.0.0.2:51234/cb', 'http://[::1]:51234/cb'])
      expectPage(await ask({ redirect_uri: other }, native), 'error');
    // Any app may claim the scheme, so the person is asked each time. @see RFC 8252 §8.6
    const consent = expectPage(await ask({ redirect_uri: 'com.example.notes:/cb' }, native), 'consent');
    const own = expectCallback(await browser.submit(consent, { decision: 'allow' }));
    expect([own.protocol, own.searchParams.has('code')]).toEqual(['com.example.notes:', true]);

    const given = { redirectUri: undefined, redirectUris: ['http://localhost:3000/cb'] };
    const web = new OauthCalls(service, await registerOwnApplication(service, given));
    expectPage(await ask({ redirect_uri: 'http://localhost:3001/cb' }, web), 'error');
    expectPage(await ask({ redirect_uri: 'http://localhost/cb' }, web), 'error');
  });
});

describe('2. PKCE', () => {
  test.each<[string, Params]>([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
    ['no method, which means plain', { code_challenge_method: undefined }],
    ['an unknown method', { code_challenge_method: 'S512' }],
    ['the method in another case', { code_challenge_method: 's256' }],
    ['a method without a challenge', { code_challenge: undefined }],
    ['a short challenge', { code_challenge: 'short' }],
    ['a challenge of other letters', { code_challenge: '!'.repeat(43) }],
  ])('%s is refused', async (_what, params) => {
    expect(await refusal(params)).toMatchObject({ error: 'invalid_request', iss: service.issuer });
  });

  test('a missing and a wrong verifier are refused', async () => {
    const { code, verifier } = await calls.obtainCode({}, { browser, person });
    for (const wrong of [undefined, '', newPkce().verifier, verifier.slice(1), 'short', '!'.repeat(43)]) {
      const { status, body } = await calls.redeem(code, wrong);
      expect([wrong, status]).toEqual([wrong, 400]);
      expect(['invalid_grant', 'invalid_request']).toContain(body.error);
    }
    expect((await calls.redeem(code, verifier)).status).toBe(200);
  });

  test('an application with a secret may be exempted by its owner, if it sends a nonce', async () => {
    const exempt = new OauthCalls(service, await registerOwnApplication(service, { pkceRequired: false }));
    const none = { code_challenge: undefined, code_challenge_method: undefined };
    expect((await refusal(none, exempt)).error).toBe('invalid_request');
    const nonce = 'n-0S6_WzA2Mj';
    const { code } = await exempt.obtainCode({ ...none, nonce }, { browser, person });
    const { code: second } = await exempt.obtainCode({ ...none, nonce }, { browser, person });
    // A verifier where there was no challenge is somebody who stripped it. @see RFC 9700 §2.1.1
    expect((await exempt.redeem(code, newPkce().verifier)).body.error).toBe('invalid_grant');
    const { status, body } = await exempt.redeem(second, undefined);
    expect([status, decodeJwt(body.id_token)['nonce']]).toEqual([200, nonce]);
  });
});

describe('4. grants', () => {
  test.each(['token', 'id_token', 'code id_token', 'code token', 'id_token token', 'none', 'x'])(
    'response_type=%s is refused',
    async (responseType) => {
      const callback = expectCallback(await ask({ response_type: responseType, nonce: 'x' }));
      const answer = new URLSearchParams(`${callback.search.slice(1)}&${callback.hash.slice(1)}`);
      expect(answer.get('error')).toMatch(/^(unsupported_response_type|unauthorized_client)$/);
      expect([answer.has('access_token'), answer.has('id_token'), answer.has('code')]).not.toContain(true);
    },
  );

  test('there is no password grant, and none that is unknown', async () => {
    const { email: username, password } = person;
    for (const grantType of ['password', 'implicit', 'x', ''])
      expect(
        (await calls.post('/oauth/token', { grant_type: grantType, username, password })).body.error,
      ).toMatch(/^(unsupported_grant_type|invalid_request)$/);
    expect((await calls.post('/oauth/token', {})).body.error).toBe('invalid_request');
  });

  test('an application has the grants that its owner has chosen', async () => {
    const codeOnly = new OauthCalls(
      service,
      await registerOwnApplication(service, { grantTypes: ['authorization_code'] }),
    );
    const { tokens } = await codeOnly.obtainTokens({ scope: 'openid offline_access', prompt: 'consent' });
    expect(tokens.refresh_token).toBeUndefined();
    for (const grantType of [
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ]) {
      const form = { grant_type: grantType, refresh_token: 'x', device_code: 'x' };
      const { body } = await codeOnly.post('/oauth/token', form);
      // The library's word for it; what counts is that the grant is not tried.
      expect([grantType, body.error, body.error_description]).toEqual([
        grantType,
        'invalid_request',
        'requested grant type is not allowed for this client',
      ]);
    }
    const device = await codeOnly.post('/oauth/device', { scope: 'openid' });
    expect(device).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('the token endpoint takes a form, once each parameter, and is never stored', async () => {
    const { code, verifier } = await calls.obtainCode({}, { browser, person });
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    const send = (body: string, type: string) =>
      fetch(`${service.url}/oauth/token`, {
        method: 'POST',
        headers: { ...calls.credentials(), 'content-type': type },
        body,
      });
    const asForm = new URLSearchParams(form).toString();
    for (const [body, type] of [
      [JSON.stringify(form), 'application/json'],
      [asForm, 'text/plain'],
      [`${asForm}&code=${code}`, 'application/x-www-form-urlencoded'],
    ] as const) {
      const response = await send(body, type);
      expect([type, response.status, (await response.json()) as object]).toMatchObject([
        type,
        400,
        { error: 'invalid_request' },
      ]);
    }
    expect((await fetch(`${service.url}/oauth/token?${asForm}`)).status).toBe(405);
    const { status, headers } = await calls.redeem(code, verifier);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  });
});

describe('5. issuer and metadata', () => {
  test('iss is in every answer, refusals included', async () => {
    const done = expectCallback(await ask({}));
    expect(Object.fromEntries(done.searchParams)).toMatchObject({ iss: service.issuer, state: 'a state' });
    const refused: [Params, string][] = [
      [{ prompt: 'none', max_age: '-1' }, 'invalid_request'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
      [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
      [{ request: 'x' }, 'request_not_supported'],
      [{ request_uri: 'https://notes.example.com/request' }, 'request_uri_not_supported'],
      [{ registration: '{}' }, 'registration_not_supported'],
    ];
    for (const [params, error] of refused) {
      const shown = await ask(params);
      const answer = shown instanceof URL ? Object.fromEntries(shown.searchParams) : shown.page;
      if (shown instanceof URL)
        expect(answer).toMatchObject({ error, iss: service.issuer, state: 'a state' });
      else expect(answer).toMatchObject({ name: 'error', status: 400 });
    }
    const stranger = new TestBrowser(service);
    const none = expectCallback(await stranger.open(calls.authorizeUrl({ ...pkce(), prompt: 'none' })));
    expect(Object.fromEntries(none.searchParams)).toMatchObject({
      error: 'login_required',
      iss: service.issuer,
    });
  });

  test('both documents agree, say no more than is so, and every endpoint answers', async () => {
    const read = async (name: string): Promise<Record<string, unknown>> =>
      (await fetch(`${service.url}/.well-known/${name}`)).json() as Promise<Record<string, unknown>>;
    const metadata = await read('openid-configuration');
    expect(await read('oauth-authorization-server')).toEqual(metadata);
    expect(metadata).toMatchObject({
      issuer: service.issuer,
      authorization_endpoint: `${service.issuer}/authorize`,
      token_endpoint: `${service.issuer}/oauth/token`,
      jwks_uri: `${service.issuer}/.well-known/jwks.json`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ['public'],
    });
    for (const grant of ['implicit', 'password'])
      expect(metadata['grant_types_supported']).not.toContain(grant);
    const endpoints = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri)$/.test(name));
    expect(endpoints.length).toBeGreaterThan(8);
    for (const [name, address] of endpoints) {
      const isRead = /authorization_endpoint|jwks_uri|userinfo|end_session/.test(name);
      const isPushed = /pushed|device/.test(name);
      const method = isRead && !isPushed ? 'GET' : 'POST';
      const { status } = await fetch(String(address), { method, redirect: 'manual' });
      expect([name, status]).not.toEqual([name, 404]);
      expect([name, status < 500 && status !== 405]).toEqual([name, true]);
    }
  });
});
