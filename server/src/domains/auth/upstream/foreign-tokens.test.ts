import { createSecretKey, randomUUID } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { asOwner, confirmAddress } from '../../../../test/harness/upstream.ts';

const [tenant, plain] = [await startStandIn(), await startStandIn()];
const audience = 'https://api.example.com';
const env = {
  AUTH0_DOMAIN: tenant.issuer,
  AUTH0_AUDIENCE: audience,
  TRUSTED_ISSUERS: `${plain.issuer}, https://other.example|${audience}`,
};
const service = await startTestProvider({ env });
const other = await tenant.newKey();
const secret = createSecretKey(Buffer.from(JSON.stringify(other.publicJwk)));
const now = () => Math.floor(service.clock.now().getTime() / 1000);

function claimsOf(given: Record<string, unknown> = {}): Record<string, unknown> {
  const sub = `auth0|${randomUUID()}`;
  return {
    iss: tenant.issuer,
    sub,
    aud: [audience, `${tenant.issuer}/userinfo`],
    iat: now(),
    exp: now() + 3600,
    azp: 'a client',
    scope: 'openid email',
    email: `${randomUUID()}@example.com`,
    email_verified: true,
    ...given,
  };
}

const me = (token: string): Promise<Answer> => service.send('GET', '/api/users/me', { token });
const signed = (given: Record<string, unknown> = {}, options = {}) => tenant.sign(claimsOf(given), options);

describe('bearer tokens of a trusted issuer', () => {
  test('make a user with a wallet on first sight, once, and are theirs on every route', async () => {
    const token = await signed({ name: 'Ada', sub: 'auth0|ada' });
    const answers = await Promise.all(Array.from({ length: 16 }, () => me(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ name: 'Ada', emailVerified: true, credits: 150 });
    for (const path of ['/api/v1/auth/me', '/api/v1/credits/balance', '/api/v1/auth/sessions'])
      expect((await service.send('GET', path, { token })).status).toBe(200);
    // A later token of the same subject, whatever its address.
    const later = await signed({ sub: 'auth0|ada', email: 'another@example.com', iat: now() - 5 });
    expect((await me(later)).body.id).toBe(answers[0]?.body.id);
    const sessions = await service.send('GET', '/api/v1/auth/sessions', { token });
    expect(sessions.body.sessions).toHaveLength(1);
  });

  test('of sixteen different first tokens of one person make one user', async () => {
    const given = claimsOf();
    const tokens = await Promise.all(
      Array.from({ length: 16 }, (_, index) => tenant.sign({ ...given, jti: String(index) })),
    );
    const answers = await Promise.all(tokens.map(me));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
  });

  test('of an issuer without an audience of its own are for this service', async () => {
    const token = await plain.sign(claimsOf({ iss: plain.issuer, aud: service.issuer }));
    expect((await me(token)).status).toBe(200);
    const foreign = await plain.sign(claimsOf({ iss: plain.issuer }));
    expect((await me(foreign)).body.code).toBe('auth.token_invalid');
  });

  test('without an address have their issuer asked who it is', async () => {
    const sub = `auth0|${randomUUID()}`;
    const token = await signed({ sub, email: undefined, email_verified: undefined });
    expect(await me(token)).toMatchObject({ status: 403, body: { code: 'auth.upstream_email_missing' } });
    tenant.profile = { sub: 'somebody else', email: `${randomUUID()}@example.com`, email_verified: true };
    expect((await me(token)).status).toBe(403);
    const email = `${randomUUID()}@example.com`;
    tenant.profile = { sub, email, email_verified: true };
    expect((await me(token)).body).toMatchObject({ email, emailVerified: true });
    tenant.profile = undefined;
  });

  test('are linked to an account only if both sides have confirmed the address', async () => {
    const person = await registerPerson(service);
    await confirmAddress(service, person);
    expect((await me(await signed({ email: person.email, email_verified: false }))).body.code).toBe(
      'auth.upstream_email_taken',
    );
    expect((await me(await signed({ email: person.email }))).body.id).toBe(person.id);
  });

  test('find who was imported with their auth0_id', async () => {
    const person = await registerPerson(service);
    const sub = `auth0|${randomUUID()}`;
    await asOwner(service, 'update auth.users set auth0_id = $1 where id = $2', [sub, person.id]);
    expect((await me(await signed({ sub }))).body.id).toBe(person.id);
  });

  test('do not count as a recent sign-in of the person', async () => {
    const token = await signed();
    const { id } = (await me(token)).body;
    const rows = await service.ctx.db.runAsService(
      'select authenticated_at from auth.sessions where user_id = $1',
      [id],
    );
    expect(rows.rows).toEqual([{ authenticated_at: new Date(0) }]);
  });
});

describe('refused', () => {
  test.each<[string, () => Promise<string> | string]>([
    ['an expired one', () => signed({ exp: now() - 10 })],
    ['one for later', () => signed({ nbf: now() + 60 })],
    ['one for another audience', () => signed({ aud: 'https://elsewhere.example' })],
    ['one without an audience', () => signed({ aud: undefined })],
    ['one without an expiry', () => signed({ exp: undefined })],
    ['one without a time', () => signed({ iat: undefined })],
    ['one without a subject', () => signed({ sub: undefined })],
    ['an issuer that is not trusted', () => signed({ iss: 'https://evil.example' })],
    ['an issuer with a slash too many', () => signed({ iss: `${tenant.issuer}/` })],
    ['the key of another issuer', () => plain.sign(claimsOf())],
    ['an unpublished key', () => signed({}, { key: other })],
    ['an unpublished key under a known name', () => signed({}, { key: other, header: { kid: 'unknown' } })],
    ['one that brings its key', () => signed({}, { key: other, header: { jwk: other.publicJwk } })],
    ['one that points at a key', () => signed({}, { header: { jku: 'https://evil.example/jwks' } })],
    ['an ID token', () => signed({ nonce: 'n', at_hash: 'h' })],
    ['a logout token', () => signed({ events: {} }, { header: { typ: 'logout+jwt' } })],
    ['a token of another use', () => signed({ token_use: 'id' })],
    ['one of an application for itself', () => signed({ gty: 'client-credentials' })],
    ['one whose subject is its client', () => signed({ sub: 'a client', client_id: 'a client' })],
    ['an unsigned one', () => new UnsecuredJWT(claimsOf()).encode()],
    [
      'one signed with a shared secret',
      () => new SignJWT(claimsOf()).setProtectedHeader({ alg: 'HS256', kid: other.kid }).sign(secret),
    ],
    ['one bound to a key', () => signed({ cnf: { jkt: 'x' } })],
  ])('%s', async (_, make) => {
    const { status, body } = await me(await make());
    expect([status, body.code]).toEqual([401, 'auth.token_invalid']);
  });

  test('an access token says so in its type, or in nothing', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'JWT', undefined])
      expect((await me(await signed({}, { header: { typ } }))).status).toBe(200);
    expect((await me(await signed({}, { header: { typ: 'dpop+jwt' } }))).status).toBe(401);
  });

  test('a deactivated person, also with a token that was accepted before', async () => {
    const given = claimsOf();
    const token = await tenant.sign(given);
    const { id } = (await me(token)).body;
    await asOwner(service, 'update auth.users set is_active = false where id = $1', [id]);
    expect(await me(token)).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
    const next = await tenant.sign({ ...given, jti: 'next' });
    expect(await me(next)).toMatchObject({ status: 403, body: { code: 'auth.account_deactivated' } });
  });

  test('what was issued before the person signed out, in every process; a later sign-in begins anew', async () => {
    const second = await startTestService({ env, shareDatabaseWith: service, clock: service.clock });
    const given = claimsOf();
    const [token, unseen] = [await tenant.sign(given), await tenant.sign({ ...given, jti: 'second' })];
    const { id } = (await me(token)).body;
    expect((await second.send('GET', '/api/users/me', { token })).status).toBe(200);
    service.clock.advance({ seconds: 2 });
    expect((await service.send('POST', '/api/v1/auth/logout', { token })).status).toBe(200);
    for (const dead of [token, unseen]) {
      expect((await me(dead)).body.code).toBe('auth.session_ended');
      const there = await second.send('GET', '/api/users/me', { token: dead });
      expect(there.body.code).toBe('auth.session_ended');
    }
    service.clock.advance({ seconds: 2 });
    const anew = await tenant.sign({ ...given, iat: now(), exp: now() + 60 });
    expect((await me(anew)).body.id).toBe(id);
    expect((await me(unseen)).body.code).toBe('auth.session_ended');
  });
});

