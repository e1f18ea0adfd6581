import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const newPassword = 'a lantern for the horse';

const post = (path: string, body: unknown, token?: string): Promise<Answer> =>
  service.send('POST', `/api/v1/auth/${path}`, { body, ...(token ? { token } : {}) });

/** The token of the newest mail with such a link, after the jobs have run. */
async function tokenFor(person: Person, path: 'verify-email' | 'reset-password'): Promise<string> {
  const links = (await service.mails(person.email)).flatMap((mail) => mail.links);
  const link = links.find((candidate) => new URL(candidate).pathname === `/${path}`);
  return new URL(link ?? '').searchParams.get('token') ?? '';
}

async function askForReset(person: Person): Promise<string> {
  expect((await post('forgot-password', { email: person.email })).status).toBe(200);
  return tokenFor(person, 'reset-password');
}

async function eventsOf(person: Person): Promise<string[]> {
  const { rows } = await owner.query<{ type: string }>(
    'select type from auth.security_events where user_id = $1 order by created_at, id',
    [person.id],
  );
  return rows.map((row) => row.type);
}

async function isVerified(person: Person): Promise<boolean> {
  const { rows } = await owner.query('select email_verified_at from auth.users where id = $1', [person.id]);
  return rows[0].email_verified_at !== null;
}

const isAlive = async (token: string) =>
  (await service.send('GET', '/api/v1/auth/me', { token })).status === 200;

test('a registration sends a link that confirms the address, once', async () => {
  const person = await registerPerson(service);
  const token = await tokenFor(person, 'verify-email');
  expect(await isVerified(person)).toBe(false);
  expect(await post('verify-email', { token })).toMatchObject({ status: 200, body: { success: true } });
  expect(await isVerified(person)).toBe(true);
  expect(await eventsOf(person)).toContain('email.verified');
  expect(await post('verify-email', { token })).toMatchObject({
    status: 400,
    body: { code: 'auth.link_invalid' },
  });
});

test('a registration that fails sends nothing', async () => {
  const person = await registerPerson(service);
  await service.mails();
  const again = await post('register', { email: person.email, password: person.password });
  expect(again.status).toBe(409);
  expect(await service.mails(person.email)).toHaveLength(1);
});

test('the confirming link is sent again until it was used, and the answer never differs', async () => {
  const person = await registerPerson(service);
  const answers = [await post('resend-verification', { email: person.email })];
  const token = await tokenFor(person, 'verify-email');
  expect(await service.mails(person.email)).toHaveLength(2);
  expect((await post('verify-email', { token })).status).toBe(200);
  answers.push(await post('resend-verification', { email: person.email }));
  answers.push(await post('resend-verification', { email: 'nobody@example.com' }));
  expect(await service.mails(person.email)).toHaveLength(2);
  expect(await service.mails('nobody@example.com')).toEqual([]);
  for (const { status, body } of answers) {
    expect({ status, body }).toEqual({ status: 200, body: answers[0]?.body });
  }
});

test('earlier links keep working when a mail is asked for again', async () => {
  const person = await registerPerson(service);
  const first = await tokenFor(person, 'verify-email');
  await post('resend-verification', { email: person.email.toUpperCase() });
  expect(await tokenFor(person, 'verify-email')).not.toBe(first);
  expect((await post('verify-email', { token: first })).status).toBe(200);
});

test.each([
  ['forgot-password', 'reset-password'],
  ['resend-verification', 'verify-email'],
])('%s sends at most five links an hour to one mailbox', async (path, page) => {
  const person = await registerPerson(service);
  const countLinks = async () =>
    (await service.mails(person.email)).filter((mail) => mail.text.includes(`/${page}?`)).length;
  for (let asked = 0; asked < 8; asked++) {
    expect((await post(path, { email: person.email })).status).toBe(200);
    await service.mails();
  }
  expect(await countLinks()).toBe(5);
  service.clock.advance({ hours: 1 });
  await post(path, { email: person.email });
  expect(await countLinks()).toBe(6);
});

test('who uses a link is sent new ones', async () => {
  const person = await registerPerson(service);
  for (let reset = 1; reset <= 7; reset++) {
    service.clock.advance({ minutes: 1 });
    const body = { token: await askForReset(person), newPassword: `${newPassword} ${reset}` };
    expect((await post('reset-password', body)).status).toBe(200);
  }
});

test('a reset sets the password, ends every session and refresh token, tells the address', async () => {
  const person = await registerPerson(service);
  const devices = [await signIn(service, person), await signIn(service, person)];
  const token = await askForReset(person);
  expect(await post('reset-password', { token, newPassword })).toMatchObject({
    status: 200,
    body: { success: true },
  });
  for (const { accessToken, refreshToken } of devices) {
    expect(await isAlive(accessToken)).toBe(false);
    expect((await post('refresh', { refreshToken })).status).toBe(401);
  }
  expect((await logIn(service, person)).status).toBe(401);
  expect((await logIn(service, person, newPassword)).status).toBe(200);
  const [notice] = await service.mails(person.email);
  expect(notice?.subject).toBe('Your Obol password was changed');
  expect(notice?.text).toContain('was reset through a link in a mail to this address');
  expect(await eventsOf(person)).toEqual(
    expect.arrayContaining(['password.reset_requested', 'password.reset']),
  );
  expect(await isVerified(person)).toBe(true);
});

