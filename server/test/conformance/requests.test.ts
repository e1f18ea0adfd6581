import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import type { Answer } from '../harness/index.ts';
import { expectCallback, expectPage, newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls, redirectUri } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import { registerPerson, type Person } from '../harness/people.ts';

const service = await startTestProvider();
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const scope = 'openid offline_access credits:spend';
let app: TestApplication;
let calls: OauthCalls;
let others: OauthCalls;
let person: Person;
let browser: TestBrowser;

beforeAll(async () => {
  const grantTypes = ['authorization_code', 'refresh_token', deviceGrant];
  app = await registerOwnApplication(service, { grantTypes });
  calls = new OauthCalls(service, app);
  others = new OauthCalls(service, await registerOwnApplication(service, { grantTypes }));
  ({ person, browser } = await calls.obtainTokens({ scope, prompt: 'consent' }));
});

const pkce = () => ({ code_challenge: newPkce().challenge, code_challenge_method: 'S256' });

const push = async (by: OauthCalls, form: Record<string, string> = {}): Promise<Answer> =>
  by.post('/oauth/par', {
    client_id: by.client.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    ...pkce(),
    ...form,
  });
const open = (requestUri: string, clientId: string) => {
  const query = new URLSearchParams({ client_id: clientId, request_uri: requestUri });
  return browser.open(`/authorize?${query.toString()}`);
};

