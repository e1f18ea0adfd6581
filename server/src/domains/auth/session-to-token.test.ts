import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../test/harness/locks.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({
  env: { CORS_ORIGINS: 'https://notes.example.com', BASE_URL: 'https://id.example.com' },
});

const owner = await connectAsOwner(service);

async function signedInBrowser() {
  const person = await registerPerson(service);
  const { body, headers } = await service.send('POST', '/api/v1/auth/login', { body: person });
  return { person, tokens: body, cookie: headers.get('set-cookie')!.split(';')[0]! };
}

const share = (cookie: string, headers: Record<string, string> = {}, body: unknown = {}) =>
  service.send('POST', '/api/v1/auth/session-to-token', { body, headers: { cookie, ...headers } });
const me = (token: string) => service.send('GET', '/api/v1/auth/me', { token });
const refresh = (refreshToken: string) =>
  service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });

test('a sibling app gets a pair of its own that really works', async () => {
  const { person, tokens, cookie } = await signedInBrowser();
  const shared = await share(cookie, { origin: 'https://notes.example.com' });
  expect(shared.status).toBe(200);
  expect(shared.body.user.id).toBe(person.id);
  expect(Object.keys(shared.body).sort()).toEqual(Object.keys(tokens).sort());
  expect((await me(shared.body.accessToken)).status).toBe(200);
  const renewed = await refresh(shared.body.refreshToken);
  expect(renewed.status).toBe(200);
  expect((await refresh(renewed.body.refreshToken)).status).toBe(200);
});

test('it rotates nothing else: the first app and the cookie go on working', async () => {
  const { tokens, cookie } = await signedInBrowser();
  expect((await share(cookie)).status).toBe(200);
  expect((await share(cookie)).status).toBe(200);
  expect((await me(tokens.accessToken)).status).toBe(200);
  expect((await refresh(tokens.refreshToken)).status).toBe(200);
});

test('signing out in one app signs all of them out', async () => {
  const { tokens, cookie } = await signedInBrowser();
  const shared = (await share(cookie)).body;
  await service.send('POST', '/api/v1/auth/logout', { token: shared.accessToken });
  expect((await me(tokens.accessToken)).body.code).toBe('auth.session_ended');
  expect((await refresh(tokens.refreshToken)).status).toBe(401);
  expect((await share(cookie)).body.code).toBe('auth.cookie_invalid');
});

test('an exchange that waits for a sign-out to commit mints nothing', async () => {
  const { person, cookie } = await signedInBrowser();
  await owner.query('begin');
  const now = service.clock.now();
  await owner.query('update auth.sessions set revoked_at = $1 where user_id = $2', [now, person.id]);
  const waiting = share(cookie);
  await untilSomebodyWaits(owner);
  await owner.query('commit');
  expect((await waiting).body.code).toBe('auth.cookie_invalid');
  const text = 'select count(*) as count from auth.refresh_tokens where user_id = $1';
  expect((await owner.query(text, [person.id])).rows).toEqual([{ count: 1 }]);
});

test('the cookie dies with the absolute lifetime of the sign-in', async () => {
  const { cookie } = await signedInBrowser();
  service.clock.advance({ days: 7 });
  expect((await share(cookie)).body.code).toBe('auth.cookie_invalid');
});

test.each([
  ['a foreign page', { origin: 'https://evil.example' }],
  ['a page on an unlisted sibling', { origin: 'https://evil.id.example.com' }],
  ['a page without an origin of its own', { origin: 'null' }],
])('%s is refused', async (_, headers) => {
  const { cookie } = await signedInBrowser();
  expect(await share(cookie, headers)).toMatchObject({
    status: 403,
    body: { code: 'auth.origin_not_allowed' },
  });
});

test('without an origin, only what no form can send is taken', async () => {
  const { cookie } = await signedInBrowser();
  const bare = await service.send('POST', '/api/v1/auth/session-to-token', { headers: { cookie } });
  expect(bare.body.code).toBe('auth.origin_not_allowed');
  expect((await share(cookie)).status).toBe(200);
});

test('our own pages may use it without a body', async () => {
  const { cookie } = await signedInBrowser();
  const answer = await service.send('POST', '/api/v1/auth/session-to-token', {
    headers: { cookie, origin: 'https://id.example.com' },
  });
  expect(answer.status).toBe(200);
});

test.each([
  ['no cookie', 'other=1'],
  ['an empty cookie', '__Host-obol_session='],
  ['an unknown cookie', `__Host-obol_session=${'A'.repeat(43)}`],
  ['a cookie without the prefix', 'obol_session=x'],
])('%s signs nobody in', async (_, cookie) => {
  expect(await share(cookie)).toMatchObject({ status: 401, body: { code: 'auth.cookie_invalid' } });
});
