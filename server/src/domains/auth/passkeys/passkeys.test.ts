import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { TestAuthenticator, type Deviations } from '../../../../test/harness/authenticator.ts';
import { challengeOf, registerWithTotp, verifyCode } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { asOwner } from '../../../../test/harness/upstream.ts';

const origin = 'https://id.example.com';
const sibling = 'https://notes.id.example.com';
const service = await startTestService({
  env: { BASE_URL: origin, CORS_ORIGINS: `${sibling},https://elsewhere.example` },
});

const post = (path: string, body?: unknown, token?: string) =>
  service.send('POST', `/api/v1/auth/passkeys${path}`, {
    ...(token ? { token } : {}),
    ...(body === undefined ? {} : { body }),
  });

/** Registers a passkey; returns the answer. */
async function register(token: string, phone: TestAuthenticator, deviations: Deviations = {}) {
  const options = await post('/register/options', undefined, token);
  expect(options.status).toBe(200);
  const response = phone.create(options.body, deviations);
  return post('/register/verify', { name: 'Phone', response }, token);
}

async function newHolder() {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const phone = new TestAuthenticator(origin);
  const { status, body } = await register(accessToken, phone);
  expect(status).toBe(201);
  return { person, accessToken, phone, ...body };
}

const begin = async (challengeToken?: string) =>
  (await post('/authenticate/options', challengeToken ? { challengeToken } : {})).body;
const finish = (response: unknown, more: object = {}) => post('/authenticate/verify', { response, ...more });

test('a passkey signs in without a password, as two factors at once', async () => {
  const { person, phone, passkey, backupCodes } = await newHolder();
  expect(passkey).toMatchObject({ name: 'Phone', lastUsedAt: null });
  expect(backupCodes).toHaveLength(10);
  const options = await begin();
  expect(options).toMatchObject({ rpId: 'id.example.com', userVerification: 'required' });
  const { status, body, headers } = await finish(phone.get(options));
  expect([status, body.user?.email]).toEqual([200, person.email]);
  expect(headers.getSetCookie()).toHaveLength(1);
  expect(decodeJwt(body.accessToken)).toMatchObject({
    acr: 'urn:obol:second-factor',
    amr: ['hwk', 'user', 'mfa'],
  });
});

test('with a passkey the password takes a second factor: the passkey, or a backup code', async () => {
  const { person, phone, backupCodes } = await newHolder();
  const { body } = await logIn(service, person);
  expect(body).toMatchObject({ twoFactorRequired: true, methods: ['passkey', 'backup_code'] });
  const { challengeToken } = body;
  const options = await begin(challengeToken);
  expect(options.allowCredentials).toHaveLength(1);
  const answer = await finish(phone.get(options, { isUserVerified: false }), { challengeToken });
  expect(decodeJwt(answer.body.accessToken)).toMatchObject({ amr: ['pwd', 'hwk', 'mfa'] });
  expect((await verifyCode(service, await challengeOf(service, person), backupCodes[0])).status).toBe(200);
});

test.each<[string, Deviations]>([
  ['from another origin', { origin: 'https://phishing.example' }],
  ['from an origin of CORS_ORIGINS beyond the domain', { origin: 'https://elsewhere.example' }],
  ['for another RP ID', { rpId: 'phishing.example' }],
  ['without a fingerprint or PIN', { isUserVerified: false }],
  ['with a challenge of somebody else', { challenge: Buffer.alloc(56, 7).toString('base64url') }],
  ['of the other ceremony', { type: 'webauthn.create' }],
  ['with another owner', { userHandle: Buffer.from('somebody').toString('base64url') }],
])('rule 22: an answer %s is refused', async (_what, deviations) => {
  const { phone } = await newHolder();
  const refused = await finish(phone.get(await begin(), deviations));
  expect(refused).toMatchObject({ status: 403, body: { code: 'auth.passkey_invalid' } });
  expect((await finish(phone.get(await begin()))).status).toBe(200);
});

