import { generateKeyPair, exportJWK, SignJWT, decodeJwt } from 'jose';
import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../test/harness/applications.ts';
import { OauthCalls, redirectUri } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
let adminToken: string;

beforeAll(async () => {
  adminToken = (await signIn(service, await registerPerson(service))).accessToken;
});

const register = (given: Record<string, unknown> = {}): Promise<TestApplication> =>
  registerApplication(service, adminToken, { access: 'open', ...given });
const discover = (app: TestApplication, auth = client.ClientSecretBasic(app.clientSecret), metadata = {}) =>
  client.discovery(new URL(service.issuer), app.clientId, metadata, auth, {
    execute: [client.allowInsecureRequests],
  });

describe('private_key_jwt', () => {
  test('checks audience, expiry and replay', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'k1' }] };
    const app = await register({
      tokenEndpointAuthMethod: 'private_key_jwt',
      jwks,
      grantTypes: ['client_credentials'],
      redirectUris: [],
    });
    const calls = new OauthCalls(service, { clientId: app.clientId });
    const assertion = (claims: Record<string, unknown> = {}) => {
      const now = Math.floor(service.clock.now().getTime() / 1000);
      const all = {
        iss: app.clientId,
        sub: app.clientId,
        aud: service.issuer,
        jti: crypto.randomUUID(),
        iat: now,
        exp: now + 60,
        ...claims,
      };
      return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
    };
    const ask = (client_assertion: string) =>
      calls.post('/oauth/token', {
        grant_type: 'client_credentials',
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
    const good = await assertion();
    expect((await ask(good)).status).toBe(200);
    expect(await ask(good)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const once = await assertion();
    const racing = await Promise.all(Array.from({ length: 5 }, () => ask(once)));
    expect(racing.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const claims of [{ aud: 'https://other.example' }, { exp: 1 }, { jti: undefined }]) {
      expect((await ask(await assertion(claims))).status).toBe(401);
    }
  });
});

describe('DPoP', () => {
  test('binds tokens to a key, from the code to the API', async () => {
    const app = await register({ dpopBound: true });
    const config = await discover(app);
    const keys = await client.randomDPoPKeyPair('ES256', { extractable: true });
    const DPoP = client.getDPoPHandle(config, keys);
    const calls = new OauthCalls(service, app);
    const { code, verifier, person } = await calls.obtainCode({ scope: 'openid email credits:spend' });
    expect((await calls.redeem(code, verifier)).body.error).toBe('invalid_grant');
    const callback = new URL(
      `${redirectUri}?${new URLSearchParams({ code, state: 'a state', iss: service.issuer }).toString()}`,
    );
    const checks = { pkceCodeVerifier: verifier, expectedState: 'a state' };
    const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(decodeJwt(tokens.access_token)).toHaveProperty('cnf.jkt');
    expect((await client.fetchUserInfo(config, tokens.access_token, person.id, { DPoP })).email).toBe(
      person.email,
    );
    await expect(client.fetchUserInfo(config, tokens.access_token, person.id)).rejects.toThrow();
    const url = new URL(`${service.issuer}/api/v1/credits/mandates`);
    const answered = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      url,
      'GET',
      null,
      undefined,
      { DPoP },
    );
    expect(answered.status).toBe(200);
    const plain = await service.send('GET', '/api/v1/credits/mandates', { token: tokens.access_token });
    expect([plain.status, plain.body.code]).toEqual([401, 'auth.token_invalid']);
  });
});
