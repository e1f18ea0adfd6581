import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import { startTestProvider } from '../harness/oauth.ts';
import { OauthCalls, redirectUri } from '../harness/oauth-flow.ts';
import { configureClient, letPersonAgree, registerOwnApplication } from '../harness/openid.ts';
import { registerPerson, signIn } from '../harness/people.ts';
import { connectAsOwner } from '../harness/wallets.ts';

const service = await startTestProvider();
const owner = await connectAsOwner(service);
let app: TestApplication;
let calls: OauthCalls;

beforeAll(async () => {
  app = await registerOwnApplication(service);
  calls = new OauthCalls(service, app);
});

const obtain = async () => (await calls.obtainTokens()).tokens;

/** Percent-encodes every byte, as nobody does and everybody may. */
const encode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&');

describe('10. secrets', () => {
  test('have 256 bits, are nowhere in the database, and are shown once', async () => {
    // 43 letters of base64url hold 256 bits.
    expect(app.clientSecret).toMatch(/[\w-]{43}$/);
    const { rows: tables } = await owner.query(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname in ('auth', 'apps', 'oauth', 'audit', 'credits')`,
    );
    for (const { name } of tables) {
      const { rows } = await owner.query(`select 1 from ${name} t where t::text like '%' || $1 || '%'`, [
        app.clientSecret,
      ]);
      expect([name, rows.length]).toEqual([name, 0]);
    }
  });

  test('are rotated with an overlap, in which both open', async () => {
    const registrar = await signIn(service, await registerPerson(service));
    const { body } = await service.send('POST', '/api/v1/applications', {
      token: registrar.accessToken,
      body: {
        name: 'Other',
        redirectUri,
        roles: ['editor'],
        access: 'open',
        grantTypes: ['client_credentials'],
      },
    });
    const { id, clientId, clientSecret } = body.application;
    const ask = (secret: string) =>
      new OauthCalls(service, { clientId, clientSecret: secret }).post('/oauth/token', {
        grant_type: 'client_credentials',
      });
    const rotated = await service.send('POST', `/api/v1/applications/${id}/rotate-secret`, {
      token: registrar.accessToken,
      body: { overlapSeconds: 3600 },
    });
    expect([(await ask(clientSecret)).status, (await ask(rotated.body.clientSecret)).status]).toEqual([
      200, 200,
    ]);
    service.clock.advance({ seconds: 3600 });
    expect((await ask(clientSecret)).body.error).toBe('invalid_client');
    expect((await ask(rotated.body.clientSecret)).status).toBe(200);
  });

  test('Basic is decoded as RFC 6749 says; two ways of identifying at once are refused', async () => {
    const authorization = `Basic ${btoa(`${encode(app.clientId)}:${encode(app.clientSecret)}`)}`;
    const { access_token: token } = await obtain();
    expect((await calls.post('/oauth/introspect', { token }, { authorization })).body.active).toBe(true);
    const both = { token, client_id: app.clientId, client_secret: app.clientSecret };
    expect((await calls.post('/oauth/introspect', both)).status).toBe(400);
    for (const broken of ['%zz:x', 'nocolon', `${app.clientId}:`, ':', ''])
      expect(
        (await calls.post('/oauth/introspect', { token }, { authorization: `Basic ${btoa(broken)}` })).status,
      ).toBeLessThan(500);
  });

  test('a key in place of a secret: openid-client signs, and nothing can be replayed', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const keyed = await registerOwnApplication(service, {
      tokenEndpointAuthMethod: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] },
    });
    const proof = client.PrivateKeyJwt({ key: privateKey, kid: 'one' });
    const config = await configureClient(service, { clientId: keyed.clientId }, proof);
    const { callback, checks } = await letPersonAgree(service, config, { scope: 'openid' });
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    expect(tokens.claims()?.aud).toBe(keyed.clientId);
    const stranger = client.PrivateKeyJwt({ key: (await generateKeyPair('ES256')).privateKey, kid: 'one' });
    const forged = await configureClient(service, { clientId: keyed.clientId }, stranger);
    await expect(client.tokenIntrospection(forged, tokens.access_token)).rejects.toMatchObject({
      error: 'invalid_client',
    });
  });
});
