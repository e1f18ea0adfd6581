import { createHmac, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import { startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { configureClient, letPersonAgree, registerOwnApplication } from '../harness/openid.ts';
import { registerPerson, signIn, type Person } from '../harness/people.ts';

const service = await startTestProvider();
const api = 'https://api.notes.example.com';
const scope = 'openid offline_access credits:read credits:spend';
let app: TestApplication;
let calls: OauthCalls;
let person: Person;
let browser: TestBrowser;

beforeAll(async () => {
  app = await registerOwnApplication(service, { resources: [api] });
  calls = new OauthCalls(service, app);
  person = await registerPerson(service);
  browser = new TestBrowser(service);
});

const obtain = async (params: Record<string, string> = {}) =>
  (await calls.obtainTokens({ scope, prompt: 'consent', ...params }, { person, browser })).tokens;
const isActive = async (token: string): Promise<boolean> => (await calls.introspect(token)).body.active;

describe('3. codes', () => {
  test('a code is bound to the key that the request named', async () => {
    const config = await configureClient(service, app);
    const [right, wrong] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
    const DPoP = client.getDPoPHandle(config, right);
    const dpop_jkt = await DPoP.calculateThumbprint();
    const redeem = async (handle?: client.DPoPHandle) => {
      const { callback, checks } = await letPersonAgree(service, config, { scope, dpop_jkt });
      const options = handle ? { DPoP: handle } : {};
      return client.authorizationCodeGrant(config, callback, checks, undefined, options).then(
        ({ token_type: type }) => type,
        ({ error }: client.ResponseBodyError) => error,
      );
    };
    expect(await redeem(client.getDPoPHandle(config, wrong))).toBe('invalid_grant');
    expect(await redeem()).toMatch(/^invalid_(grant|request)$/);
    expect(await redeem(DPoP)).toBe('dpop');
  });

  test('a code that is replayed kills the tokens of its first use, refreshed ones included', async () => {
    const { code, verifier } = await calls.obtainCode({ scope, prompt: 'consent' }, { person, browser });
    const { body: first } = await calls.redeem(code, verifier);
    const { body: refreshed } = await calls.refresh(first.refresh_token);
    expect((await calls.redeem(code, verifier)).body.error).toBe('invalid_grant');
    expect([await isActive(first.access_token), await isActive(refreshed.access_token)]).toEqual([
      false,
      false,
    ]);
    expect((await calls.refresh(refreshed.refresh_token)).body.error).toBe('invalid_grant');
    expect((await spend(refreshed.access_token)).status).toBe(401);
  });
});

describe('6. refresh', () => {
  test('of twenty tabs at once none is signed out, and there is one successor', async () => {
    const { refresh_token: token } = await obtain();
    const answers = await Promise.all(Array.from({ length: 20 }, () => calls.refresh(token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const successors = new Set<string>(answers.map(({ body }) => body.refresh_token));
    expect(successors.size).toBe(1);
    const [successor = ''] = successors;
    expect((await calls.refresh(successor)).status).toBe(200);
    expect((await calls.refresh(token)).body.error).toBe('invalid_grant');
  });

  test('against revocation nothing is minted; scope only narrows', async () => {
    const { refresh_token: token } = await obtain();
    expect((await calls.refresh(token, { scope: 'openid email' })).body.error).toBe('invalid_scope');
    const [refreshed] = await Promise.all([calls.refresh(token), calls.revoke(token)]);
    if (refreshed.status === 200) expect(await isActive(refreshed.body.access_token)).toBe(false);
    else expect(refreshed.body.error).toBe('invalid_grant');
    expect((await calls.refresh(token)).body.error).toBe('invalid_grant');
  });
});

describe('7. access tokens', () => {
  test.each([
    ['this service', {}, service.issuer],
    ['the API of an application', { resource: api }, api],
  ])('for %s say what RFC 9068 wants, and are for it alone', async (_what, params, audience) => {
    const tokens = await obtain(params);
    const header = decodeProtectedHeader(tokens.access_token);
    expect(header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
    const now = Math.floor(service.clock.now().getTime() / 1000);
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      iss: service.issuer,
      sub: person.id,
      aud: audience,
      iat: now,
      exp: now + 900,
      jti: expect.any(String),
      client_id: app.clientId,
      scope: expect.stringContaining('openid'),
    });
    const other = await obtain(params);
    expect(decodeJwt(other.access_token).jti).not.toBe(decodeJwt(tokens.access_token).jti);
  });

  test('an unknown API is refused at the token endpoint, too, and costs neither grant nor refresh token', async () => {
    const { code, verifier } = await calls.obtainCode({ scope }, { person, browser });
    const refused = await calls.redeem(code, verifier, { resource: 'https://unknown.example' });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    const tokens = await obtain({ resource: api });
    for (const resource of ['https://unknown.example', 'nonsense', `${api}#x`]) {
      const { status, body } = await calls.refresh(tokens.refresh_token, { resource });
      expect([resource, status, body.error]).toEqual([resource, 400, 'invalid_target']);
    }
    expect((await calls.refresh(tokens.refresh_token)).status).toBe(200);
  });
});

const spend = (token: string) =>
  service.send('POST', '/api/v1/credits/use', {
    token,
    body: { amount: 1, appId: app.clientId, description: 'x' },
  });
/** Our own claims and header with changes, signed with another key. */
async function forge(header: Record<string, unknown>, key: CryptoKey): Promise<string> {
  const { access_token: token } = await obtain();
  const claims = { ...decodeJwt(token), jti: randomUUID() };
  const { kid } = decodeProtectedHeader(token);
  const protectedHeader = { alg: 'RS256', typ: 'at+jwt', kid, ...header } as { alg: string };
  return new SignJWT(claims).setProtectedHeader(protectedHeader).sign(key);
}
const encodeHeader = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url');

describe('8. the API refuses', () => {
  test('what is right is taken, to compare with', async () => {
    const { body } = await spend((await obtain()).access_token);
    expect(body.code).toBe('mandate.required');
  });

  test('ID tokens, tokens for other APIs, refresh tokens and codes', async () => {
    const ours = await obtain();
    const { access_token: foreign } = await obtain({ resource: api });
    for (const token of [ours.id_token, foreign, ours.refresh_token])
      expect((await spend(token)).body.code).toBe('auth.token_invalid');
  });

  test('tokens that nobody signed, or that were signed with the public key as a secret', async () => {
    const { access_token: token } = await obtain();
    const claims = decodeJwt(token);
    const { kid } = decodeProtectedHeader(token);
    const { publicKey } = service.ctx.keys.signers()[0]!;
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const body = token.split('.')[1]!;
    const forged = [
      new UnsecuredJWT(claims).encode(),
      `${encodeHeader({ alg: 'none', typ: 'at+jwt', kid })}.${body}.`,
    ];
    for (const secret of [pem, der]) {
      const input = `${encodeHeader({ alg: 'HS256', typ: 'at+jwt', kid })}.${body}`;
      forged.push(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`);
    }
    for (const one of forged) expect((await spend(one)).body.code).toBe('auth.token_invalid');
  });

  test('tokens of a key of their own, brought, pointed at or claimed', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const headers = [
      {},
      { kid: 'unknown' },
      { kid: undefined },
      { jwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: ['MIIB'] },
      { kid: '../../dev/null' },
    ];
    for (const header of headers)
      expect((await spend(await forge(header, privateKey))).body.code).toBe('auth.token_invalid');
  });

  test('tokens of our key with another issuer, audience or type, too old or too early', async () => {
    const { access_token: token } = await obtain();
    const claims = decodeJwt(token);
    const nowSeconds = Math.floor(service.clock.now().getTime() / 1000);
    const sign = (changes: Record<string, unknown>, type?: string) =>
      service.ctx.keys.sign({ ...claims, jti: randomUUID(), ...changes }, type);
    expect((await spend(await sign({}))).body.code).toBe('mandate.required');
    const wrong = [
      sign({ iss: 'https://evil.example' }),
      sign({ iss: `${service.issuer}/` }),
      sign({ aud: 'https://evil.example' }),
      sign({ aud: [service.issuer, api] }),
      sign({ exp: nowSeconds }),
      sign({ nbf: nowSeconds + 60 }),
      sign({ sub: undefined }),
      sign({}, 'JWT'),
      sign({}, 'logout+jwt'),
    ];
    for (const one of wrong) expect((await spend(await one)).body.code).toBe('auth.token_invalid');
  });
});

describe('9. ends', () => {
  test('a revoked access token, and one whose grant its owner took back, are dead at the API at once', async () => {
    const tokens = await obtain();
    const { accessToken } = await signIn(service, person);
    const { body } = await service.send('GET', '/api/v1/users/me/grants', { token: accessToken });
    const [grant] = body.grants;
    await service.send('DELETE', `/api/v1/users/me/grants/${grant.id}`, { token: accessToken });
    expect(await isActive(tokens.access_token)).toBe(false);
    expect((await spend(tokens.access_token)).status).toBe(401);
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await fetchUserinfo(tokens.access_token)).status).toBe(401);
  });

  test('introspection is for who can show who they are, whatever the token', async () => {
    const tokens = await obtain();
    const publicApp = await registerOwnApplication(service, { type: 'public' });
    const form = { token: tokens.access_token, client_id: publicApp.clientId };
    const asPublic = await calls.post('/oauth/introspect', form, {});
    expect(asPublic.body).not.toHaveProperty('sub');
    const anonymous = await calls.post(
      '/oauth/introspect',
      { token: tokens.access_token, client_id: undefined },
      {},
    );
    expect(anonymous.status).toBeGreaterThanOrEqual(400);
    const wrong = { authorization: `Basic ${btoa(`${app.clientId}:wrong`)}` };
    const refused = await calls.post('/oauth/introspect', { token: tokens.access_token }, wrong);
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic/);
  });
});

const fetchUserinfo = (token: string) =>
  fetch(`${service.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
