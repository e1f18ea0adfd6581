import { decodeProtectedHeader, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestApplication } from '../harness/applications.ts';
import { expectCallback, expectPage, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { configureClient, letPersonAgree, registerOwnApplication } from '../harness/openid.ts';
import { registerPerson } from '../harness/people.ts';

// A certified client, told nothing but the issuer, its id and its secret.

const service = await startTestProvider();
const home = 'https://notes.example.com/bye';
let app: TestApplication;
let config: client.Configuration;

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const scope = 'openid profile email offline_access';
const asked = { scope, prompt: 'consent' };

beforeAll(async () => {
  app = await registerOwnApplication(service, {
    postLogoutRedirectUris: [home],
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
  });
  config = await configureClient(service, app);
});

const obtainTokens = async (params: Record<string, string> = asked) => {
  const granted = await letPersonAgree(service, config, params);
  const tokens = await client.authorizationCodeGrant(config, granted.callback, granted.checks);
  return { ...granted, tokens };
};
const refusalOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(client.ResponseBodyError);
  return (error as client.ResponseBodyError).error;
};

describe('openid-client', () => {
  test('code and PKCE: signed in, with claims of the scopes that were agreed to', async () => {
    const { tokens, person } = await obtainTokens();
    expect(tokens).toMatchObject({ token_type: 'bearer', scope, expires_in: 900 });
    expect(tokens.claims()).toMatchObject({
      iss: service.issuer,
      sub: person.id,
      aud: app.clientId,
      email: person.email,
      role: 'editor',
    });
    const info = await client.fetchUserInfo(config, tokens.access_token, person.id);
    expect(info).toMatchObject({ sub: person.id, email: person.email, email_verified: false });
  });

  test('refresh, introspection and revocation', async () => {
    const { tokens, person } = await obtainTokens();
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe(person.id);
    const seen = await client.tokenIntrospection(config, refreshed.access_token);
    expect(seen).toMatchObject({ active: true, sub: person.id, client_id: app.clientId, scope });
    await client.tokenRevocation(config, refreshed.refresh_token ?? '');
    expect(await client.tokenIntrospection(config, refreshed.access_token)).toEqual({ active: false });
    const again = client.refreshTokenGrant(config, refreshed.refresh_token ?? '');
    expect(await refusalOf(again)).toBe('invalid_grant');
  });

  test('a pushed authorization request', async () => {
    const granted = await letPersonAgree(service, config, asked, {}, (params) =>
      client.buildAuthorizationUrlWithPAR(config, params),
    );
    const tokens = await client.authorizationCodeGrant(config, granted.callback, granted.checks);
    expect(tokens.claims()?.sub).toBe(granted.person.id);
  });

  test('tokens bound to a key by DPoP, from the code over userinfo to the refresh', async () => {
    const DPoP = client.getDPoPHandle(config, await generateKeyPair('ES256'));
    const { callback, checks, person } = await letPersonAgree(service, config, asked);
    const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    const info = await client.fetchUserInfo(config, tokens.access_token, person.id, { DPoP });
    expect(info.sub).toBe(person.id);
    const seen = await client.tokenIntrospection(config, tokens.access_token);
    expect(seen).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: expect.any(String) } });
    const refresh = tokens.refresh_token ?? '';
    const refreshed = await client.refreshTokenGrant(config, refresh, undefined, { DPoP });
    expect(refreshed.token_type).toBe('dpop');
  });

  test('a device: a person types its code in elsewhere, agrees, and the device has its tokens', async () => {
    const person = await registerPerson(service);
    const started = await client.initiateDeviceAuthorization(config, { scope });
    expect(started.verification_uri).toBe(`${service.issuer}/device`);
    const browser = new TestBrowser(service);
    const typed = expectPage(await browser.open(started.verification_uri_complete ?? ''), 'device-code');
    expect(typed.page.userCode).toBe(started.user_code);
    const confirm = expectPage(
      await browser.submit(typed, { user_code: started.user_code }),
      'device-confirm',
    );
    expect(confirm.page.application.name).toBe('Notes');
    let shown = await browser.submit(confirm, { decision: 'confirm' });
    shown = await browser.submit(expectPage(shown, 'sign-in'), {
      email: person.email,
      password: person.password,
    });
    shown = await browser.submit(expectPage(shown, 'consent'), { decision: 'allow' });
    expect(expectPage(shown, 'device-done').page.outcome).toBe('connected');
    const tokens = await client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0 });
    expect(tokens.claims()?.sub).toBe(person.id);
    expect((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).claims()?.sub).toBe(
      person.id,
    );
  });

  test('an application for itself', async () => {
    const tokens = await client.clientCredentialsGrant(config);
    expect(tokens.refresh_token).toBeUndefined();
    const seen = await client.tokenIntrospection(config, tokens.access_token);
    expect(seen).toMatchObject({ active: true, client_id: app.clientId });
  });

  test('signing out: back where the application wants the person, and its tokens are dead', async () => {
    const { tokens, browser } = await obtainTokens({ scope: 'openid' });
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: home,
      state: 'bye',
    });
    const page = expectPage(await browser.open(url.href), 'sign-out');
    const left = expectCallback(await browser.submit(page, { decision: 'sign-out' }));
    expect(left.href).toBe(`${home}?state=bye`);
    expect(await client.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
  });

  test('a public application: PKCE in place of a secret', async () => {
    const open = await registerOwnApplication(service, { type: 'public' });
    expect(open.clientSecret ?? null).toBeNull();
    const publicConfig = await configureClient(service, { clientId: open.clientId });
    const { callback, checks, person } = await letPersonAgree(service, publicConfig, asked);
    const tokens = await client.authorizationCodeGrant(publicConfig, callback, checks);
    expect(tokens.claims()?.sub).toBe(person.id);
    const refreshed = await client.refreshTokenGrant(publicConfig, tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe(person.id);
    await client.tokenRevocation(publicConfig, refreshed.refresh_token ?? '');
  });

  test.each(['RS256', 'ES256', 'EdDSA'])('ID tokens signed with %s', async (idTokenAlgorithm) => {
    const given = await registerOwnApplication(service, { idTokenAlgorithm });
    const known = await client.discovery(
      new URL(service.issuer),
      given.clientId,
      { id_token_signed_response_alg: idTokenAlgorithm },
      client.ClientSecretPost(given.clientSecret),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    );
    const { callback, checks, person } = await letPersonAgree(service, known, { scope: 'openid' });
    const tokens = await client.authorizationCodeGrant(known, callback, checks);
    expect(decodeProtectedHeader(tokens.id_token ?? '').alg).toBe(idTokenAlgorithm);
    expect(tokens.claims()?.sub).toBe(person.id);
  });

  test('a person who says no: the client reads why, with the issuer', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const url = client.buildAuthorizationUrl(config, {
      scope: 'openid',
      redirect_uri: 'https://notes.example.com/callback',
      state: 'a state',
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const page = expectPage(await browser.open(url.href), 'sign-in');
    const consent = expectPage(
      await browser.submit(page, { email: person.email, password: person.password }),
      'consent',
    );
    const callback = expectCallback(await browser.submit(consent, { decision: 'deny' }));
    const refused = client.authorizationCodeGrant(config, callback, { expectedState: 'a state' });
    const error = await refused.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(client.AuthorizationResponseError);
    expect((error as client.AuthorizationResponseError).error).toBe('access_denied');
  });
});
