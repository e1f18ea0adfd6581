import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../test/harness/locks.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);

const refresh = (refreshToken: string, at: TestService = service) =>
  at.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
const me = (token: string, at: TestService = service) => at.send('GET', '/api/v1/auth/me', { token });
const newSession = async (at: TestService = service) => signIn(at, await registerPerson(at));

test('a refresh gives a new pair of the same session, and spends the token', async () => {
  const first = await newSession();
  service.clock.advance({ minutes: 14 });
  const answer = await refresh(first.refreshToken);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ expiresIn: 900, tokenType: 'Bearer', token: answer.body.accessToken });
  expect(answer.body.refreshToken).not.toBe(first.refreshToken);
  expect(sessionOf(answer.body.accessToken)).toBe(sessionOf(first.accessToken));
  expect((await me(answer.body.accessToken)).status).toBe(200);
  service.clock.advance({ minutes: 2 });
  expect((await me(first.accessToken)).body.code).toBe('auth.token_invalid');
  expect((await me(answer.body.accessToken)).status).toBe(200);
});

test('of 20 parallel refreshes of one token, in two processes, one gets a successor and the family lives', async () => {
  const first = await newSession();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => refresh(first.refreshToken, index % 2 ? service : second)),
  );
  const winners = answers.filter(({ status }) => status === 200);
  const others = answers.filter(({ status }) => status !== 200);
  expect(winners).toHaveLength(1);
  for (const { status, body } of others) {
    expect({ status, code: body.code }).toEqual({ status: 401, code: 'auth.refresh_superseded' });
    expect(body).not.toHaveProperty('accessToken');
    expect(body).not.toHaveProperty('refreshToken');
  }
  expect((await refresh(winners[0]!.body.refreshToken)).status).toBe(200);
  const { rows } = await owner.query(
    `select count(*) filter (where consumed_at is null) as living, count(*) as all
       from auth.refresh_tokens where session_id = $1`,
    [sessionOf(first.accessToken)],
  );
  expect(rows).toEqual([{ living: 1, all: 3 }]);
});

test('within the window a second use is refused, and the family lives', async () => {
  const first = await newSession();
  const next = (await refresh(first.refreshToken)).body;
  service.clock.advance({ ms: 9_999 });
  expect((await refresh(first.refreshToken)).body.code).toBe('auth.refresh_superseded');
  expect((await me(next.accessToken)).status).toBe(200);
  expect((await refresh(next.refreshToken)).status).toBe(200);
});

test('after the window a second use is theft: the family dies and the trail says so', async () => {
  const person = await registerPerson(service);
  const first = await signIn(service, person);
  const next = (await refresh(first.refreshToken)).body;
  service.clock.advance({ seconds: 10 });
  expect(await refresh(first.refreshToken)).toMatchObject({
    status: 401,
    body: { code: 'auth.refresh_reused' },
  });
  expect((await refresh(next.refreshToken)).body.code).toBe('auth.refresh_invalid');
  expect((await me(next.accessToken)).body.code).toBe('auth.session_ended');
  expect((await me(next.accessToken, second)).body.code).toBe('auth.session_ended');
  expect((await refresh(first.refreshToken)).body.code).toBe('auth.refresh_invalid');

  const { accessToken } = await signIn(service, person);
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token: accessToken });
  const events = body.events.filter(({ type }: { type: string }) => type === 'refresh.reused');
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ sessionId: sessionOf(first.accessToken), ipAddress: '127.0.0.1' });
});

test('theft ends one session; other devices of the person stay signed in', async () => {
  const person = await registerPerson(service);
  const [phone, laptop] = [await signIn(service, person), await signIn(service, person)];
  await refresh(phone.refreshToken);
  service.clock.advance({ minutes: 1 });
  expect((await refresh(phone.refreshToken)).body.code).toBe('auth.refresh_reused');
  expect((await refresh(laptop.refreshToken)).status).toBe(200);
});

