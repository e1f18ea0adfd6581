import { randomUUID } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import type { Answer } from '../../../test/harness/index.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const front = 'https://front.example.com/api';
const back = 'https://back.example.com/api';
let notes: OauthCalls;
/** Protects the front API, and is let by the back API to call it for people. */
let api: OauthCalls;
/** Protects the back API, and is let by nobody to call theirs. */
let other: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const start = async (given: Record<string, unknown>) =>
    new OauthCalls(service, await registerApplication(service, accessToken, { access: 'open', ...given }));
  const exchanger = { grantTypes: [grantType], redirectUris: [] };
  const scopes = ['notes:read', 'notes:write'];
  api = await start({ ...exchanger, resources: [{ identifier: front, scopes }] });
  const clients = [api.client.clientId];
  other = await start({ ...exchanger, resources: [{ identifier: back, scopes: ['notes:read'], clients }] });
  notes = await start({});
});

const exchange = (
  calls: OauthCalls,
  token: string,
  form: Record<string, string | undefined> = {},
): Promise<Answer> =>
  calls.post('/oauth/token', {
    grant_type: grantType,
    subject_token: token,
    subject_token_type: accessTokenType,
    audience: back,
    ...form,
  });
const obtain = () =>
  notes.obtainTokens({
    scope: 'openid offline_access notes:read notes:write',
    prompt: 'consent',
    resource: front,
  });

describe('token exchange', () => {
  test('gives an API a token for the next one, for the same person, in its own name', async () => {
    const { tokens, person } = await obtain();
    const { status, body } = await exchange(api, tokens.access_token, { scope: 'notes:read' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      scope: 'notes:read',
    });
    expect(body.refresh_token).toBeUndefined();
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: person.id,
      aud: back,
      client_id: api.client.clientId,
      scope: 'notes:read',
      act: { sub: api.client.clientId },
    });
    const introspected = await other.introspect(body.access_token);
    expect(introspected.body).toMatchObject({ active: true, sub: person.id, client_id: api.client.clientId });
    await notes.revoke(tokens.refresh_token);
    expect((await other.introspect(body.access_token)).body).toEqual({ active: false });
  });

  test('lives no longer than the token it was had for', async () => {
    const { tokens } = await obtain();
    service.clock.advance({ minutes: 14 });
    const { body } = await exchange(api, tokens.access_token);
    expect(body.expires_in).toBe(60);
  });

  test('is refused unless the API lets the application call it, and for what the token does not hold', async () => {
    const { tokens } = await obtain();
    const token = tokens.access_token;
    const refusals = [
      await exchange(notes, token),
      await exchange(other, token),
      await exchange(other, token, { audience: front }),
      await exchange(api, token, { audience: 'https://elsewhere.example' }),
      await exchange(api, token, { audience: undefined }),
      await exchange(api, token, { resource: front }),
      await exchange(api, token, { scope: 'notes:delete' }),
      await exchange(api, token, { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }),
      await exchange(api, tokens.id_token),
      await exchange(api, tokens.refresh_token),
      await exchange(api, 'unknown'),
      await exchange(api, token, { actor_token: token }),
      await exchange(api, (await notes.obtainTokens()).tokens.access_token),
    ];
    expect(refusals.map(({ status, body }) => [status, body.error])).toEqual([
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_target'],
      [400, 'invalid_target'],
      [400, 'invalid_target'],
      [400, 'invalid_target'],
      [400, 'invalid_scope'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
    ]);
  });

  test('does not free a token from the key that it is bound to', async () => {
    const keys = await generateKeyPair('ES256');
    const claims = { htm: 'POST', htu: `${service.issuer}/oauth/token`, jti: randomUUID() };
    const dpop = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) })
      .setIssuedAt()
      .sign(keys.privateKey);
    const { code, verifier } = await notes.obtainCode({ scope: 'openid notes:read', resource: front });
    const { body: bound } = await notes.redeem(code, verifier, {}, { dpop });
    expect(decodeJwt(bound.access_token)['cnf']).toHaveProperty('jkt');
    const refused = await exchange(api, bound.access_token, { scope: 'notes:read' });
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request']);
    expect(refused.body.error_description).toContain('bound');
  });
});
