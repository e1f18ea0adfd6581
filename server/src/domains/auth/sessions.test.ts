import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn, type Person } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);

const get = (path: string, token: string, at: TestService = service) =>
  at.send('GET', `/api/v1/auth/${path}`, { token });

/** Every route of this domain that needs a session, with what it answers to a living one. */
const guarded = [
  ['GET', 'me'],
  ['GET', 'session'],
  ['GET', 'sessions'],
  ['GET', 'security-events'],
  ['DELETE', 'sessions'],
  ['DELETE', `sessions/${randomUUID()}`],
  ['POST', 'logout'],
] as const;

async function signInOn(person: Person, deviceName: string) {
  const { body } = await service.send('POST', '/api/v1/auth/login', {
    body: { email: person.email, password: person.password, deviceId: deviceName.toLowerCase(), deviceName },
    headers: { 'user-agent': `Browser of the ${deviceName}` },
  });
  return body as { accessToken: string; refreshToken: string };
}

test('two devices are two sessions, each listed as itself', async () => {
  const person = await registerPerson(service);
  const phone = await signInOn(person, 'Phone');
  service.clock.advance({ minutes: 1 });
  const laptop = await signInOn(person, 'Laptop');
  const { body } = await get('sessions', phone.accessToken);
  expect(body.sessions).toHaveLength(2);
  expect(body.sessions[0]).toMatchObject({ deviceName: 'Laptop', deviceId: 'laptop', current: false });
  expect(body.sessions[1]).toEqual({
    id: expect.any(String),
    deviceId: 'phone',
    deviceName: 'Phone',
    userAgent: 'Browser of the Phone',
    ipAddress: '127.0.0.1',
    createdAt: '2026-03-01T12:00:00.000Z',
    lastUsedAt: '2026-03-01T12:00:00.000Z',
    expiresAt: '2026-03-08T12:00:00.000Z',
    current: true,
    impersonated: false,
  });
  service.clock.advance({ minutes: 1 });
  await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken: phone.refreshToken } });
  const later = (await get('sessions', laptop.accessToken)).body.sessions;
  expect(later.map(({ deviceName }: { deviceName: string }) => deviceName)).toEqual(['Phone', 'Laptop']);
});

test('GET /session shows the person and the session they ask with', async () => {
  const person = await registerPerson(service);
  const phone = await signInOn(person, 'Phone');
  const { body } = await get('session', phone.accessToken);
  expect(body).toMatchObject({ user: { id: person.id }, session: { deviceName: 'Phone', current: true } });
  expect(body.user).toEqual((await get('me', phone.accessToken)).body);
});

test('signing out ends the session, its refresh token and its cookie at once, in every process', async () => {
  const person = await registerPerson(service);
  const { body, headers } = await service.send('POST', '/api/v1/auth/login', { body: person });
  const cookie = headers.get('set-cookie')!.split(';')[0]!;
  // The second process has verified the token before, so that it answers from its memory.
  expect((await get('me', body.accessToken, second)).status).toBe(200);
  const signedOut = await service.send('POST', '/api/v1/auth/logout', { token: body.accessToken });
  expect(signedOut).toMatchObject({ status: 200, body: { success: true, message: expect.any(String) } });
  expect(signedOut.headers.get('set-cookie')).toMatch(/^__Host-obol_session=; Max-Age=0; /);
  for (const process of [service, second]) {
    for (const [method, path] of guarded) {
      const answer = await process.send(method, `/api/v1/auth/${path}`, { token: body.accessToken });
      expect(answer, `${method} ${path}`).toMatchObject({
        status: 401,
        body: { code: 'auth.session_ended' },
      });
    }
    const spend = await process.send('GET', '/api/v1/users/me', { token: body.accessToken });
    expect(spend.body.code).toBe('auth.session_ended');
    const refresh = { body: { refreshToken: body.refreshToken } };
    expect((await process.send('POST', '/api/v1/auth/refresh', refresh)).status).toBe(401);
    const share = { body: {}, headers: { cookie } };
    const shared = await process.send('POST', '/api/v1/auth/session-to-token', share);
    expect(shared.body.code).toBe('auth.cookie_invalid');
  }
});

test('signing out several times at once ends the session once', async () => {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  const { accessToken: other } = await signIn(service, person);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => service.send('POST', '/api/v1/auth/logout', { token })),
  );
  expect(answers.map(({ status }) => status)).toContain(200);
  expect(answers.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token: other });
  expect(body.events.filter((event: { type: string }) => event.type === 'session.ended')).toHaveLength(1);
});

test('one device signs another out, and itself stays', async () => {
  const person = await registerPerson(service);
  const [phone, laptop] = [await signInOn(person, 'Phone'), await signInOn(person, 'Laptop')];
  const { sessions } = (await get('sessions', laptop.accessToken)).body;
  const other = sessions.find(({ current }: { current: boolean }) => !current);
  const revoke = () =>
    service.send('DELETE', `/api/v1/auth/sessions/${other.id}`, { token: laptop.accessToken });
  expect(await revoke()).toMatchObject({ status: 200, body: { success: true } });
  expect((await get('me', phone.accessToken, second)).body.code).toBe('auth.session_ended');
  expect((await get('me', laptop.accessToken)).status).toBe(200);
  expect((await revoke()).status).toBe(404);
});