test('REFRESH_REUSE_WINDOW_SECONDS=0 takes every second use for theft', async () => {
  const strict = await startTestService({ env: { REFRESH_REUSE_WINDOW_SECONDS: '0' } });
  const first = await newSession(strict);
  const next = (await refresh(first.refreshToken, strict)).body;
  expect((await refresh(first.refreshToken, strict)).body.code).toBe('auth.refresh_reused');
  expect((await me(next.accessToken, strict)).body.code).toBe('auth.session_ended');
});

test('refreshing does not prolong a sign-in beyond its absolute lifetime', async () => {
  let tokens = await newSession();
  for (let day = 0; day < 6; day++) {
    service.clock.advance({ days: 1 });
    tokens = (await refresh(tokens.refreshToken)).body;
  }
  service.clock.advance({ hours: 23, minutes: 55 });
  const last = await refresh(tokens.refreshToken);
  expect(last.body).toMatchObject({ expiresIn: 300 });
  service.clock.advance({ minutes: 5 });
  expect((await refresh(last.body.refreshToken)).body.code).toBe('auth.refresh_invalid');
  expect((await me(last.body.accessToken)).status).toBe(401);
});

test('a refresh that races a sign-out leaves nothing that works', { timeout: 120_000 }, async () => {
  const person = await registerPerson(service);
  const outcomes = { refreshed: 0, refused: 0 };
  for (let attempt = 0; attempt < 200; attempt++) {
    const tokens = await signIn(service, person);
    const signOut = () => service.send('POST', '/api/v1/auth/logout', { token: tokens.accessToken });
    const renew = () => refresh(tokens.refreshToken, second);
    // Which of the two is sent first takes turns.
    const [renewed, signedOut] =
      attempt % 2
        ? await Promise.all([renew(), signOut()])
        : (await Promise.all([signOut(), renew()])).toReversed();
    expect(signedOut!.status).toBe(200);
    if (renewed!.status === 200) {
      outcomes.refreshed++;
      expect((await me(renewed!.body.accessToken, second)).status).toBe(401);
      expect((await refresh(renewed!.body.refreshToken)).status).toBe(401);
    } else {
      outcomes.refused++;
      expect(renewed!.status).toBe(401);
    }
    expect((await refresh(tokens.refreshToken, second)).status).toBe(401);
  }
  const { rows } = await owner.query(
    'select id from auth.sessions where user_id = $1 and revoked_at is null',
    [person.id],
  );
  expect(rows).toEqual([]);
  expect(outcomes.refreshed + outcomes.refused).toBe(200);
});

test('a refresh that waits for a sign-out to commit mints nothing', async () => {
  const tokens = await newSession();
  await owner.query('begin');
  await owner.query("update auth.sessions set revoked_at = $1, revoked_reason = 'signed_out' where id = $2", [
    service.clock.now(),
    sessionOf(tokens.accessToken),
  ]);
  const waiting = refresh(tokens.refreshToken);
  await untilSomebodyWaits(owner);
  await owner.query('commit');
  expect((await waiting).body.code).toBe('auth.refresh_invalid');
  const { rows } = await owner.query('select consumed_at from auth.refresh_tokens where session_id = $1', [
    sessionOf(tokens.accessToken),
  ]);
  expect(rows).toEqual([{ consumed_at: null }]);
});

test.each([
  ['unknown', 'A'.repeat(43), 401],
  ['an access token', 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA', 401],
  ['empty', '', 400],
])('a token that is %s is refused', async (_, token, status) => {
  expect((await refresh(token)).status).toBe(status);
});

test('a deactivated account refreshes nothing', async () => {
  const person = await registerPerson(service);
  const tokens = await signIn(service, person);
  await owner.query('update auth.users set is_active = false where id = $1', [person.id]);
  expect((await refresh(tokens.refreshToken)).body.code).toBe('auth.refresh_invalid');
  expect((await me(tokens.accessToken)).body.code).toBe('auth.session_ended');
});

function sessionOf(accessToken: string): string {
  return JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString()).sid;
}
