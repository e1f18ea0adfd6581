import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { codeOf, registerWithTotp, signInWithTotp } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();

const post = (path: string, token: string | undefined, body?: unknown, headers?: Record<string, string>) =>
  service.send('POST', `/api/v1/auth${path}`, {
    ...(token ? { token } : {}),
    ...(body ? { body } : {}),
    ...(headers ? { headers } : {}),
  });

test('rule 23: a change of factors takes a sign-in of the last half hour', async () => {
  const person = await registerPerson(service);
  const { accessToken, refreshToken } = await signIn(service, person);
  service.clock.advance({ seconds: 1800 });
  const { body: kept } = await post('/refresh', undefined, { refreshToken });
  expect((await post('/2fa/setup', kept.accessToken)).status).toBe(200);
  service.clock.advance({ seconds: 1 });
  const paths = ['/2fa/setup', '/2fa/backup-codes', '/passkeys/register/options'];
  for (const path of paths) {
    expect(await post(path, kept.accessToken), path).toMatchObject({
      status: 403,
      body: { code: 'auth.step_up_required', methods: ['password'], maxAgeSeconds: 1800 },
    });
  }
  expect((await post('/2fa/setup', accessToken)).status).toBe(401);
});

test('rule 23: the session has another id afterwards, and access tokens before are dead', async () => {
  const person = await registerPerson(service);
  const { accessToken, refreshToken } = await signIn(service, person);
  const sibling = await post('/refresh', undefined, { refreshToken });
  service.clock.advance({ minutes: 10 });
  const { status, body } = await post('/step-up', accessToken, { password: person.password });
  expect(status).toBe(200);
  const [before, after] = [decodeJwt(accessToken), decodeJwt(body.accessToken)];
  expect(after['sid']).not.toBe(before['sid']);
  expect(after['auth_time']).toBe(Math.floor(service.clock.now().getTime() / 1000));
  const meOf = async (token: string) => (await service.send('GET', '/api/v1/auth/me', { token })).status;
  expect(await meOf(accessToken)).toBe(401);
  expect(await meOf(body.accessToken)).toBe(200);
  // Sibling apps go on with the refresh tokens that they have, and with their own new one.
  expect((await post('/refresh', undefined, { refreshToken: sibling.body.refreshToken })).status).toBe(200);
  expect((await post('/refresh', undefined, { refreshToken: body.refreshToken })).status).toBe(200);
  const { body: list } = await service.send('GET', '/api/v1/auth/sessions', { token: body.accessToken });
  expect(list.sessions).toHaveLength(1);
});

test('the browser that asks with its cookie gets another one; other cookies stay', async () => {
  const person = await registerPerson(service);
  const login = await post('/login', undefined, { email: person.email, password: person.password });
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const shareWith = async (value: string) =>
    (await post('/session-to-token', undefined, {}, { cookie: value })).status;
  const without = await post('/step-up', login.body.accessToken, { password: person.password });
  expect(without.headers.getSetCookie()).toEqual([]);
  expect(await shareWith(cookie)).toBe(200);
  const raised = await post('/step-up', without.body.accessToken, { password: person.password }, { cookie });
  const renewed = raised.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect(await shareWith(cookie)).toBe(401);
  expect(await shareWith(renewed)).toBe(200);
});

test('with a second factor on, the password is not enough', async () => {
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  expect(await post('/step-up', accessToken, { password: holder.password })).toMatchObject({
    status: 403,
    body: { code: 'auth.step_up_required', methods: ['totp', 'backup_code'] },
  });
  expect((await post('/step-up', accessToken, { code: '000000' })).body.code).toBe('auth.code_wrong');
  const { status, body } = await post('/step-up', accessToken, { code: codeOf(service, holder.secret) });
  expect(status).toBe(200);
  expect(decodeJwt(body.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
});

test('a session that went without the second factor has to show it before a change', async () => {
  const holder = await registerWithTotp(service);
  const { email, password } = holder;
  const challenge = await post('/login', undefined, { email, password });
  const { challengeToken } = challenge.body;
  const code = codeOf(service, holder.secret);
  const { body } = await post('/2fa/verify', undefined, { challengeToken, code, rememberDevice: true });
  const skipped = await post('/login', undefined, { email, password, deviceToken: body.deviceToken });
  const refused = await post('/2fa/backup-codes', skipped.body.accessToken);
  expect(refused.body).toMatchObject({ code: 'auth.step_up_required', methods: ['totp', 'backup_code'] });
  service.clock.advance({ seconds: 30 });
  const raised = await post('/step-up', skipped.body.accessToken, { code: codeOf(service, holder.secret) });
  expect((await post('/2fa/backup-codes', raised.body.accessToken)).status).toBe(200);
});

test('of two steps up of one session at once, one raises it', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => post('/step-up', accessToken, { password: person.password })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { body } of answers.filter(({ status }) => status !== 200))
    expect(body.code).toBe('auth.session_ended');
});

test('what hangs on the session goes along', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { body } = await post('/step-up', accessToken, { password: person.password });
  const owner = await connectAsOwner(service);
  const { rows } = await owner.query(
    'select distinct session_id from auth.refresh_tokens where user_id = $1',
    [person.id],
  );
  expect(rows).toEqual([{ session_id: decodeJwt(body.accessToken)['sid'] }]);
});

test.each([
  [{}, 400],
  [{ password: 'one', code: '123456' }, 400],
  [{ password: 7 }, 400],
  [{ code: '12' }, 400],
  [{ passkey: { id: 'x' } }, 400],
  [{ password: 'not the password' }, 403],
  [{ code: '123456' }, 403],
])('a step up with %j is refused with %i', async (body, status) => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  expect((await post('/step-up', accessToken, body)).status).toBe(status);
});

test('nobody steps up without a session', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  await post('/logout', accessToken);
  expect((await post('/step-up', accessToken, { password: 'x' })).status).toBe(401);
  expect((await post('/step-up', undefined, { password: 'x' })).status).toBe(401);
  expect((await post('/step-up/options', accessToken)).status).toBe(401);
});