test('a reset signs nobody in', async () => {
  const person = await registerPerson(service);
  const answer = await post('reset-password', { token: await askForReset(person), newPassword });
  expect(answer.body).toEqual({ success: true, message: expect.any(String) });
  expect(answer.headers.get('set-cookie')).toBeNull();
  const { rows } = await owner.query('select from auth.sessions where user_id = $1', [person.id]);
  expect(rows).toHaveLength(0);
});

test('a link works for an hour and not longer', async () => {
  const [early, late] = [await registerPerson(service), await registerPerson(service)];
  const tokens = [await askForReset(early), await askForReset(late)];
  service.clock.advance({ minutes: 59, seconds: 59 });
  expect((await post('reset-password', { token: tokens[0], newPassword })).status).toBe(200);
  service.clock.advance({ seconds: 1 });
  const refused = await post('reset-password', { token: tokens[1], newPassword });
  expect(refused).toMatchObject({ status: 400, body: { code: 'auth.link_invalid' } });
  expect((await logIn(service, late)).status).toBe(200);
});

test('a link that was used, made up, or made for something else does nothing', async () => {
  const person = await registerPerson(service);
  const verification = await tokenFor(person, 'verify-email');
  const reset = await askForReset(person);
  const refused = { status: 400, body: { code: 'auth.link_invalid' } };
  expect(await post('reset-password', { token: verification, newPassword })).toMatchObject(refused);
  expect(await post('verify-email', { token: reset })).toMatchObject(refused);
  expect(await post('reset-password', { token: 'x'.repeat(43), newPassword })).toMatchObject(refused);
  expect((await post('reset-password', { token: reset, newPassword })).status).toBe(200);
  expect(await post('reset-password', { token: reset, newPassword: 'yet another lantern' })).toMatchObject(
    refused,
  );
  expect((await logIn(service, person, newPassword)).status).toBe(200);
});

test("a link changes its own person's account and no other", async () => {
  const [alice, bob] = [await registerPerson(service), await registerPerson(service)];
  const { accessToken } = await signIn(service, bob);
  expect((await post('reset-password', { token: await askForReset(alice), newPassword })).status).toBe(200);
  expect(await isAlive(accessToken)).toBe(true);
  expect((await logIn(service, bob)).status).toBe(200);
  expect(await isVerified(bob)).toBe(false);
});

test('a reset makes the other links on their way void', async () => {
  const person = await registerPerson(service);
  const first = await askForReset(person);
  const second = await askForReset(person);
  expect(second).not.toBe(first);
  expect((await post('reset-password', { token: first, newPassword })).status).toBe(200);
  expect((await post('reset-password', { token: second, newPassword: 'third lantern horse' })).status).toBe(
    400,
  );
});

test('a link does not outlive a change of address or of standing', async () => {
  const [moved, deactivated] = [await registerPerson(service), await registerPerson(service)];
  const tokens = [await askForReset(moved), await askForReset(deactivated)];
  await owner.query('update auth.users set email = $2 where id = $1', [
    moved.id,
    `${randomUUID()}@example.com`,
  ]);
  await owner.query('update auth.users set is_active = false where id = $1', [deactivated.id]);
  for (const token of tokens) {
    expect(await post('reset-password', { token, newPassword })).toMatchObject({
      body: { code: 'auth.link_invalid' },
    });
  }
  await service.mails();
  await post('forgot-password', { email: deactivated.email });
  expect(await service.mails(deactivated.email)).toHaveLength(2);
});

test('of ten parallel uses of one link, one succeeds', async () => {
  const person = await registerPerson(service);
  const token = await askForReset(person);
  const passwords = Array.from({ length: 10 }, (_, index) => `lantern horse number ${index}`);
  const answers = await Promise.all(
    passwords.map((password) => post('reset-password', { token, newPassword: password })),
  );
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  const winner = passwords[answers.findIndex((answer) => answer.status === 200)];
  expect((await logIn(service, person, winner)).status).toBe(200);
});

test('a refused password leaves the link as it is', async () => {
  const person = await registerPerson(service);
  const token = await askForReset(person);
  const refused = await post('reset-password', { token, newPassword: 'short' });
  expect(refused).toMatchObject({
    status: 400,
    body: { code: 'auth.password_unacceptable', errors: [{ path: '/body/newPassword' }] },
  });
  expect((await post('reset-password', { token, newPassword })).status).toBe(200);
});

test('tokens are stored as hashes only', async () => {
  const person = await registerPerson(service);
  const token = await askForReset(person);
  const { rows } = await owner.query(
    `select t::text as row, token_hash, expires_at - created_at <= interval '1 hour' as is_short
       from auth.verification_tokens t where user_id = $1 and purpose = 'reset_password'`,
    [person.id],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].token_hash).toEqual(createHash('sha256').update(token).digest());
  expect(rows[0].row).not.toContain(token);
  expect(rows[0].is_short).toBe(true);
});

test('expired tokens go when a new one is made', async () => {
  const person = await registerPerson(service);
  await askForReset(person);
  service.clock.advance({ hours: 2 });
  await askForReset(person);
  const { rows } = await owner.query(
    `select from auth.verification_tokens where user_id = $1 and purpose = 'reset_password'`,
    [person.id],
  );
  expect(rows).toHaveLength(1);
});
