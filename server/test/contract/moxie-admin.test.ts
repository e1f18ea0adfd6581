import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestService } from '../harness/index.ts';
import { addAdministrator, expectSound } from '../harness/movements.ts';
import { logIn, registerPerson, signIn } from '../harness/people.ts';

// The rows of Moxie's tables that are about users, one by one: as the person, and the administrator's rows
// with the role and without it.

const service = await startTestService();
const send: typeof service.send = (...request) => service.send(...request);

async function newPerson() {
  const person = await registerPerson(service);
  return { ...person, token: (await signIn(service, person)).accessToken };
}

const admin = await addAdministrator(service);
const ben = await newPerson();

describe('as the person', () => {
  test('GET /users/me', async () => {
    const { status, body } = await send('GET', '/api/users/me', { token: ben.token });
    expect([status, body.id, body.credits]).toEqual([200, ben.id, 150]);
  });

  test('PUT /users/me', async () => {
    const body = { name: 'Ben', picture: 'https://example.com/ben.png' };
    const answer = await send('PUT', '/api/users/me', { token: ben.token, body });
    expect(answer).toMatchObject({ status: 200, body });
  });

  test('GET /users/credits', async () => {
    await send('POST', '/api/credits/use', {
      token: ben.token,
      body: { amount: 10, appId: 'chat', description: 'Chat message' },
    });
    const { status, body, headers } = await send('GET', '/api/users/credits', { token: ben.token });
    expect([status, body.credits, headers.get('x-total-count')]).toEqual([200, 140, '2']);
    expect(body.history.map(({ type, amount }: any) => [type, amount])).toEqual([
      ['usage', -10],
      ['bonus', 150],
    ]);
    const first = await send('GET', '/api/users/credits?limit=1', { token: ben.token });
    expect(first.body.history).toHaveLength(1);
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect((await send('GET', next, { token: ben.token })).body.history[0].type).toBe('bonus');
  });

  test('DELETE /users/me deactivates, and what exists stays', async () => {
    const cleo = await newPerson();
    const answer = await send('DELETE', '/api/users/me', { token: cleo.token });
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
    expect((await send('GET', '/api/users/me', { token: cleo.token })).body.code).toBe('auth.session_ended');
    expect((await logIn(service, cleo)).body.code).toBe('auth.account_deactivated');
    const seen = await send('GET', `/api/users/${cleo.id}`, { token: admin.token });
    expect(seen.body).toMatchObject({ isActive: false, credits: 150, email: cleo.email, ban: null });
    expect(seen.body.deactivatedAt).toBe(service.clock.now().toISOString());
  });
});

