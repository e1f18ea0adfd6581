import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestService();
const { config, keys } = service.ctx;
const person = await registerPerson(service);
const { accessToken } = await signIn(service, person);
const validClaims = decode(accessToken, 1);

const me = (token: string) => service.send('GET', '/api/v1/auth/me', { token });
const validate = (token: unknown) => service.send('POST', '/api/v1/auth/validate', { body: { token } });

function decode(token: string, part: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString());
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token put together by hand, signed by whatever `signer` does. */
function forge(header: object, claims: object, signer: (input: string) => string): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signer(input)}`;
}

const header = decode(accessToken, 0);
const publicPem = createPublicKey({ key: keys.jwks().keys[0]!, format: 'jwk' }).export({
  type: 'spki',
  format: 'pem',
});
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
const byForeignKey = (input: string) =>
  sign('sha256', Buffer.from(input), foreign.privateKey).toString('base64url');
const byPublicKey = (input: string) => createHmac('sha256', publicPem).update(input).digest('base64url');

const now = Math.floor(service.clock.now().getTime() / 1000);
const refused: [string, () => string | Promise<string>][] = [
  ['another issuer', () => keys.sign({ ...validClaims, iss: 'https://evil.example' })],
  ['another audience', () => keys.sign({ ...validClaims, aud: 'https://evil.example' })],
  [
    'several audiences',
    () => keys.sign({ ...validClaims, aud: [config.jwtAudience, 'https://evil.example'] }),
  ],
  ['an expiry in the past', () => keys.sign({ ...validClaims, exp: now })],
  ['no expiry', () => keys.sign({ ...validClaims, exp: undefined })],
  ['no session', () => keys.sign({ ...validClaims, sid: undefined })],
  ['a session that is no id', () => keys.sign({ ...validClaims, sid: "'; select 1" })],
  ['a role that does not exist', () => keys.sign({ ...validClaims, role: 'root' })],
  ['the type of an ID token', () => keys.sign(validClaims, 'JWT')],
  ['alg none', () => forge({ ...header, alg: 'none' }, validClaims, () => '')],
  ['HS256 keyed with the public key', () => forge({ ...header, alg: 'HS256' }, validClaims, byPublicKey)],
  ['a foreign key under our kid', () => forge(header, validClaims, byForeignKey)],
  ['an unknown kid', () => forge({ ...header, kid: 'unknown' }, validClaims, byForeignKey)],
  ['no kid', () => forge({ alg: 'RS256', typ: 'at+jwt' }, validClaims, byForeignKey)],
  [
    'a key of its own in the header',
    () => forge({ ...header, jwk: foreign.publicKey.export({ format: 'jwk' }) }, validClaims, byForeignKey),
  ],
  [
    'a key set of its own in the header',
    () => forge({ ...header, jku: 'https://e.example' }, validClaims, byForeignKey),
  ],
  [
    'a changed claim',
    () => accessToken.replace(/\.[^.]+\./, `.${encode({ ...validClaims, role: 'admin' })}.`),
  ],
  ['a cut signature', () => accessToken.slice(0, -8)],
  ['nothing of a token', () => 'a.b.c'],
];

test.each(refused)('a token with %s is refused', async (_, make) => {
  const token = await make();
  expect(await me(token)).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
  expect(await validate(token)).toMatchObject({
    status: 200,
    body: { valid: false, error: 'auth.token_invalid' },
  });
});

test('a good token is valid, with its claims', async () => {
  expect(await validate(accessToken)).toMatchObject({
    status: 200,
    body: { valid: true, payload: validClaims },
  });
});

test('a token of an ended session is not valid any more', async () => {
  const other = await signIn(service, person);
  await service.send('POST', '/api/v1/auth/logout', { token: other.accessToken });
  expect((await validate(other.accessToken)).body).toEqual({ valid: false, error: 'auth.session_ended' });
});

test('a good token is verified once and remembered, but not beyond its expiry', async () => {
  const verify = vi.spyOn(crypto.subtle, 'verify');
  const { accessToken: token } = await signIn(service, person);
  for (let call = 0; call < 5; call++) expect((await me(token)).status).toBe(200);
  expect(verify).toHaveBeenCalledTimes(1);
  verify.mockRestore();
  const startedAt = service.clock.now();
  service.clock.advance({ minutes: 15 });
  expect((await me(token)).body.code).toBe('auth.token_invalid');
  service.clock.set(startedAt);
});

test('a token that a person gave to an application does not open their account', async () => {
  const token = await keys.sign({
    ...validClaims,
    jti: randomUUID(),
    client_id: 'notes',
    scope: 'credits:read',
  });
  const answer = await me(token);
  expect(answer).toMatchObject({ status: 403, body: { code: 'auth.insufficient_scope' } });
  expect(answer.headers.get('www-authenticate')).toBe(
    `Bearer error="insufficient_scope", resource_metadata="${service.ctx.config.baseUrl}/.well-known/oauth-protected-resource"`,
  );
});

test.each([['Basic dXNlcjpwYXNz'], ['Bearer'], ['Bearer  '], [`Token ${accessToken}`], [accessToken]])(
  'the header %.20s… is no bearer token',
  async (authorization) => {
    const answer = await service.send('GET', '/api/v1/auth/me', { headers: { authorization } });
    expect(answer.body.code).toBe('auth.required');
  },
);

test('the scheme is written as one likes', async () => {
  const headers = { authorization: `bEARER ${accessToken}` };
  expect((await service.send('GET', '/api/v1/auth/me', { headers })).status).toBe(200);
});

test.each([[undefined], [7], [null], ['']])('judging %s answers without a failure of ours', async (token) => {
  expect((await validate(token)).status).toBeLessThan(500);
});
