import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, generateKeyPair, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import { newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls, redirectUri } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import { registerPerson } from '../harness/people.ts';

const service = await startTestProvider();
const api = 'https://api.notes.example.com';
const scope = 'openid offline_access notes:read';
const insecure = { [oauth.allowInsecureRequests]: true } as const;
const issuer = new URL(service.issuer);
let app: TestApplication;
let calls: OauthCalls;
let server: oauth.AuthorizationServer;

beforeAll(async () => {
  app = await registerOwnApplication(service, { resources: [{ identifier: api, scopes: ['notes:read'] }] });
  calls = new OauthCalls(service, app);
  const response = await oauth.discoveryRequest(issuer, insecure);
  server = await oauth.processDiscoveryResponse(issuer, response);
});

const obtainTokens = async (params: Record<string, string> = {}) =>
  (await calls.obtainTokens({ scope, resource: api, prompt: 'consent', ...params })).tokens;

const client = (): oauth.Client => ({ client_id: app.clientId });

describe('oauth4webapi, strictly', () => {
  test('both metadata documents pass, and agree', async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    expect(await oauth.processDiscoveryResponse(issuer, response)).toEqual(server);
    expect(server.authorization_response_iss_parameter_supported).toBe(true);
  });

  test('a code with DPoP and nonce: response, ID token and access token pass every check', async () => {
    const { verifier, challenge } = newPkce();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const url = calls.authorizeUrl({
      scope,
      resource: api,
      state,
      nonce,
      prompt: 'consent',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const person = await registerPerson(service);
    const callback = await calls.passPages(new TestBrowser(service), person, url);
    const params = oauth.validateAuthResponse(server, client(), callback, state);
    const secret = oauth.ClientSecretBasic(app.clientSecret);
    const DPoP = oauth.DPoP(client(), await generateKeyPair('ES256'));
    const options = { DPoP, ...insecure };
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client(),
      secret,
      params,
      redirectUri,
      verifier,
      options,
    );
    const expected = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(server, client(), response, expected);
    await oauth.validateApplicationLevelSignature(server, response, insecure);
    expect(tokens.token_type).toBe('dpop');

    const asked = new Request(`${api}/notes`, {
      headers: {
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await proofFor(DPoP, tokens.access_token),
      },
    });
    const claims = await oauth.validateJwtAccessToken(server, asked, api, {
      requireDPoP: true,
      ...insecure,
    });
    expect(claims).toMatchObject({ sub: person.id, client_id: app.clientId, aud: api });
  });

  test('an answer under the name of another issuer, or under none, is not taken', async () => {
    const { challenge } = newPkce();
    const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
    const callback = await calls.passPages(
      new TestBrowser(service),
      await registerPerson(service),
      calls.authorizeUrl(pkce),
    );
    for (const iss of ['https://evil.example', undefined]) {
      const forged = new URL(callback);
      if (iss === undefined) forged.searchParams.delete('iss');
      else forged.searchParams.set('iss', iss);
      expect(() => oauth.validateAuthResponse(server, client(), forged, 'a state')).toThrow(/iss/);
    }
    expect(() => oauth.validateAuthResponse(server, client(), callback, 'a state')).not.toThrow();
  });

  test('introspection, revocation and refresh pass, too', async () => {
    const basic = oauth.ClientSecretBasic(app.clientSecret);
    const tokens = await obtainTokens();
    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      client(),
      await oauth.refreshTokenGrantRequest(server, client(), basic, tokens.refresh_token, insecure),
    );
    const introspected = await oauth.processIntrospectionResponse(
      server,
      client(),
      await oauth.introspectionRequest(server, client(), basic, refreshed.access_token, insecure),
    );
    expect(introspected).toMatchObject({ active: true, aud: api, scope });
    const revoked = await oauth.revocationRequest(
      server,
      client(),
      basic,
      refreshed.refresh_token ?? '',
      insecure,
    );
    await oauth.processRevocationResponse(revoked);
    const again = await oauth.refreshTokenGrantRequest(
      server,
      client(),
      basic,
      refreshed.refresh_token ?? '',
      insecure,
    );
    await expect(oauth.processRefreshTokenResponse(server, client(), again)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});

/** A proof for a request to the API, taken from what the library would send. */
async function proofFor(DPoP: oauth.DPoPHandle, token: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  await oauth.protectedResourceRequest(token, 'GET', new URL(`${api}/notes`), undefined, null, {
    DPoP,
    [oauth.customFetch]: async (_url, { headers }) => {
      resolve(headers['dpop'] ?? '');
      return new Response();
    },
  });
  return promise;
}

describe('express-oauth2-jwt-bearer, strictly by RFC 9068', () => {
  const routes = express();
  routes.use(auth({ issuerBaseURL: service.issuer, audience: api, strict: true }));
  routes.get('/notes', requiredScopes('notes:read'), (request, response) => {
    response.json({ sub: request.auth?.payload.sub });
  });
  routes.get('/secrets', requiredScopes('notes:admin'), (_request, response) => {
    response.json({});
  });
  const listening = routes.listen(0, '127.0.0.1');
  afterAll(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const get = async (path: string, token?: string): Promise<Response> => {
    if (!listening.listening) await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return fetch(`http://127.0.0.1:${port}${path}`, { headers });
  };

  test('our tokens open an Express API that knows the issuer and its own name', async () => {
    const { tokens, person } = await calls.obtainTokens({ scope, resource: api, prompt: 'consent' });
    const response = await get('/notes', tokens.access_token);
    expect([response.status, await response.json()]).toEqual([200, { sub: person.id }]);
    expect((await get('/secrets', tokens.access_token)).status).toBe(403);
  });

  test('ID tokens, tokens for another API and changed ones do not', async () => {
    const tokens = await obtainTokens();
    const { tokens: ours } = await calls.obtainTokens();
    expect((await get('/notes')).status).toBe(401);
    for (const token of [tokens.id_token, ours.access_token, `${tokens.access_token}x`])
      expect((await get('/notes', token)).status).toBe(401);
  });
});

describe("jose's remote keys", () => {
  const run = promisify(execFile);
  const obol = join(import.meta.dirname, '../../src/cli/main.ts');

  test('a rotation by `obol keys rotate` goes unnoticed: nobody restarts, no token is lost', async () => {
    let fetches = 0;
    const jwks = createRemoteJWKSet(new URL(server.jwks_uri ?? ''), {
      cooldownDuration: 0,
      [customFetch]: (url, options) => {
        fetches++;
        return fetch(url, options);
      },
    });
    const verify = (token: string) =>
      jwtVerify(token, jwks, {
        issuer: service.issuer,
        audience: api,
        typ: 'at+jwt',
        algorithms: ['RS256'],
      });
    const before = await obtainTokens();
    await verify(before.access_token);

    // The operator's clock is the system's; the service of the test has its own.
    const { stdout } = await run(process.execPath, [obol, 'keys', 'rotate', '--json'], {
      cwd: tmpdir(),
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: service.ownerUrl,
        OBOL_SECRET: service.ctx.config.secret,
        ...service.backendEnv,
      },
    });
    const { kid, signsFrom, previousRetireAt } = JSON.parse(stdout);
    await service.ctx.keys.reload();
    const published = async (): Promise<string[]> => {
      const { keys } = (await (await fetch(server.jwks_uri ?? '')).json()) as { keys: { kid: string }[] };
      return keys.map((key) => key.kid);
    };
    const oldKid = decodeProtectedHeader(before.access_token).kid;
    expect(await published()).toEqual(expect.arrayContaining([oldKid, kid]));
    const meanwhile = await obtainTokens();
    expect(decodeProtectedHeader(meanwhile.access_token).kid).toBe(oldKid);

    service.clock.set(new Date(new Date(signsFrom).getTime() - 60_000));
    const last = await obtainTokens();
    service.clock.set(signsFrom);
    const after = await obtainTokens();
    expect(decodeProtectedHeader(after.access_token).kid).toBe(kid);
    expect(decodeProtectedHeader(after.id_token).kid).toBe(kid);
    await verify(last.access_token);
    await verify(after.access_token);
    expect(fetches).toBe(2);
    expect((await calls.introspect(last.access_token)).body.active).toBe(true);

    service.clock.set(previousRetireAt);
    expect(await published()).toContain(kid);
    expect(await published()).not.toContain(oldKid);
    await verify((await obtainTokens()).access_token);
  });
});
