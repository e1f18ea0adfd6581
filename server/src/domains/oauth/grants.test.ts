import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../test/harness/applications.ts';
import { OauthCalls, redirectUri } from '../../../test/harness/oauth-flow.ts';
import {
  expectCallback,
  expectPage,
  newPkce,
  startTestProvider,
  TestBrowser,
} from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
let adminToken: string;

beforeAll(async () => {
  adminToken = (await signIn(service, await registerPerson(service))).accessToken;
});

const register = (given: Record<string, unknown> = {}): Promise<TestApplication> =>
  registerApplication(service, adminToken, { access: 'open', ...given });

const startDevice = async () => {
  const app = await register({
    type: 'native',
    redirectUris: [],
    grantTypes: [deviceGrant, 'refresh_token'],
  });
  const calls = new OauthCalls(service, app);
  const { status, body } = await calls.post('/oauth/device', { scope: 'openid offline_access' });
  expect(status).toBe(200);
  const poll = () => calls.post('/oauth/token', { grant_type: deviceGrant, device_code: body.device_code });
  return { calls, body, poll };
};

describe('device flow', () => {
  test('a person types the code in, agrees, and the device has tokens', async () => {
    const { body, poll, calls } = await startDevice();
    expect(body.verification_uri).toBe(`${service.issuer}/device`);
    expect((await poll()).body.error).toBe('authorization_pending');
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const enter = expectPage(await browser.open(body.verification_uri), 'device-code');
    const unknown = expectPage(await browser.submit(enter, { user_code: 'BBBB-BBBB' }), 'device-code');
    expect(unknown.page.problem).toEqual({ code: 'device.code_unknown', field: 'user_code' });
    const confirm = expectPage(
      await browser.submit(unknown, { user_code: body.user_code.toLowerCase() }),
      'device-confirm',
    );
    expect(confirm.page).toMatchObject({ userCode: body.user_code, application: { name: 'Notes' } });
    const signInPage = expectPage(await browser.submit(confirm, { decision: 'confirm' }), 'sign-in');
    const consent = expectPage(
      await browser.submit(signInPage, { email: person.email, password: person.password }),
      'consent',
    );
    expect(consent.page.application.name).toBe('Notes');
    const done = expectPage(await browser.submit(consent, { decision: 'allow' }), 'device-done');
    expect(done.page.outcome).toBe('connected');
    service.clock.advance({ seconds: 5 });
    const tokens = await poll();
    expect(tokens.status).toBe(200);
    expect(decodeJwt(tokens.body.access_token).sub).toBe(person.id);
    expect((await calls.refresh(tokens.body.refresh_token)).status).toBe(200);
    expect((await poll()).body.error).toBe('invalid_grant');
  });

  test('a link fills the code in, and sends nothing by itself', async () => {
    const { body } = await startDevice();
    const browser = new TestBrowser(service);
    const enter = expectPage(await browser.open(body.verification_uri_complete), 'device-code');
    expect(enter.page.userCode).toBe(body.user_code);
    expectPage(await browser.submit(enter, { user_code: enter.page.userCode }), 'device-confirm');
  });

  test('who asks too soon is told to slow down, and has to', async () => {
    const { poll } = await startDevice();
    await poll();
    service.clock.advance({ seconds: 4 });
    expect((await poll()).body.error).toBe('slow_down');
    service.clock.advance({ seconds: 9 });
    expect((await poll()).body.error).toBe('slow_down');
    service.clock.advance({ seconds: 15 });
    expect((await poll()).body.error).toBe('authorization_pending');
  });

  test("denied, expired, and in somebody else's hands", async () => {
    const { body, poll } = await startDevice();
    const browser = new TestBrowser(service);
    const enter = expectPage(await browser.open('/device'), 'device-code');
    const confirm = expectPage(await browser.submit(enter, { user_code: body.user_code }), 'device-confirm');
    const denied = expectPage(await browser.submit(confirm, { decision: 'deny' }), 'device-done');
    expect(denied.page.outcome).toBe('denied');
    expect((await poll()).body.error).toBe('access_denied');
    const second = await startDevice();
    service.clock.advance({ minutes: 10 });
    expect((await second.poll()).body.error).toBe('expired_token');
    const third = await startDevice();
    const stolen = { grant_type: deviceGrant, device_code: third.body.device_code };
    expect((await second.calls.post('/oauth/token', stolen)).body.error).toBe('invalid_grant');
  });
});