describe('as an administrator', () => {
  test('GET /users: an array with its total and the way to the next page', async () => {
    const { status, body, headers } = await send('GET', '/api/users?limit=2', { token: admin.token });
    expect([status, body.length]).toEqual([200, 2]);
    expect(Number(headers.get('x-total-count'))).toBeGreaterThan(2);
    expect(headers.get('link')).toMatch(/^<\/api\/(v1\/)?users\?limit=2&cursor=[\w-]+>; rel="next"$/);
    const found = await send('GET', `/api/users?search=${ben.email.slice(0, 12)}`, { token: admin.token });
    expect(found.body.map(({ id }: any) => id)).toEqual([ben.id]);
  });

  test('GET /users/:userId', async () => {
    const { status, body } = await send('GET', `/api/users/${ben.id}`, { token: admin.token });
    const own = await send('GET', '/api/users/me', { token: ben.token });
    expect([status, body]).toEqual([200, { ...own.body, deactivatedAt: null, ban: null }]);
  });

  test('PUT /users/:userId', async () => {
    const body = { name: 'Benedict', username: `ben-${randomUUID()}` };
    const answer = await send('PUT', `/api/users/${ben.id}`, { token: admin.token, body });
    expect(answer).toMatchObject({ status: 200, body });
    const more = { email: 'other@example.com', isActive: false, role: 'admin', credits: 9 };
    const ignored = await send('PUT', `/api/users/${ben.id}`, { token: admin.token, body: more });
    expect(ignored.body).toMatchObject({ email: ben.email, isActive: true, role: 'user', credits: 140 });
  });

  test('DELETE /users/:userId', async () => {
    const dora = await newPerson();
    const gone = await send('DELETE', `/api/users/${dora.id}?reason=Asked`, { token: admin.token });
    expect(gone).toMatchObject({ status: 200, body: { success: true } });
    expect((await send('GET', '/api/users/me', { token: dora.token })).status).toBe(401);
    expect((await send('DELETE', `/api/users/${dora.id}`, { token: admin.token })).status).toBe(200);
  });

  test('POST /users/:userId/credits gives and takes, once per key, and the ledger is sound', async () => {
    const cara = await newPerson();
    const path = `/api/users/${cara.id}/credits`;
    const give = { amount: 50, description: 'Thank you', idempotencyKey: randomUUID() };
    const given = await send('POST', path, { token: admin.token, body: give });
    expect(given).toMatchObject({ status: 200, body: { newBalance: { available: 200 } } });
    const again = await send('POST', path, { token: admin.token, body: give });
    expect(again.body).toEqual(given.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await send('POST', path, { token: admin.token, body: { ...give, amount: -50 } });
    expect(other.body.code).toBe('idempotency.mismatch');
    const headers = { 'idempotency-key': randomUUID() };
    const take = { amount: -30, description: 'Granted twice' };
    for (let call = 0; call < 2; call++) {
      const taken = await send('POST', path, { token: admin.token, headers, body: take });
      expect(taken.body.newBalance.available).toBe(170);
    }
    await expectSound(service);
  });

  test('PUT /users/:userId/role', async () => {
    const eve = await newPerson();
    const path = `/api/users/${eve.id}/role`;
    const raised = await send('PUT', path, { token: admin.token, body: { role: 'admin' } });
    expect(raised).toMatchObject({ status: 200, body: { role: 'admin' } });
    expect((await send('GET', '/api/users', { token: eve.token })).status).toBe(200);
    await send('PUT', path, { token: admin.token, body: { role: 'user' } });
    expect((await send('GET', '/api/users', { token: eve.token })).body.code).toBe('auth.admin_required');
  });
});

const rows: [string, string, object?][] = [
  ['GET', '/api/users'],
  ['GET', '/api/users/export'],
  ['GET', '/api/users/:userId'],
  ['PUT', '/api/users/:userId', { name: 'X' }],
  ['DELETE', '/api/users/:userId'],
  ['POST', '/api/users/:userId/credits', { amount: 5, description: 'For me' }],
  ['PUT', '/api/users/:userId/role', { role: 'admin' }],
  ['POST', '/api/users/:userId/ban', { reason: 'None' }],
  ['POST', '/api/users/:userId/reactivate', {}],
  ['POST', '/api/users/:userId/impersonate', { reason: 'Curious' }],
  ['GET', '/api/users/:userId/sessions'],
  ['DELETE', '/api/users/:userId/sessions'],
  ['DELETE', `/api/users/:userId/sessions/${randomUUID()}`],
  ['GET', '/api/users/:userId/security-events'],
  ['GET', '/api/users/:userId/grants'],
  ['GET', '/api/audit/events'],
  ['GET', '/api/audit/events/export'],
];

describe.each(rows)('%s %s', (method, path, body) => {
  const call = (userId: string, token?: string) =>
    send(method, path.replace(':userId', userId), {
      ...(token === undefined ? {} : { token }),
      ...(body ? { body } : {}),
    });
  const problem = ({ status, body: document }: Awaited<ReturnType<typeof call>>) => {
    const { requestId: _, instance: __, ...told } = document;
    return { status, told };
  };

  test('without the role says the same of oneself, of others and of nobody', async () => {
    const answers = [ben.id, admin.userId, randomUUID()].map((id) => call(id, ben.token));
    const [own, others, nobodys] = (await Promise.all(answers)).map(problem);
    expect(own).toMatchObject({ status: 403, told: { code: 'auth.admin_required' } });
    expect(others).toEqual(own);
    expect(nobodys).toEqual(own);
  });

  test('without a token wants one', async () => {
    expect((await call(ben.id)).body.code).toBe('auth.required');
  });

  test('of nobody is not there, of a wrong id is malformed', async () => {
    if (!path.includes(':userId')) return;
    expect(problem(await call(randomUUID(), admin.token))).toMatchObject({
      status: 404,
      told: { code: 'request.not_found' },
    });
    expect((await call('1', admin.token)).body.code).toBe('request.invalid');
    expect((await call("1'%20or%20'1'='1", admin.token)).body.code).toBe('request.invalid');
  });
});

describe('what is malformed', () => {
  test.each([
    ['PUT', 'role', { role: 'owner' }],
    ['PUT', 'role', { role: 1 }],
    ['PUT', 'role', {}],
    ['POST', 'credits', { amount: 0, description: 'Nothing' }],
    ['POST', 'credits', { amount: 1.5, description: 'Half' }],
    ['POST', 'credits', { amount: '5', description: 'Text' }],
    ['POST', 'credits', { amount: 2 ** 53, description: 'Too many' }],
    ['POST', 'credits', { amount: -(2 ** 53), description: 'Too many' }],
    ['POST', 'credits', { amount: 5 }],
    ['POST', 'credits', { amount: 5, description: '' }],
    ['POST', 'ban', {}],
    ['POST', 'ban', { reason: 'a\nb' }],
    ['POST', 'ban', { reason: 'Spam', until: 'tomorrow' }],
    ['POST', 'ban', { reason: 'Spam', until: '2020-01-01' }],
    ['POST', 'ban', { reason: 'Spam', until: 12 }],
    ['POST', 'ban', { reason: 'x'.repeat(501) }],
    ['POST', 'impersonate', {}],
    ['POST', 'impersonate', { reason: '' }],
    ['POST', 'reactivate', { reason: 7 }],
  ])('%s %s %j', async (method, end, body) => {
    const answer = await send(method, `/api/users/${ben.id}/${end}`, { token: admin.token, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'request.invalid']);
  });

  test('an administrator who acts through an application has no such rights', async () => {
    const { ctx } = service;
    const iat = Math.floor(service.clock.now().getTime() / 1000);
    const token = await ctx.keys.sign({
      iss: ctx.config.jwtIssuer,
      aud: ctx.config.jwtAudience,
      sub: admin.userId,
      sid: admin.sessionId,
      jti: randomUUID(),
      iat,
      exp: iat + 60,
      role: 'admin',
      client_id: 'app_other',
      scope: 'openid credits:read',
    });
    expect((await send('GET', '/api/users', { token })).body.code).toBe('auth.insufficient_scope');
  });
});