describe('the issuer', () => {
  test('is asked once for many tokens, and again for a key that it has since published', async () => {
    const asked = tenant.asked.get('/.well-known/openid-configuration') ?? 0;
    const keysAsked = tenant.asked.get('/jwks') ?? 0;
    await Promise.all(Array.from({ length: 8 }, async () => me(await signed())));
    expect(tenant.asked.get('/.well-known/openid-configuration') ?? 0).toBe(asked);
    expect(tenant.asked.get('/jwks') ?? 0).toBe(keysAsked);
    await tenant.rotate();
    service.clock.advance({ minutes: 1 });
    expect((await me(await signed())).status).toBe(200);
    expect(tenant.asked.get('/jwks')).toBe(keysAsked + 1);
  });

  test('that does not answer is an outage, not a wrong token; our own tokens do not need it', async () => {
    const down = await startStandIn();
    const lonely = await startTestService({
      env: { TRUSTED_ISSUERS: `${down.issuer}|${audience}` },
      clock: service.clock,
    });
    down.isDown = true;
    const token = await down.sign(claimsOf({ iss: down.issuer }));
    const ask = () => lonely.send('GET', '/api/users/me', { token });
    expect(await ask()).toMatchObject({ status: 503, body: { code: 'auth.upstream_unavailable' } });
    expect((await ask()).status).toBe(503);
    expect(down.asked.get('/.well-known/openid-configuration')).toBe(1);
    const own = await signIn(lonely, await registerPerson(lonely));
    expect((await lonely.send('GET', '/api/users/me', { token: own.accessToken })).status).toBe(200);
    down.isDown = false;
    service.clock.advance({ seconds: 6 });
    expect((await ask()).status).toBe(200);
  });

  test('costs no statement of its own once a token is known', async () => {
    const token = await signed();
    await me(token);
    const counted = await countStatements(async () => {
      await service.send('GET', '/api/v1/credits/balance', { token });
    });
    const own = await signIn(service, await registerPerson(service));
    await service.send('GET', '/api/v1/credits/balance', { token: own.accessToken });
    const expected = await countStatements(async () => {
      await service.send('GET', '/api/v1/credits/balance', { token: own.accessToken });
    });
    expect(expected).toBeGreaterThan(0);
    expect(counted).toBe(expected);
  });
});

async function countStatements(work: () => Promise<void>): Promise<number> {
  const { db } = service.ctx;
  const call = db.call.bind(db);
  let count = 0;
  db.call = (text, values) => {
    count += 1;
    return call(text, values);
  };
  try {
    await work();
  } finally {
    db.call = call;
  }
  return count;
}
