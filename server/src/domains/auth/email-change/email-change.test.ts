import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';

const service = await startTestService();

const post = (path: string, body: unknown, token?: string) =>
  service.send('POST', `/api/v1/auth${path}`, { body, ...(token ? { token } : {}) });
const newAddress = () => `${randomUUID()}@example.com`;

async function ask(person: Person, newEmail: string, password = person.password) {
  const { accessToken } = await signIn(service, person);
  return { ...(await post('/change-email', { newEmail, password }, accessToken)), accessToken };
}

async function tokenAt(email: string): Promise<string | undefined> {
  const links = (await service.mails(email)).flatMap((mail) => mail.links);
  const link = links.find((url) => new URL(url).pathname === '/change-email');
  return link === undefined ? undefined : (new URL(link).searchParams.get('token') ?? undefined);
}

test('rule 23: the link to the new address changes it, and the old address is told', async () => {
  const person = await registerPerson(service);
  const newEmail = newAddress();
  const { status, accessToken } = await ask(person, newEmail.toUpperCase());
  expect(status).toBe(200);
  const token = await tokenAt(newEmail);
  expect((await service.mails(person.email))[0]?.subject).toContain('is to get another address');
  expect((await logIn(service, person)).status).toBe(200);
  expect((await post('/change-email/verify', { token })).status).toBe(200);
  expect((await logIn(service, person)).status).toBe(401);
  expect((await logIn(service, { ...person, email: newEmail })).status).toBe(200);
  expect((await service.mails(person.email))[0]?.subject).toContain('has another address');
  const me = await service.send('GET', '/api/v1/auth/me', { token: accessToken });
  expect(me.body).toMatchObject({ email: newEmail, emailVerified: true });
  expect((await post('/change-email/verify', { token })).body.code).toBe('auth.link_invalid');
});

test('a wrong password, no session or no address: nothing is sent', async () => {
  const person = await registerPerson(service);
  const newEmail = newAddress();
  expect((await ask(person, newEmail, 'not the password')).body.code).toBe('auth.password_wrong');
  expect((await ask(person, 'nobody')).status).toBe(400);
  expect((await post('/change-email', { newEmail, password: person.password })).status).toBe(401);
  const { accessToken } = await signIn(service, person);
  expect((await post('/change-email', { newEmail }, accessToken)).status).toBe(400);
  expect(await service.mails(newEmail)).toEqual([]);
});

test('an address that has an account answers the same, and stays whose it is', async () => {
  const [person, other] = [await registerPerson(service), await registerPerson(service)];
  const [taken, free] = [await ask(person, other.email), await ask(person, newAddress())];
  expect([taken.status, taken.body]).toEqual([free.status, free.body]);
  expect(await tokenAt(other.email)).toBeUndefined();
  const late = newAddress();
  await ask(person, late);
  const token = await tokenAt(late);
  await registerPerson(service, { email: late });
  expect(await post('/change-email/verify', { token })).toMatchObject({
    status: 409,
    body: { code: 'users.email_taken' },
  });
});

test('of two links, the one used first decides; links to the address before are void', async () => {
  const person = await registerPerson(service);
  const [first, second] = [newAddress(), newAddress()];
  await ask(person, first);
  await ask(person, second);
  await post('/forgot-password', { email: person.email });
  const reset = (await service.mails(person.email)).flatMap((mail) => mail.links);
  const [one, two] = [await tokenAt(first), await tokenAt(second)];
  expect((await post('/change-email/verify', { token: one })).status).toBe(200);
  expect((await post('/change-email/verify', { token: two })).body.code).toBe('auth.link_invalid');
  const link = reset.find((url) => new URL(url).pathname === '/reset-password') ?? '';
  const body = { token: new URL(link).searchParams.get('token'), newPassword: 'a lantern for the horse' };
  expect((await post('/reset-password', body)).body.code).toBe('auth.link_invalid');
});

test('five links an hour, then no more', async () => {
  const person = await registerPerson(service);
  for (let count = 0; count < 5; count++) expect((await ask(person, newAddress())).status).toBe(200);
  expect((await ask(person, newAddress())).status).toBe(429);
});