test('pages of CORS_ORIGINS within the domain may use passkeys, too', async () => {
  const { phone } = await newHolder();
  expect((await finish(phone.get(await begin(), { origin: sibling }))).status).toBe(200);
});

test('rule 22: a challenge counts once, and for five minutes', async () => {
  const { phone } = await newHolder();
  const options = await begin();
  const answers = await Promise.all(Array.from({ length: 20 }, () => finish(phone.get(options))));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { status } of answers) expect([200, 403]).toContain(status);
  const late = await begin();
  service.clock.advance({ minutes: 5 });
  expect((await finish(phone.get(late))).status).toBe(403);
});

test('a challenge for one thing is none for another', async () => {
  const { person, phone, accessToken } = await newHolder();
  const challengeToken = await challengeOf(service, person);
  expect((await finish(phone.get(await begin(challengeToken)))).status).toBe(403);
  expect((await finish(phone.get(await begin()), { challengeToken })).status).toBe(403);
  const other = new TestAuthenticator(origin);
  const registration = await post('/register/options', undefined, accessToken);
  expect((await finish(phone.get(registration.body))).status).toBe(403);
  const response = other.create({ ...(await begin()), user: registration.body.user });
  expect((await post('/register/verify', { response }, accessToken)).status).toBe(403);
});

test('rule 22: a counter that goes back is refused, and stands in the trail', async () => {
  const { phone, accessToken } = await newHolder();
  expect((await finish(phone.get(await begin(), { signCount: 5 }))).status).toBe(200);
  for (const signCount of [5, 4, 0]) {
    expect((await finish(phone.get(await begin(), { signCount }))).body.code).toBe('auth.passkey_invalid');
  }
  expect((await finish(phone.get(await begin(), { signCount: 6 }))).status).toBe(200);
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token: accessToken });
  const types = body.events.map(({ type }: { type: string }) => type);
  expect(types.filter((type: string) => type === 'passkey.counter_regressed')).toHaveLength(3);
});

test('authenticators that do not count stay at zero', async () => {
  const { phone } = await newHolder();
  for (let count = 0; count < 2; count++)
    expect((await finish(phone.get(await begin(), { signCount: 0 }))).status).toBe(200);
});

test('a passkey of nobody is refused like a wrong one', async () => {
  await newHolder();
  const stranger = new TestAuthenticator(origin);
  const { status, body } = await finish(stranger.get(await begin()));
  expect([status, body.code]).toEqual([403, 'auth.passkey_invalid']);
});

test('a passkey of one person is no second factor of another', async () => {
  const [one, other] = [await newHolder(), await newHolder()];
  const challengeToken = await challengeOf(service, other.person);
  const options = await begin(challengeToken);
  expect((await finish(one.phone.get(options), { challengeToken })).body.code).toBe('auth.passkey_invalid');
});

test.each<[string, Deviations]>([
  ['from another origin', { origin: 'https://phishing.example' }],
  ['for another RP ID', { rpId: 'phishing.example' }],
  ['without a fingerprint or PIN', { isUserVerified: false }],
  ['of the other ceremony', { type: 'webauthn.get' }],
])('a registration %s is refused', async (_what, deviations) => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const refused = await register(accessToken, new TestAuthenticator(origin), deviations);
  expect(refused.body.code).toBe('auth.passkey_invalid');
});

test('a registration counts once, and only for who began it', async () => {
  const [one, other] = await Promise.all(
    [0, 1].map(async () => signIn(service, await registerPerson(service))),
  );
  const phone = new TestAuthenticator(origin);
  const options = await post('/register/options', undefined, one?.accessToken);
  const response = phone.create(options.body);
  expect((await post('/register/verify', { response }, other?.accessToken)).status).toBe(403);
  const tries = Array.from({ length: 5 }, () => post('/register/verify', { response }, one?.accessToken));
  const answers = await Promise.all(tries);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const again = await register(other?.accessToken ?? '', phone);
  expect(again.body.code).toBe('auth.passkey_exists');
});

