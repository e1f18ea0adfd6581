import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { registerWithTotp, signInWithTotp } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const newPassword = 'a lantern for the horse';

const change = (token: string | undefined, body: unknown) =>
  service.send('POST', '/api/v1/auth/change-password', { body, ...(token ? { token } : {}) });

const statusOf = async (token: string) => (await service.send('GET', '/api/v1/auth/me', { token })).status;

test('a change ends every session, goes on here in a new one, tells the address and the trail', async () => {
  const person = await registerPerson(service);
  const [here, there] = [await signIn(service, person), await signIn(service, person)];
  const answer = await change(here.accessToken, { currentPassword: person.password, newPassword });
  expect(answer).toMatchObject({ status: 200, body: { success: true, tokenType: 'Bearer' } });
  expect(await statusOf(answer.body.accessToken)).toBe(200);
  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-obol_session=[\w-]{43};/);
  for (const { accessToken } of [here, there]) expect(await statusOf(accessToken)).toBe(401);
  const refresh = (refreshToken: string) =>
    service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
  for (const { refreshToken } of [here, there]) expect((await refresh(refreshToken)).status).toBe(401);
  expect((await refresh(answer.body.refreshToken)).status).toBe(200);
  expect((await logIn(service, person)).status).toBe(401);
  expect((await logIn(service, person, newPassword)).status).toBe(200);
  const notice = (await service.mails(person.email)).find(({ subject }) => subject.includes('password'));
  expect(notice?.text).toContain('was changed by somebody who knew the old one');
  const owner = await connectAsOwner(service);
  const { rows } = await owner.query(
    `select from auth.security_events where user_id = $1 and type = 'password.changed'`,
    [person.id],
  );
  expect(rows).toHaveLength(1);
});

test('a copy of the tokens and the cookie of the session that changed it is worth nothing afterwards', async () => {
  const person = await registerPerson(service);
  const signedIn = await logIn(service, person);
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const device = { deviceId: 'phone', deviceName: 'Phone' };
  const body = { email: person.email, password: person.password, ...device };
  const { body: phone } = await service.send('POST', '/api/v1/auth/login', { body });
  const changed = await change(phone.accessToken, { currentPassword: person.password, newPassword });
  const share = () =>
    service.send('POST', '/api/v1/auth/session-to-token', { body: {}, headers: { cookie } });
  expect(await share()).toMatchObject({ status: 401, body: { code: 'auth.cookie_invalid' } });
  const { body: listed } = await service.send('GET', '/api/v1/auth/sessions', {
    token: changed.body.accessToken,
  });
  expect(listed.sessions).toMatchObject([{ ...device, current: true }]);
});

const shown = ({ accessToken }: { accessToken: string }) => {
  const { amr, auth_time } = decodeJwt(accessToken);
  return { amr, auth_time };
};

test('the password alone does not renew a second factor that was shown long ago', async () => {
  const holder = await registerWithTotp(service);
  const signedIn = await signInWithTotp(service, holder);
  service.clock.advance({ seconds: service.ctx.config.stepUpSeconds });
  const { body: late } = await service.send('POST', '/api/v1/auth/refresh', {
    body: { refreshToken: signedIn.refreshToken },
  });
  const changed = await change(late.accessToken, { currentPassword: holder.password, newPassword });
  expect(changed.status).toBe(200);
  expect(shown(changed.body)).toEqual(shown(signedIn));
  const codes = await service.send('POST', '/api/v1/auth/2fa/backup-codes', {
    token: changed.body.accessToken,
  });
  expect(codes.body.code).toBe('auth.step_up_required');
});

test('a wrong current password changes nothing', async () => {
  const person = await registerPerson(service);
  const [here, there] = [await signIn(service, person), await signIn(service, person)];
  await service.mails();
  const answer = await change(here.accessToken, { currentPassword: 'not the password', newPassword });
  expect(answer).toMatchObject({ status: 403, body: { code: 'auth.password_wrong' } });
  expect(await statusOf(there.accessToken)).toBe(200);
  expect((await logIn(service, person)).status).toBe(200);
  expect(await service.mails(person.email)).toHaveLength(1);
});

test('only a living session may change the password', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const body = { currentPassword: person.password, newPassword };
  expect(await change(undefined, body)).toMatchObject({ status: 401, body: { code: 'auth.required' } });
  await service.send('POST', '/api/v1/auth/logout', { token: accessToken });
  expect(await change(accessToken, body)).toMatchObject({
    status: 401,
    body: { code: 'auth.session_ended' },
  });
  expect((await logIn(service, person)).status).toBe(200);
});

test('of two changes at once, the second finds its current password gone', async () => {
  const person = await registerPerson(service);
  const devices = [await signIn(service, person), await signIn(service, person)];
  const answers = await Promise.all(
    devices.map(({ accessToken }, index) =>
      change(accessToken, { currentPassword: person.password, newPassword: `${newPassword} ${index}` }),
    ),
  );
  const won = answers.findIndex((answer) => answer.status === 200);
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  expect((await logIn(service, person, `${newPassword} ${won}`)).status).toBe(200);
});

test.each([
  ['short', 'must have at least 8 characters'],
  ['password123', 'is one of the most common passwords'],
  ['PassWord123', 'is one of the most common passwords'],
  ['ｐａｓｓｗｏｒｄ１２３', 'is one of the most common passwords'],
  ['ObolObol', 'must not be your e-mail address, your username or the name of this service'],
])('%s is refused with the reason', async (password, reason) => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const answer = await change(accessToken, { currentPassword: person.password, newPassword: password });
  expect(answer).toMatchObject({
    status: 400,
    body: {
      code: 'auth.password_unacceptable',
      errors: [{ path: '/body/newPassword', message: expect.stringContaining(reason) }],
    },
  });
  expect((await logIn(service, person)).status).toBe(200);
});

test('no password is taken that a sign-in would find too long', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const body = { currentPassword: person.password, newPassword: 'e\u0301'.repeat(513) };
  const answer = await change(accessToken, body);
  expect(answer.body.errors).toEqual([
    { path: '/body/newPassword', message: 'must have at most 1024 characters' },
  ]);
});

test('a password must not repeat the address or the username', async () => {
  const account = { email: 'Erika.Mustermann@example.com', username: 'mustermann-e' };
  for (const password of [account.email, account.email.toUpperCase(), 'erika.mustermann', 'Mustermann-E']) {
    const answer = await service.send('POST', '/api/v1/auth/register', { body: { ...account, password } });
    expect(answer, password).toMatchObject({ status: 400, body: { code: 'auth.password_unacceptable' } });
  }
});

test('the passwords of the clients’ first calls are no common ones', async () => {
  for (const [index, password] of ['Test1234!', 'Password@123'].entries()) {
    await registerPerson(service, { email: `first-call-${index}@example.com`, password });
  }
});
