import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { codeOf, registerWithTotp, verifyCode } from '../../../../test/harness/factors.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { eventsOf } from '../../../../test/harness/upstream.ts';

const service = await startTestService();

const post = (path: string, body: unknown) => service.send('POST', `/api/v1/auth${path}`, { body });

async function linkTokenOf(email: string, path: string): Promise<string | undefined> {
  const links = (await service.mails(email)).flatMap((mail) => mail.links);
  const link = links.find((url) => new URL(url).pathname === path);
  return link === undefined ? undefined : (new URL(link).searchParams.get('token') ?? undefined);
}

async function confirm(person: Person): Promise<void> {
  const token = await linkTokenOf(person.email, '/verify-email');
  expect((await post('/verify-email', { token })).status).toBe(200);
}

async function askLink(person: Person): Promise<string | undefined> {
  await post('/magic-link', { email: person.email });
  return linkTokenOf(person.email, '/magic-link');
}

const facts = ({ status, body, headers }: Answer) => ({ status, body, names: [...headers.keys()] });

test('a link signs in once', async () => {
  const person = await registerPerson(service);
  await confirm(person);
  const token = await askLink(person);
  const { status, body } = await post('/magic-link/verify', { token });
  expect(status).toBe(200);
  expect(body.user.email).toBe(person.email);
  expect(decodeJwt(body.accessToken)).toMatchObject({ amr: ['email'], acr: 'urn:obol:password' });
  expect((await post('/magic-link/verify', { token })).body.code).toBe('auth.link_invalid');
});

test('the answer is the same for an unknown address, to which nothing is sent', async () => {
  const person = await registerPerson(service);
  await confirm(person);
  const unknown = person.email.replace(/^.{8}/, 'nobody00');
  const [one, other] = [
    await post('/magic-link', { email: person.email }),
    await post('/magic-link', { email: unknown }),
  ];
  expect(facts(one)).toEqual(facts(other));
  expect(await service.mails(unknown)).toEqual([]);
});

test('the second factor is asked for as ever', async () => {
  const holder = await registerWithTotp(service);
  await confirm(holder);
  const { body } = await post('/magic-link/verify', { token: await askLink(holder) });
  expect(body).toMatchObject({ twoFactorRequired: true, methods: ['totp', 'backup_code'] });
  expect(body.accessToken).toBeUndefined();
  const answer = await verifyCode(service, body.challengeToken, codeOf(service, holder.secret));
  expect(decodeJwt(answer.body.accessToken)).toMatchObject({ amr: ['email', 'otp', 'mfa'] });
});

test('a link to an address that nobody had confirmed leaves nothing of whoever registered it', async () => {
  const squatter = await registerPerson(service);
  const { accessToken: before, refreshToken } = await signIn(service, squatter);
  const { key } = await makeKey(service, before);
  const { status, body } = await post('/magic-link/verify', { token: await askLink(squatter) });
  expect([status, body.user?.id, body.user?.emailVerified]).toEqual([200, squatter.id, true]);
  expect((await logIn(service, squatter)).status).toBe(401);
  expect((await service.send('GET', '/api/v1/auth/me', { token: before })).status).toBe(401);
  expect((await post('/refresh', { refreshToken })).status).toBe(401);
  expect((await verifyKey(service, key)).body.valid).toBe(false);
  expect(await eventsOf(service, body.accessToken)).toContain('account.reclaimed');
  // From now on it is theirs: the next link takes nothing away.
  const { key: own } = await makeKey(service, body.accessToken);
  expect((await post('/magic-link/verify', { token: await askLink(squatter) })).status).toBe(200);
  expect((await verifyKey(service, own)).body.valid).toBe(true);
});

test('such a link does not get past a second factor; both together confirm the address', async () => {
  const holder = await registerWithTotp(service);
  const { body } = await post('/magic-link/verify', { token: await askLink(holder) });
  expect(body).toMatchObject({ twoFactorRequired: true });
  expect((await logIn(service, holder)).status).toBe(401);
  const answer = await verifyCode(service, body.challengeToken, codeOf(service, holder.secret));
  expect(answer.body.user).toMatchObject({ id: holder.id, emailVerified: true });
  const token = answer.body.accessToken;
  expect((await post('/magic-link/verify', { token: await askLink(holder) })).status).toBe(200);
  expect((await service.send('GET', '/api/v1/auth/me', { token })).status).toBe(200);
});

test('of ten uses at once, one signs in; after a quarter of an hour none does', async () => {
  const person = await registerPerson(service);
  await confirm(person);
  const token = await askLink(person);
  const answers = await Promise.all(Array.from({ length: 10 }, () => post('/magic-link/verify', { token })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const late = await askLink(person);
  service.clock.advance({ minutes: 15 });
  expect((await post('/magic-link/verify', { token: late })).body.code).toBe('auth.link_invalid');
});

test('a replaced password makes links on their way void', async () => {
  const person = await registerPerson(service);
  await confirm(person);
  const token = await askLink(person);
  const { body } = await post('/login', { email: person.email, password: person.password });
  await service.send('POST', '/api/v1/auth/change-password', {
    token: body.accessToken,
    body: { currentPassword: person.password, newPassword: 'another lantern for the horse' },
  });
  expect((await post('/magic-link/verify', { token })).body.code).toBe('auth.link_invalid');
});

test.each([[{ token: 7 }], [{ token: '' }], [{}], [{ token: 'x'.repeat(201) }]])(
  'a link with %j is refused with 400',
  async (body) => {
    expect((await post('/magic-link/verify', body)).status).toBe(400);
  },
);

test('the link opens a page; opening it uses nothing up', async () => {
  const person = await registerPerson(service);
  await confirm(person);
  const token = await askLink(person);
  for (let count = 0; count < 2; count++) {
    const page = await fetch(`${service.url}/magic-link?token=${token}`);
    expect([page.status, (await page.text()).includes('Press the button')]).toEqual([200, true]);
  }
  expect((await post('/magic-link/verify', { token })).status).toBe(200);
});
