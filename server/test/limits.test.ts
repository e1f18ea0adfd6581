import { createServer, type Server } from 'node:net';
import { pino } from 'pino';
import { describe, expect, inject, test, vi } from 'vitest';
import { addressKey } from '../src/lib/address.ts';
import { startTestService, type Answer, type TestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const env = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: '127.0.0.1', RATE_LIMIT_MAX: '1000' };
const service = await startTestService({ env });

/** Each test works from addresses and with accounts of its own, so that none uses up another's limit. */
let lastAddress = 0;
const freshAddress = () => `198.51.${Math.floor(++lastAddress / 250)}.${(lastAddress % 250) + 1}`;
let lastAccount = 0;
const freshEmail = () => `person${++lastAccount}@example.com`;

type Call = { path?: string; body?: unknown; address?: string };

function post(at: TestService, { path = 'login', body, address = freshAddress() }: Call): Promise<Answer> {
  const headers = { 'x-forwarded-for': address };
  return at.send('POST', `/api/v1/auth/${path}`, { headers, body });
}

const wrongLogin = (email: string) => ({ email, password: 'not the password' });

async function statusesOf(count: number, call: () => Promise<Answer>): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await call()).status);
  return statuses;
}

describe('per address', () => {
  test('the general limit refuses with 429, Retry-After and what is left', async () => {
    const tight = await startTestService({ env: { ...env, RATE_LIMIT_MAX: '3' } });
    const headers = { 'x-forwarded-for': freshAddress() };
    const first = await tight.send('GET', '/api/v1/nothing', { headers });
    expect(first.status).toBe(404);
    expect(first.headers.get('ratelimit-policy')).toBe('"general";q=3;w=60');
    expect(first.headers.get('ratelimit')).toBe('"general";r=2;t=60');
    await tight.send('GET', '/api/v1/users/me', { headers });
    await tight.send('GET', '/api/v1/nothing', { headers });
    const refused = await tight.send('GET', '/api/v1/users/me', { headers });
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'request.rate_limited', status: 429 });
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused.headers.get('ratelimit')).toMatch(/^"general";r=0;t=\d+$/);
    expect(refused.headers.get('x-request-id')).toBe(refused.body.requestId);
  });

  test('health and metrics are never refused', async () => {
    const tight = await startTestService({ env: { ...env, RATE_LIMIT_MAX: '1' } });
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) {
      for (let i = 0; i < 3; i++) {
        const answer = await tight.send('GET', path);
        expect(answer.status).toBe(200);
        expect(answer.headers.get('ratelimit')).toBeNull();
      }
    }
  });

  test('the limit ends with its window', async () => {
    const short = await startTestService({ env: { ...env, RATE_LIMIT_MAX: '1', RATE_LIMIT_TTL: '1' } });
    const ask = async () => (await short.send('GET', '/api/v1/nothing')).status;
    expect(await ask()).toBe(404);
    expect(await ask()).toBe(429);
    await vi.waitFor(async () => expect(await ask()).toBe(404), { timeout: 5000, interval: 50 });
  });

  test.each([
    ['register', 5, (email: string) => ({ email, password: 'x' })],
    ['login', 10, wrongLogin],
    ['forgot-password', 3, (email: string) => ({ email })],
    ['resend-verification', 3, (email: string) => ({ email })],
    ['reset-password', 10, () => ({ token: 'unknown', newPassword: 'correct horse lantern' })],
    ['verify-email', 10, () => ({ token: 'unknown' })],
  ])('%s: %i calls a minute', async (path, max, bodyFor) => {
    const address = freshAddress();
    const statuses = await statusesOf(max + 1, () =>
      post(service, { path, body: bodyFor(freshEmail()), address }),
    );
    expect(statuses.slice(0, max)).not.toContain(429);
    expect(statuses[max]).toBe(429);
    expect((await post(service, { path, body: bodyFor(freshEmail()) })).status).not.toBe(429);
  });

  test('requests with an invalid body count too', async () => {
    const address = freshAddress();
    const statuses = await statusesOf(11, () => post(service, { body: {}, address }));
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429]);
  });
});

