import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { logIn, registerPerson } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const newEmail = () => `${randomUUID()}@example.com`;
const register = (body: Record<string, unknown>, path = '/api/v1/auth/register') =>
  service.send('POST', path, { body });

test('the first calls of Mana and DevPortal clients work as they are', async () => {
  const mana = await register({ email: 'test@example.com', password: 'Test1234!', name: 'Test User' });
  expect(mana.status).toBe(201);
  expect(mana.body).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    email: 'test@example.com',
    emailVerified: false,
    name: 'Test User',
    username: null,
    picture: null,
    role: 'user',
    credits: 150,
    subscriptionStatus: 'none',
    subscriptionTier: 'free',
    isActive: true,
    createdAt: '2026-03-01T12:00:00.000Z',
    updatedAt: '2026-03-01T12:00:00.000Z',
  });
  const portal = { username: 'alice', email: 'alice@example.com', password: 'Password@123' };
  expect((await register(portal, '/api/auth/register')).status).toBe(201);
  const signedIn = await service.send('POST', '/api/auth/login', { body: portal });
  expect(signedIn.body).toMatchObject({ token: expect.any(String), user: { username: 'alice' } });
  const me = await service.send('GET', '/api/users/me', { token: signedIn.body.token });
  expect(me.body).toEqual(signedIn.body.user);
});

test('the wallet with the signup bonus exists when the answer arrives', async () => {
  const { id } = await registerPerson(service);
  const { rows } = await owner.query('select free, paid from credits.balances where wallet_id = $1', [id]);
  expect(rows).toEqual([{ free: 150, paid: 0 }]);
});

test('an address or username that is taken is refused, whatever its spelling', async () => {
  const person = await registerPerson(service, { email: newEmail() });
  const again = await register({ email: ` ${person.email.toUpperCase()} `.trim(), password: 'Test1234!' });
  expect(again).toMatchObject({ status: 409, body: { code: 'users.email_taken' } });

  const username = `ada-${randomUUID()}`;
  expect((await register({ email: newEmail(), password: 'Test1234!', username })).status).toBe(201);
  const email = newEmail();
  const same = await register({ email, password: 'Test1234!', username: username.toUpperCase() });
  expect(same).toMatchObject({ status: 409, body: { code: 'users.username_taken' } });
  const { rows } = await owner.query('select id from auth.users where email = $1', [email]);
  expect(rows).toEqual([]);
});

test('of many registrations of one address at once, one succeeds', async () => {
  const body = { email: newEmail(), password: 'Test1234!' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => register(body)));
  const made = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ body }) => body.code === 'users.email_taken');
  expect([made.length, refused.length]).toEqual([1, 9]);
});

test.each([
  ['seven characters', 'short12'],
  ['seven characters that are fourteen UTF-16 units', '🔑🔑🔑🔑🔑🔑🔑'],
  ['the address itself', 'Somebody@Example.com'],
])('a password of %s is refused with the reason', async (_, password) => {
  const answer = await register({ email: 'somebody@example.com', password });
  expect(answer).toMatchObject({ status: 400, body: { code: 'auth.password_unacceptable' } });
  expect(answer.body.errors).toEqual([{ path: '/body/password', message: expect.stringContaining('must') }]);
});

test.each([
  ['8 characters', 'q7!mzK2p'],
  ['64 characters', 'correct horse battery staple, and then some more words to fill it'.slice(0, 64)],
  ['300 characters', 'long pass phrase '.repeat(20).slice(0, 300)],
  ['only letters of another script', 'пароль лампа'],
])('a password of %s is taken whole', async (_, password) => {
  const person = await registerPerson(service, { password });
  expect((await logIn(service, person)).status).toBe(200);
  expect((await logIn(service, person, password.slice(0, -1))).status).toBe(401);
  expect((await logIn(service, person, `${password}x`)).status).toBe(401);
});

test('one password typed on different keyboards is one password (NFKC)', async () => {
  const person = await registerPerson(service, { password: 'cafe\u0301 ﬁlter' });
  expect((await logIn(service, person, 'caf\u00e9 filter')).status).toBe(200);
});

test.each([
  ['no at sign', { email: 'somebody' }, '/body/email'],
  ['a line break', { email: 'a@b.example\nBcc: x@y.example' }, '/body/email'],
  ['a character that becomes a separator', { email: 'a\uff20b@example.com' }, '/body/email'],
  ['an invisible character', { email: 'a\u200bb@example.com' }, '/body/email'],
  ['a dot at the end', { email: 'somebody@example.com.' }, '/body/email'],
  ['a wide dot at the end', { email: 'somebody@example.com\uff0e' }, '/body/email'],
  ['a number', { email: 7 }, '/body/email'],
  ['a password that is an object', { password: {} }, '/body/password'],
  ['a name with control characters', { name: 'a\u0007' }, '/body/name'],
  ['an empty name', { name: '' }, '/body/name'],
  ['a username with a space', { username: 'a b' }, '/body/username'],
])('%s is refused and the field is named', async (_, change, path) => {
  const answer = await register({ email: newEmail(), password: 'Test1234!', ...change });
  expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  expect(answer.body.errors[0].path).toBe(path);
});

test('fields that are not known are ignored, and give nothing', async () => {
  const answer = await register({ email: newEmail(), password: 'Test1234!', role: 'admin', credits: 9999 });
  expect(answer).toMatchObject({ status: 201, body: { role: 'user', credits: 150 } });
});
