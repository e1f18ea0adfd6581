import * as oauth from 'oauth4webapi';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { expectCallback, newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { registerPerson, signIn } from '../harness/people.ts';

const service = await startTestProvider();
const metadataUrl = `${service.issuer}/.well-known/oauth-protected-resource`;
const insecure = { [oauth.allowInsecureRequests]: true };
let app: TestApplication;
let calls: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  app = await registerApplication(service, accessToken, { access: 'open' });
  calls = new OauthCalls(service, app);
});

const challengeOf = async (path: string, token?: string, method = 'GET', body?: unknown): Promise<string> => {
  const given = { ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { body }) };
  const { headers } = await service.send(method, path, given);
  return headers.get('www-authenticate') ?? '';
};
const spend = { amount: 1, appId: 'x', description: 'x' };

describe('17. metadata of the API as a protected resource', () => {
  test.each(['', '/api', '/api/v1', '/api/v1/credits/balance'])(
    'a strict client reads it for "%s" and finds the issuer',
    async (path) => {
      const resource = new URL(`${service.issuer}${path}`);
      const response = await oauth.resourceDiscoveryRequest(resource, insecure);
      const metadata = await oauth.processResourceDiscoveryResponse(resource, response);
      expect(metadata).toMatchObject({
        authorization_servers: [service.issuer],
        scopes_supported: ['credits:read', 'credits:spend'],
        bearer_methods_supported: ['header'],
      });
      const issuer = new URL(metadata.authorization_servers?.[0] ?? '');
      const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
      const server = await oauth.processDiscoveryResponse(issuer, discovered);
      expect(server.jwks_uri).toBe(metadata.jwks_uri);
    },
  );

  test.each(['/apis', '/oauth/token', '/api/../admin', '/api/%2e%2e/x', '/api/v1/"x"', '/api//x'])(
    'nothing is said of "%s", which is no address of the API',
    async (path) => {
      expect((await fetch(`${metadataUrl}${path}`)).status).toBe(404);
    },
  );

  test('any page may read it, without cookies', async () => {
    const response = await fetch(metadataUrl, { headers: { origin: 'https://elsewhere.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('a token for any of its addresses opens the API; another origin is an invalid target', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    for (const resource of [`${service.issuer}/`, `${service.issuer}/api/v1`]) {
      const params = { scope: 'openid credits:read credits:spend', resource };
      const { tokens } = await calls.obtainTokens(params, { person, browser });
      const body = { ...spend, appId: app.clientId };
      const answer = await service.send('POST', '/api/v1/credits/use', { token: tokens.access_token, body });
      // The token is taken; that there is no mandate is another matter.
      expect(answer).toMatchObject({ status: 403, body: { code: 'mandate.required' } });
    }
    const pkce = { code_challenge: newPkce().challenge, code_challenge_method: 'S256' };
    for (const resource of [
      `${service.issuer}.evil.example`,
      `${service.issuer}/apis`,
      'https://evil.example',
    ]) {
      const callback = expectCallback(await browser.open(calls.authorizeUrl({ ...pkce, resource })));
      expect(callback.searchParams.get('error')).toBe('invalid_target');
    }
  });
});

describe('17. challenges of the API', () => {
  const metadata = `resource_metadata="${metadataUrl}"`;

  test('401 leads to the metadata, and names the scope where one is needed', async () => {
    expect(await challengeOf('/api/v1/users/me')).toBe(`Bearer ${metadata}`);
    expect(await challengeOf('/api/users/me')).toBe(`Bearer ${metadata}`);
    expect(await challengeOf('/api/v1/users/me', 'nonsense')).toBe(
      `Bearer error="invalid_token", ${metadata}`,
    );
    expect(await challengeOf('/api/v1/credits/use', undefined, 'POST', spend)).toBe(
      `Bearer scope="credits:spend", ${metadata}`,
    );
  });

  test('403 says which scope is missing', async () => {
    const { tokens } = await calls.obtainTokens();
    expect(await challengeOf('/api/v1/credits/use', tokens.access_token, 'POST', spend)).toBe(
      `Bearer error="insufficient_scope", scope="credits:spend", ${metadata}`,
    );
    expect(await challengeOf('/api/v1/users/me', tokens.access_token)).toBe(
      `Bearer error="insufficient_scope", ${metadata}`,
    );
  });

  test('a strict client reads the challenge', async () => {
    const response = await fetch(`${service.url}/api/v1/users/me`);
    const caught = await oauth
      .protectedResourceRequest(
        'x',
        'GET',
        new URL(`${service.url}/api/v1/users/me`),
        undefined,
        null,
        insecure,
      )
      .catch((error: unknown) => error);
    expect(response.status).toBe(401);
    expect(caught).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    expect((caught as oauth.WWWAuthenticateChallengeError).cause[0]).toMatchObject({
      scheme: 'bearer',
      parameters: { error: 'invalid_token', resource_metadata: metadataUrl },
    });
  });

  test('what is no part of the API, or wants the credentials of an application, does not lead there', async () => {
    expect((await fetch(`${service.url}/userinfo`)).headers.get('www-authenticate')).not.toContain(
      'metadata',
    );
    const { clientId } = app;
    const wrong = { authorization: `Basic ${btoa(`${clientId}:wrong`)}` };
    const refused = await service.send('POST', '/api/v1/credits/use', { headers: wrong, body: spend });
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="Obol", charset="UTF-8"');
    const { headers } = await service.send('GET', '/health/live');
    expect(headers.get('www-authenticate')).toBeNull();
  });
});