describe('per account', () => {
  test.each([
    ['register', 5, (email: string) => ({ email, password: 'x' })],
    ['login', 10, wrongLogin],
    ['forgot-password', 3, (email: string) => ({ email })],
    ['resend-verification', 3, (email: string) => ({ email })],
  ])('%s: %i calls a minute from all addresses, also for an unknown account', async (path, max, bodyFor) => {
    const email = freshEmail();
    const statuses = await statusesOf(max + 1, () => post(service, { path, body: bodyFor(email) }));
    expect(statuses.slice(0, max)).not.toContain(429);
    expect(statuses[max]).toBe(429);
    expect((await post(service, { path, body: bodyFor(freshEmail()) })).status).not.toBe(429);
  });

  test('who is signed in is the account, whatever address the body names', async () => {
    const person = await registerPerson(service);
    const { accessToken: token } = await signIn(service, person);
    const guess = () =>
      service.send('POST', '/api/v1/auth/change-password', {
        token,
        headers: { 'x-forwarded-for': freshAddress() },
        body: { currentPassword: 'a guess', newPassword: 'a lantern for the horse', email: freshEmail() },
      });
    expect(await statusesOf(6, guess)).toEqual([403, 403, 403, 403, 403, 429]);
  });

  test('spellings of one address are one account', async () => {
    const email = freshEmail();
    await statusesOf(10, () => post(service, { body: wrongLogin(email) }));
    const spelled = await post(service, { body: wrongLogin(`  ${email.toUpperCase()} `) });
    expect(spelled.status).toBe(429);
    expect(spelled.headers.get('ratelimit')).toMatch(/"login-account";r=0;t=\d+$/);
  });

  test('known and unknown accounts are limited alike', async () => {
    const known = await registerPerson(service);
    const unknown = freshEmail();
    const [forKnown, forUnknown] = await Promise.all(
      [known.email, unknown].map((email) => statusesOf(11, () => post(service, { body: wrongLogin(email) }))),
    );
    expect(forKnown).toEqual(forUnknown);
  });

  test('whoever is refused by address does not use up the account', async () => {
    const email = freshEmail();
    const address = freshAddress();
    await statusesOf(10, () => post(service, { body: wrongLogin(freshEmail()), address }));
    const refused = await statusesOf(20, () => post(service, { body: wrongLogin(email), address }));
    expect(new Set(refused)).toEqual(new Set([429]));
    expect((await post(service, { body: wrongLogin(email) })).status).toBe(401);
  });

  test('an attack on an account does not keep its owner out where they signed in before', async () => {
    const person = await registerPerson(service);
    const home = freshAddress();
    const credentials = { email: person.email, password: person.password };
    expect((await post(service, { body: credentials, address: home })).status).toBe(200);
    await statusesOf(12, () => post(service, { body: wrongLogin(person.email) }));
    expect((await post(service, { body: credentials })).status).toBe(429);
    const atHome = await post(service, { body: credentials, address: home });
    expect(atHome.status).toBe(200);
    const guesses = await statusesOf(9, () =>
      post(service, { body: wrongLogin(person.email), address: home }),
    );
    expect(guesses.at(-1)).toBe(429);
  });

  test('an attack on an account does not keep out who has just reset its password', async () => {
    const person = await registerPerson(service);
    const abroad = freshAddress();
    const credentials = { email: person.email, password: 'a lantern for the horse' };
    await statusesOf(12, () => post(service, { body: wrongLogin(person.email) }));
    expect((await post(service, { body: credentials, address: abroad })).status).toBe(429);
    await post(service, { path: 'forgot-password', body: { email: person.email }, address: abroad });
    const links = (await service.mails(person.email)).flatMap((mail) => mail.links);
    const token = links.find((link) => link.includes('/reset-password'))?.split('token=')[1];
    const reset = { token, newPassword: credentials.password };
    expect((await post(service, { path: 'reset-password', body: reset, address: abroad })).status).toBe(200);
    expect((await post(service, { body: credentials })).status).toBe(429);
    expect((await post(service, { body: credentials, address: abroad })).status).toBe(200);
  });

  test('an attack on an account does not touch its sessions', async () => {
    const person = await registerPerson(service);
    const { accessToken, refreshToken } = await signIn(service, person);
    await statusesOf(12, () => post(service, { body: wrongLogin(person.email) }));
    const me = await service.send('GET', '/api/v1/auth/me', { token: accessToken });
    expect(me.status).toBe(200);
    expect((await post(service, { path: 'refresh', body: { refreshToken } })).status).toBe(200);
  });
});

describe('the address', () => {
  test('X-Forwarded-For of an untrusted peer does not count', async () => {
    const untrusting = await startTestService({ env: { ...env, TRUST_PROXY: '' } });
    const statuses = await statusesOf(11, () => post(untrusting, { body: wrongLogin(freshEmail()) }));
    expect(statuses[10]).toBe(429);
    const elsewhere = await startTestService({ env: { ...env, TRUST_PROXY: '203.0.113.0/24' } });
    const more = await statusesOf(11, () => post(elsewhere, { body: wrongLogin(freshEmail()) }));
    expect(more[10]).toBe(429);
  });

  test('behind a trusted proxy only what the proxy added counts', async () => {
    const statuses = await statusesOf(11, () =>
      post(service, { body: wrongLogin(freshEmail()), address: `${freshAddress()}, 203.0.113.77` }),
    );
    expect(statuses[10]).toBe(429);
  });

  test('an IPv6 caller is known by its /64, an IPv4 one by all of its address', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:0DB8:0001:0002::ffff')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
  });
});

describe('with Redis', () => {
  const redisUrl = inject('redisUrl');

  // The embedded run of the suites has no Redis; the second run has, and always runs this.
  if (redisUrl !== null) {
    test('two processes share the counts', async () => {
      const first = await startTestService({ env });
      const second = await startTestService({ env, shareDatabaseWith: first });
      const email = freshEmail();
      const statuses = await statusesOf(5, async () => {
        await post(first, { body: wrongLogin(email) });
        return post(second, { body: wrongLogin(email) });
      });
      expect(statuses).not.toContain(429);
      expect((await post(first, { body: wrongLogin(email) })).status).toBe(429);
      expect((await post(second, { body: wrongLogin(email) })).status).toBe(429);
    });
  }

  test('that is gone or hangs, each process counts in memory and says so', async () => {
    const hanging = await listen(createServer());
    const gone = await listen(createServer());
    const goneUrl = urlOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    for (const url of [goneUrl, urlOf(hanging)]) {
      const lines: string[] = [];
      const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
      const cut = await startTestService({ env: { ...env, REDIS_URL: url }, log });
      const statuses = await statusesOf(11, () =>
        post(cut, { body: wrongLogin(freshEmail()), address: '203.0.113.9' }),
      );
      expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
      await vi.waitFor(() => expect(lines.join()).toContain('Redis cannot be reached'), { timeout: 10_000 });
      await cut.stop();
    }
    hanging.close();
  });
});

const listen = (server: Server): Promise<Server> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return `redis://127.0.0.1:${address.port}`;
}