describe('client credentials', () => {
  test('an application gets tokens of its own, for one API', async () => {
    const app = await register({ grantTypes: ['client_credentials'], redirectUris: [] });
    const calls = new OauthCalls(service, app);
    const answer = await calls.post('/oauth/token', {
      grant_type: 'client_credentials',
      scope: 'credits:read',
    });
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer', scope: 'credits:read' } });
    expect(answer.body.refresh_token).toBeUndefined();
    expect(decodeJwt(answer.body.access_token)).toMatchObject({ sub: app.clientId, client_id: app.clientId });
    expect((await calls.introspect(answer.body.access_token)).body).toMatchObject({ active: true });
    expect((await calls.revoke(answer.body.access_token)).status).toBe(200);
    expect((await calls.introspect(answer.body.access_token)).body).toEqual({ active: false });
    const me = await service.send('GET', '/api/v1/users/me', { token: answer.body.access_token });
    expect(me.status).toBe(401);
  });

  test('only with the grant, and the right secret', async () => {
    const app = await register();
    const calls = new OauthCalls(service, app);
    const form = { grant_type: 'client_credentials' };
    expect((await calls.post('/oauth/token', form)).body.error).toBe('invalid_request');
    const wrong = new OauthCalls(service, { ...app, clientSecret: 'wrong' });
    const refused = await wrong.post('/oauth/token', form);
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
  });
});

describe('access tokens', () => {
  test('are at+jwt for this service, or for the API that was asked for', async () => {
    const resource = 'https://api.example.com/';
    await register({ resources: [{ identifier: resource, scopes: ['notes:read'] }] });
    const calls = new OauthCalls(service, await register());
    const own = await calls.obtainTokens({ scope: 'openid credits:read' });
    expect(decodeProtectedHeader(own.tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(decodeJwt(own.tokens.access_token)).toMatchObject({
      iss: service.issuer,
      aud: service.issuer,
      sub: own.person.id,
      client_id: calls.client.clientId,
      scope: 'openid credits:read',
      role: 'editor',
      roles: ['editor'],
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      sid: expect.any(String),
    });
    const { tokens } = await calls.obtainTokens({ scope: 'openid notes:read', resource });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      aud: resource,
      scope: expect.stringContaining('notes:read'),
    });
    const refused = await service.send('GET', '/api/v1/users/me', { token: tokens.access_token });
    expect(refused.status).toBe(401);
  });

  test('an unknown API is invalid_target', async () => {
    const calls = new OauthCalls(service, await register());
    const { challenge } = newPkce();
    const params = {
      resource: 'https://unknown.example',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    };
    const callback = expectCallback(await new TestBrowser(service).open(calls.authorizeUrl(params)));
    expect(callback.searchParams.get('error')).toBe('invalid_target');
    const { code, verifier } = await calls.obtainCode();
    const redeemed = await calls.redeem(code, verifier, { resource: 'https://unknown.example' });
    expect(redeemed.body.error).toBe('invalid_target');
  });

  test('open nothing here that their scope does not name', async () => {
    const calls = new OauthCalls(service, await register());
    const { tokens } = await calls.obtainTokens({
      scope: 'openid profile email offline_access',
      prompt: 'consent',
    });
    const token = tokens.access_token;
    for (const [method, path] of [
      ['GET', '/api/v1/auth/sessions'],
      ['DELETE', '/api/v1/auth/sessions'],
      ['PUT', '/api/v1/users/me'],
      ['POST', '/api/v1/credits/use'],
      ['GET', '/api/v1/users/me/grants'],
      ['POST', '/api/v1/applications'],
    ] as const) {
      const spend = { amount: 1, appId: 'chat', description: 'x', name: 'Notes', redirectUris: [] };
      const { status, body } = await service.send(method, path, {
        token,
        ...(method === 'GET' ? {} : { body: spend }),
      });
      expect([path, status, body.code]).toEqual([path, 403, 'auth.insufficient_scope']);
    }
  });
});

const pushedUrl = (clientId: string, uri: string) =>
  `/authorize?${new URLSearchParams({ client_id: clientId, request_uri: uri }).toString()}`;

describe('pushed authorization requests', () => {
  test('are used once, within a minute, by who pushed them', async () => {
    const app = await register();
    const calls = new OauthCalls(service, app);
    const other = new OauthCalls(service, await register());
    const { challenge, verifier } = newPkce();
    const request = {
      client_id: app.clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    };
    const pushed = await calls.post('/oauth/par', request);
    expect(pushed).toMatchObject({ status: 201, body: { expires_in: 60 } });
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const stolen = await new TestBrowser(service).open(
      pushedUrl(other.client.clientId, pushed.body.request_uri),
    );
    expectPage(stolen, 'error');
    const callback = await calls.passPages(browser, person, pushedUrl(app.clientId, pushed.body.request_uri));
    expect((await calls.redeem(callback.searchParams.get('code') ?? '', verifier)).status).toBe(200);
    expectPage(await browser.open(pushedUrl(app.clientId, pushed.body.request_uri)), 'error');
    const second = await calls.post('/oauth/par', request);
    service.clock.advance({ seconds: 66 });
    expectPage(await browser.open(pushedUrl(app.clientId, second.body.request_uri)), 'error');
    const unregistered = await calls.post('/oauth/par', { ...request, redirect_uri: 'https://evil.example' });
    expect(unregistered).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});
