import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../test/harness/applications.ts';
import { expectCallback, expectPage, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const redirectUri = 'https://notes.example.com/callback';
let app: TestApplication;
let config: client.Configuration;

beforeAll(async () => {
  const owner = await registerPerson(service);
  const { accessToken } = await signIn(service, owner);
  app = await registerApplication(service, accessToken, { access: 'open' });
  config = await client.discovery(
    new URL(service.issuer),
    app.clientId,
    undefined,
    client.ClientSecretBasic(app.clientSecret),
    { execute: [client.allowInsecureRequests] },
  );
});

async function authorize(scope: string, more: Record<string, string> = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  });
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } };
}

describe('code flow', () => {
  test('from sign-in over consent to tokens, userinfo, refresh and sign-out', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const { url, checks } = await authorize('openid profile email offline_access', { prompt: 'consent' });
    const signInPage = expectPage(await browser.open(url.href), 'sign-in');
    const consentPage = expectPage(
      await browser.submit(signInPage, { email: person.email, password: person.password }),
      'consent',
    );
    const callback = expectCallback(await browser.submit(consentPage, { decision: 'allow' }));
    expect(callback.searchParams.get('iss')).toBe(service.issuer);
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    expect(tokens.claims()).toMatchObject({ sub: person.id, email: person.email, role: 'editor' });
    const info = await client.fetchUserInfo(config, tokens.access_token, person.id);
    expect(info.email).toBe(person.email);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(await client.tokenIntrospection(config, refreshed.access_token)).toMatchObject({
      active: true,
      sub: person.id,
      client_id: app.clientId,
    });
  });
});
