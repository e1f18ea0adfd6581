import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service, clock: service.clock });
const owner = await connectAsOwner(service);

const stepUp = (token: string, password: string, at: TestService = service) =>
  at.send('POST', '/api/v1/auth/step-up', { token, body: { password } });
const newPassword = 'another lantern for the horse';

/** Writes down that so many wrong passwords were sent some time ago. */
async function fail({ id }: Person, count: number, hoursAgo: number): Promise<void> {
  await owner.query(
    `insert into auth.security_events (id, user_id, type, details, created_at)
     select gen_random_uuid(), $1, 'login.failed', '{"reason": "password_wrong"}', $2 from generate_series(1, $3)`,
    [id, new Date(service.clock.now().getTime() - hoursAgo * 3_600_000), count],
  );
}

test('thirty wrong passwords of who is signed in are looked at within an hour, whichever process is asked', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const guesses = Array.from({ length: 34 }, (_, index) =>
    stepUp(accessToken, `guess ${index}`, index % 2 === 0 ? service : second),
  );
  const codes = (await Promise.all(guesses)).map(({ body }) => body.code);
  expect(codes.filter((code) => code === 'auth.password_wrong')).toHaveLength(30);
  expect(codes.filter((code) => code === 'request.rate_limited')).toHaveLength(4);
  service.clock.advance({ minutes: 10 });
  const refused = await stepUp(accessToken, person.password, second);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3000']);
  const { rows } = await owner.query(
    `select type, count(*)::int from auth.security_events
      where user_id = $1 and type in ('login.failed', 'account.suspicious') group by type order by type`,
    [person.id],
  );
  expect(rows).toEqual([
    { type: 'account.suspicious', count: 1 },
    { type: 'login.failed', count: 30 },
  ]);
  const subjects = (await service.mails(person.email)).map(({ subject }) => subject);
  expect(subjects).toContain('Somebody tries to sign in to your Obol account');
});

test('the hour ends the wait, unless there were a hundred within the day', async () => {
  const person = await registerPerson(service);
  await fail(person, 99, 2);
  const { accessToken } = await signIn(service, person);
  expect((await stepUp(accessToken, 'a guess')).body.code).toBe('auth.password_wrong');
  const refused = await stepUp(accessToken, person.password);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, String(22 * 3600)]);
  service.clock.advance({ hours: 22 });
  const later = await signIn(service, person);
  expect((await stepUp(later.accessToken, person.password)).status).toBe(200);
});

test('every route that takes the own password counts, and begins anew once there is another', async () => {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  const { password } = person;
  const routes: [string, string, (given: string) => Record<string, unknown>][] = [
    ['POST', '/api/v1/auth/step-up', (given) => ({ password: given })],
    ['POST', '/api/v1/auth/change-email', (given) => ({ newEmail: 'new@example.com', password: given })],
    ['POST', '/api/v1/auth/change-password', (given) => ({ currentPassword: given, newPassword })],
    ['POST', '/api/v1/auth/2fa/disable', (given) => ({ password: given, code: '000000' })],
    ['DELETE', '/api/v1/users/me?erase=true', (given) => ({ currentPassword: given })],
  ];
  await fail(person, 30 - routes.length, 0.5);
  for (const [method, path, bodyOf] of routes) {
    const { body } = await service.send(method, path, { token, body: bodyOf('a guess') });
    expect([path, body.code]).toEqual([path, 'auth.password_wrong']);
  }
  for (const [method, path, bodyOf] of routes) {
    const { status } = await service.send(method, path, { token, body: bodyOf(password) });
    expect([path, status]).toEqual([path, 429]);
  }
  await service.send('POST', '/api/v1/auth/forgot-password', { body: { email: person.email } });
  const links = (await service.mails(person.email)).flatMap((mail) => mail.links);
  const link = new URL(links.find((url) => url.includes('/reset-password?')) ?? '');
  const reset = { token: link.searchParams.get('token'), newPassword };
  expect((await service.send('POST', '/api/v1/auth/reset-password', { body: reset })).status).toBe(200);
  const { accessToken } = await signIn(service, { ...person, password: newPassword });
  expect((await stepUp(accessToken, newPassword)).status).toBe(200);
});