describe('11. pushed requests', () => {
  test('one is used once, within a minute, by the application that pushed it', async () => {
    const { status, body } = await push(calls);
    expect([status, body.expires_in]).toEqual([201, 60]);
    expectPage(await open(body.request_uri, others.client.clientId), 'error');
    expect(expectCallback(await open(body.request_uri, app.clientId)).searchParams.has('code')).toBe(true);
    expectPage(await open(body.request_uri, app.clientId), 'error');
    const { body: late } = await push(calls);
    service.clock.advance({ seconds: 61 });
    expectPage(await open(late.request_uri, app.clientId), 'error');
    expectPage(await open('urn:ietf:params:oauth:request_uri:guess', app.clientId), 'error');
  });

  test('what is wrong with one is said at once', async () => {
    for (const [form, error] of [
      [{ redirect_uri: 'https://evil.example/' }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
      [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
    ] as const) {
      const { status, body } = await push(calls, form);
      expect([form, status, body.error]).toEqual([form, 400, error]);
    }
    const nobody = { client_id: app.clientId };
    expect((await calls.post('/oauth/par', nobody, {})).status).toBe(401);
  });
});

type Proof = { htm?: string; htu?: string; iat?: number; ath?: string; jti?: string; typ?: string };

async function createProver() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: ({ typ = 'dpop+jwt', ...claims }: Proof) =>
      new SignJWT({ jti: randomUUID(), iat: Math.floor(service.clock.now().getTime() / 1000), ...claims })
        .setProtectedHeader({ alg: 'ES256', typ, jwk })
        .sign(privateKey),
  };
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

describe('11. DPoP', async () => {
  const [own, stolen] = [await createProver(), await createProver()];
  const tokenUrl = `${service.issuer}/oauth/token`;
  const spendUrl = `${service.issuer}/api/v1/credits/use`;
  const bind = async () => {
    const { code, verifier } = await calls.obtainCode({ scope, prompt: 'consent' }, { person, browser });
    const dpop = await own.prove({ htm: 'POST', htu: tokenUrl });
    return (await calls.redeem(code, verifier, {}, { dpop })).body;
  };
  const spend = (token: string, proof: string | undefined, scheme = 'DPoP') =>
    service.send('POST', '/api/v1/credits/use', {
      headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
      body: { amount: 1, appId: app.clientId, description: 'x' },
    });

  test('at the API: only with a fresh proof for this call, this token and this key; never as plain Bearer', async () => {
    const { access_token: token, token_type: type } = await bind();
    expect(type).toBe('DPoP');
    const { access_token: other } = await bind();
    const right = { htm: 'POST', htu: spendUrl, ath: hashOf(token) };
    const proof = await own.prove(right);
    expect((await spend(token, proof)).body.code).toBe('mandate.required');
    const now = Math.floor(service.clock.now().getTime() / 1000);
    const refused = [
      proof,
      undefined,
      'nonsense',
      await own.prove({ ...right, htm: 'GET' }),
      await own.prove({ ...right, htu: `${service.issuer}/api/v1/credits/balance` }),
      await own.prove({ ...right, htu: 'https://evil.example/api/v1/credits/use' }),
      await own.prove({ ...right, iat: now - 3600 }),
      await own.prove({ ...right, iat: now + 3600 }),
      await own.prove({ ...right, ath: hashOf(other) }),
      await own.prove({ htm: 'POST', htu: spendUrl }),
      await own.prove({ ...right, typ: 'JWT' }),
      await stolen.prove(right),
    ];
    for (const [index, one] of refused.entries())
      expect([index, (await spend(token, one)).status]).toEqual([index, 401]);
    expect((await spend(token, undefined, 'Bearer')).status).toBe(401);
    expect((await spend(token, await own.prove(right), 'Bearer')).status).toBe(401);
    const userinfo = { headers: { authorization: `Bearer ${token}` } };
    expect((await fetch(`${service.url}/userinfo`, userinfo)).status).toBe(401);
  });

  test('at the token endpoint: a proof for it, used once, with the key of the refresh token', async () => {
    const { refresh_token: token } = await bind();
    const right = { htm: 'POST', htu: tokenUrl };
    const used = await own.prove(right);
    const first = await calls.refresh(token, {}, { dpop: used });
    expect([first.status, first.body.token_type]).toEqual([200, 'DPoP']);
    const current = first.body.refresh_token;
    const now = Math.floor(service.clock.now().getTime() / 1000);
    const refused = [
      used,
      await own.prove({ ...right, htm: 'GET' }),
      await own.prove({ ...right, htu: spendUrl }),
      await own.prove({ ...right, iat: now - 3600 }),
      'nonsense',
    ];
    for (const dpop of refused) {
      const { status, body } = await calls.refresh(current, {}, { dpop });
      expect([status, body.error]).toEqual([400, expect.stringMatching(/^invalid_(dpop_proof|grant)$/)]);
    }
    const again = await calls.refresh(current, {}, { dpop: await own.prove(right) });
    expect(again.status).toBe(200);
  });
});

const begin = async (by = calls): Promise<any> => (await by.post('/oauth/device', { scope: 'openid' })).body;
const poll = async (code: string, by = calls): Promise<string> =>
  (await by.post('/oauth/token', { grant_type: deviceGrant, device_code: code })).body.error;

describe('12. devices', () => {
  test('pending, too often, in other hands, too late: each has its word', async () => {
    const { device_code: code, expires_in: ttlSeconds } = await begin();
    expect(await poll(code)).toBe('authorization_pending');
    expect(await poll(code)).toBe('slow_down');
    const { device_code: foreign } = await begin();
    expect(await poll(foreign, others)).toBe('invalid_grant');
    expect(await poll('unknown')).toBe('invalid_grant');
    service.clock.advance({ seconds: ttlSeconds });
    expect(await poll(code)).toBe('expired_token');
  });

  test('the pages name the application and the code; who says no is heard', async () => {
    const { device_code: code, user_code: userCode } = await begin();
    const typed = expectPage(await browser.open('/device'), 'device-code');
    const wrong = expectPage(await browser.submit(typed, { user_code: 'BBBB-BBBB' }), 'device-code');
    expect(wrong.status).toBe(400);
    const confirm = expectPage(await browser.submit(wrong, { user_code: userCode }), 'device-confirm');
    expect(confirm.page).toMatchObject({ application: { name: 'Notes' }, userCode });
    expectPage(await browser.submit(confirm, { decision: 'deny' }), 'device-done');
    expect(await poll(code)).toBe('access_denied');
  });
});

const expectGuarded = (headers: Headers) => {
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(headers.get('content-security-policy')).not.toContain('unsafe-inline');
  expect(headers.get('cache-control')).toContain('no-store');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
};

describe('15. signing out', () => {
  test('ends the session on the server: the cookie, the tokens and silent sign-ins', async () => {
    const who = await registerPerson(service);
    const by = new TestBrowser(service);
    const { tokens } = await calls.obtainTokens({ scope: 'openid' }, { person: who, browser: by });
    const cookies = new Map(by.cookies);
    const query = new URLSearchParams({ id_token_hint: tokens.id_token });
    const page = expectPage(await by.open(`/logout?${query.toString()}`), 'sign-out');
    expectPage(await by.submit(page, { decision: 'sign-out' }), 'signed-out');
    // Whoever has kept the cookie has nothing.
    for (const [name, value] of cookies) by.cookies.set(name, value);
    const silent = expectCallback(await by.open(calls.authorizeUrl({ ...pkce(), prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('login_required');
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  });
});

describe('14. pages', () => {
  test('each is shown in no frame, stored nowhere, and tells nobody where one was', async () => {
    const stranger = new TestBrowser(service);
    const signInPage = expectPage(await stranger.open(calls.authorizeUrl(pkce())), 'sign-in');
    const credentials = { email: person.email, password: person.password };
    const wrong = expectPage(
      await stranger.submit(signInPage, { ...credentials, password: 'wrong' }),
      'sign-in',
    );
    const fresh = new OauthCalls(service, await registerOwnApplication(service));
    const consent = expectPage(await browser.open(fresh.authorizeUrl(pkce())), 'consent');
    const error = expectPage(await browser.open('/authorize?client_id=nobody'), 'error');
    const device = expectPage(await browser.open('/device'), 'device-code');
    const signOut = expectPage(await browser.open('/logout'), 'sign-out');
    for (const { headers } of [signInPage, wrong, consent, error, device, signOut]) expectGuarded(headers);
  });

  test('a form is answered by 303, and by nothing without the token of this browser', async () => {
    const fresh = new OauthCalls(service, await registerOwnApplication(service));
    const consent = expectPage(await browser.open(fresh.authorizeUrl(pkce())), 'consent');
    const { action, hidden } = consent.page.form;
    const send = (by: TestBrowser, fields: Record<string, string>) =>
      by.request(action, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      });
    for (const [by, fields] of [
      [browser, { decision: 'allow' }],
      [browser, { ...hidden, csrf: 'x'.repeat(43), decision: 'allow' }],
      [new TestBrowser(service), { ...hidden, decision: 'allow' }],
    ] as const)
      expect((await send(by, fields)).status).toBe(403);
    const { status, headers } = await send(browser, { ...hidden, decision: 'allow' });
    expect([status, headers.get('location')]).toEqual([303, expect.stringMatching(/\/authorize\/[\w-]+$/)]);
  });

  test('no address of somebody else is taken to go on at', async () => {
    for (const next of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      '/%0d/x',
    ]) {
      const who = await registerPerson(service);
      const by = new TestBrowser(service);
      const page = expectPage(
        await by.open(`/sign-in?${new URLSearchParams({ next }).toString()}`),
        'sign-in',
      );
      const shown = await by.submit(page, { email: who.email, password: who.password });
      expect(shown).not.toBeInstanceOf(URL);
    }
    for (const path of ['/logout', '/v2/logout']) {
      const query = new URLSearchParams({
        client_id: app.clientId,
        post_logout_redirect_uri: 'https://evil.example/',
        returnTo: 'https://evil.example/',
      });
      expectPage(await browser.open(`${path}?${query.toString()}`), 'error');
    }
  });
});