test('the owner lists, renames and removes passkeys; nobody else does', async () => {
  const { person, accessToken, passkey, phone } = await newHolder();
  const stranger = await signIn(service, await registerPerson(service));
  const at = (method: string, token: string, body?: unknown) =>
    service.send(method, `/api/v1/auth/passkeys/${passkey.id}`, { token, ...(body ? { body } : {}) });
  expect((await at('PATCH', stranger.accessToken, { name: 'Mine' })).status).toBe(404);
  expect((await at('DELETE', stranger.accessToken)).status).toBe(404);
  expect((await at('PATCH', accessToken, { name: 'a\nb' })).status).toBe(400);
  expect((await at('PATCH', accessToken, { name: 'Key' })).body.name).toBe('Key');
  const list = await service.send('GET', '/api/v1/auth/passkeys', { token: accessToken });
  expect(list.body.passkeys).toMatchObject([{ id: passkey.id, name: 'Key' }]);
  expect((await at('DELETE', accessToken)).status).toBe(200);
  expect((await finish(phone.get(await begin()))).status).toBe(403);
  expect((await logIn(service, person)).body.accessToken).toBeDefined();
});

test('the last way to sign in stays, also when the last two are removed at once', async () => {
  const { person, accessToken, passkey } = await newHolder();
  const tablet = await register(accessToken, new TestAuthenticator(origin));
  await asOwner(service, 'delete from auth.passwords where user_id = $1', [person.id]);
  const remove = (id: string) =>
    service.send('DELETE', `/api/v1/auth/passkeys/${id}`, { token: accessToken });
  const answers = await Promise.all([passkey.id, tablet.body.passkey.id].map(remove));
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409]);
  const { body } = await service.send('GET', '/api/v1/auth/passkeys', { token: accessToken });
  expect(body.passkeys).toHaveLength(1);
  expect(await remove(body.passkeys[0].id)).toMatchObject({
    status: 409,
    body: { code: 'auth.last_way_in' },
  });
});

test('a passkey shows that it is still you', async () => {
  const { phone, accessToken } = await newHolder();
  const stepUp = (body: unknown) =>
    service.send('POST', '/api/v1/auth/step-up', { token: accessToken, body });
  const options = await service.send('POST', '/api/v1/auth/step-up/options', { token: accessToken });
  expect((await stepUp({ passkey: phone.get(await begin()) })).body.code).toBe('auth.passkey_invalid');
  const { status } = await stepUp({ passkey: phone.get(options.body) });
  expect(status).toBe(200);
});

test('a second factor makes no difference to whom a passkey signs in', async () => {
  const holder = await registerWithTotp(service);
  const phone = new TestAuthenticator(origin);
  const { status, body } = await register(holder.accessToken, phone);
  expect([status, body.backupCodes]).toEqual([201, undefined]);
  const signedIn = await finish(phone.get(await begin()));
  expect(signedIn.body.user.email).toBe(holder.email);
});

test.each([
  [{}],
  [{ response: null }],
  [{ response: { id: 'a', rawId: 'a', response: { clientDataJSON: 'a' } } }],
  [{ response: { id: 'a b', rawId: 'a', response: {} } }],
  [{ challengeToken: 7 }],
])('an answer like %j is refused with 400', async (body) => {
  expect((await post('/authenticate/verify', body)).status).toBe(400);
});

test('an answer that is no JSON within is refused', async () => {
  const { phone } = await newHolder();
  const answer = phone.get(await begin());
  for (const broken of [
    { clientDataJSON: 'AAAA' },
    { authenticatorData: 'AAAA' },
    { signature: 'AAAA' },
    { clientDataJSON: Buffer.from('{"challenge":"AA"}').toString('base64url') },
  ]) {
    const response = { ...answer, response: { ...answer.response, ...broken } };
    expect((await finish(response)).status).toBe(403);
  }
});