test("somebody else's session answers exactly like one that does not exist, and lives on", async () => {
  const [ada, ben] = [await registerPerson(service), await registerPerson(service)];
  const [adaTokens, benTokens] = [await signIn(service, ada), await signIn(service, ben)];
  const benSession = (await get('session', benTokens.accessToken)).body.session.id;
  const revoke = async (id: string) => {
    const { status, body } = await service.send('DELETE', `/api/v1/auth/sessions/${id}`, {
      token: adaTokens.accessToken,
    });
    return { status, code: body.code, detail: body.detail };
  };
  expect(await revoke(benSession)).toEqual(await revoke(randomUUID()));
  expect((await revoke(benSession)).status).toBe(404);
  expect((await get('me', benTokens.accessToken)).status).toBe(200);
});

test('signing out all others leaves this one', async () => {
  const person = await registerPerson(service);
  const [phone, laptop, tablet] = [
    await signInOn(person, 'Phone'),
    await signInOn(person, 'Laptop'),
    await signInOn(person, 'Tablet'),
  ];
  const answer = await service.send('DELETE', '/api/v1/auth/sessions', { token: tablet.accessToken });
  expect(answer).toMatchObject({ status: 200, body: { success: true, revoked: 2 } });
  for (const { accessToken } of [phone, laptop]) {
    expect((await get('me', accessToken, second)).body.code).toBe('auth.session_ended');
  }
  expect((await get('sessions', tablet.accessToken)).body.sessions).toHaveLength(1);
});

test('devices that sign each other out at the same time all get an answer', async () => {
  const person = await registerPerson(service);
  const devices = await Promise.all(Array.from({ length: 6 }, () => signIn(service, person)));
  const answers = await Promise.all(
    devices.map(({ accessToken }, index) =>
      (index % 2 ? service : second).send('DELETE', '/api/v1/auth/sessions', { token: accessToken }),
    ),
  );
  for (const { status } of answers) expect([200, 401]).toContain(status);
  expect(answers.map(({ status }) => status)).toContain(200);
});

test('a deactivated person is out at once, in every process', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  expect((await get('me', accessToken, second)).status).toBe(200);
  await owner.query('update auth.users set is_active = false where id = $1', [person.id]);
  expect((await get('me', accessToken, second)).body.code).toBe('auth.session_ended');
});

test('the trail is the own one, newest first, in pages', async () => {
  const person = await registerPerson(service);
  await signIn(service, await registerPerson(service));
  for (let login = 0; login < 3; login++) {
    service.clock.advance({ seconds: 1 });
    await signIn(service, person);
  }
  service.clock.advance({ seconds: 1 });
  const { accessToken } = await signIn(service, person);
  const all = (await get('security-events', accessToken)).body;
  expect(all.total).toBe(5);
  expect(all.events.map(({ type }: { type: string }) => type)).toEqual([
    ...Array.from({ length: 4 }, () => 'login.succeeded'),
    'account.registered',
  ]);
  const page = (await get('security-events?limit=2&offset=1', accessToken)).body;
  expect(page).toEqual({ events: all.events.slice(1, 3), total: 5, nextCursor: all.events[2].id });
  for (const query of ['limit=0', 'limit=201', 'offset=-1', 'limit=x', 'cursor=x']) {
    expect((await get(`security-events?${query}`, accessToken)).status).toBe(400);
  }
});

test('the trail can be followed to its end by cursor, also while events are added', async () => {
  const person = await registerPerson(service);
  // All at one moment: the order is still one.
  for (let login = 0; login < 4; login++) await signIn(service, person);
  const { accessToken } = await signIn(service, person);
  const { events: all } = (await get('security-events', accessToken)).body;
  const seen: unknown[] = [];
  let path = 'security-events?limit=2';
  for (;;) {
    const answer = await get(path, accessToken);
    seen.push(...answer.body.events);
    const next = /^<\/api\/v1\/auth\/(\S+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    expect(answer.body.nextCursor === null).toBe(next === undefined);
    if (next === undefined) break;
    path = next;
    service.clock.advance({ seconds: 1 });
    await signIn(service, person);
  }
  expect(seen).toEqual(all);
  const stranger = await signIn(service, await registerPerson(service));
  const foreign = await get(`security-events?cursor=${all[0].id}`, stranger.accessToken);
  expect(foreign.body).toMatchObject({ events: [], nextCursor: null });
});

test.each(guarded)('%s /%s wants a token', async (method, path) => {
  const metadata = `resource_metadata="${service.ctx.config.baseUrl}/.well-known/oauth-protected-resource"`;
  const missing = await service.send(method, `/api/v1/auth/${path}`);
  expect(missing).toMatchObject({ status: 401, body: { code: 'auth.required' } });
  expect(missing.headers.get('www-authenticate')).toBe(`Bearer ${metadata}`);
  const wrong = await service.send(method, `/api/v1/auth/${path}`, { token: 'nonsense' });
  expect(wrong).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
  expect(wrong.headers.get('www-authenticate')).toBe(`Bearer error="invalid_token", ${metadata}`);
});

test('an id of a session that is no UUID is malformed', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  for (const id of ['1', 'urn:uuid:019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11']) {
    const answer = await service.send('DELETE', `/api/v1/auth/sessions/${id}`, { token: accessToken });
    expect(answer.body.code).toBe('request.invalid');
  }
});
