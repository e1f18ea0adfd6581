import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

// Rule 28: X-Forwarded-For counts only from trusted proxies (TRUST_PROXY), wherever an address counts.
const limited = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_MAX: '1000', SIGNUP_BONUS_PER_ADDRESS: '1' };
const trusting = await startTestService({ env: { ...limited, TRUST_PROXY: '127.0.0.1,10.0.0.0/8' } });
const untrusting = await startTestService({ env: limited });
const misled = await startTestService({ env: { ...limited, TRUST_PROXY: '203.0.113.0/24' } });
const password = 'correct horse lantern';

type Headers = Record<string, string>;

const guess = async (at: TestService, headers: Headers) =>
  (
    await at.send('POST', '/api/v1/auth/login', {
      body: { email: `${randomUUID()}@example.com`, password },
      headers,
    })
  ).status;

async function guesses(count: number, at: TestService, headersOf: (number: number) => Headers) {
  const statuses: number[] = [];
  for (let number = 0; number < count; number++) statuses.push(await guess(at, headersOf(number)));
  return statuses;
}

/** The address that is written down for a registration and a sign-in with these headers. */
async function addressesSeen(at: TestService, headers: Headers): Promise<string[]> {
  const body = { email: `${randomUUID()}@example.com`, password };
  await at.send('POST', '/api/v1/auth/register', { body, headers });
  const { body: tokens } = await at.send('POST', '/api/v1/auth/login', { body, headers });
  const token: string = tokens.accessToken;
  const { body: sessions } = await at.send('GET', '/api/v1/auth/sessions', { token });
  const { body: trail } = await at.send('GET', '/api/v1/auth/security-events', { token });
  const seen = [...sessions.sessions, ...trail.events] as { ipAddress: string }[];
  return [...new Set(seen.map(({ ipAddress }) => ipAddress))];
}

const bonusFrom = async (forwarded: string) => {
  const body = { email: `${randomUUID()}@example.com`, password };
  const headers = { 'x-forwarded-for': forwarded };
  return (await trusting.send('POST', '/api/v1/auth/register', { body, headers })).body.credits;
};

const seen = (forwarded: string) => addressesSeen(trusting, { 'x-forwarded-for': forwarded });

const tooMany = [...Array<number>(10).fill(401), 429];

describe('rule 28: without a trusted proxy', () => {
  test.each([['none is named', untrusting] as const, ['another one is named', misled] as const])(
    'inventing addresses is of no use: %s',
    async (_, at) => {
      expect(await addressesSeen(at, { 'x-forwarded-for': '198.51.100.7' })).toEqual(['127.0.0.1']);
      at.clock.advance({ hours: 1 });
      const statuses = await guesses(11, at, (number) => ({ 'x-forwarded-for': `198.51.100.${number}` }));
      expect(statuses.at(-1)).toBe(429);
    },
  );

  test('no other header tells the address either', async () => {
    const fresh = await startTestService({ env: limited });
    const statuses = await guesses(11, fresh, (number) => ({
      forwarded: `for=198.51.100.${number}`,
      'x-real-ip': `198.51.100.${number}`,
      'x-client-ip': `198.51.100.${number}`,
      'cf-connecting-ip': `198.51.100.${number}`,
      'true-client-ip': `198.51.100.${number}`,
    }));
    expect(statuses).toEqual(tooMany);
  });
});

describe('rule 28: behind a trusted proxy', () => {
  test('the address is what the last trusted proxy saw, whatever was in front of it', async () => {
    expect(await seen('198.51.100.8')).toEqual(['198.51.100.8']);
    expect(await seen('203.0.113.66, 198.51.100.9')).toEqual(['198.51.100.9']);
    expect(await seen('198.51.100.10, 10.1.2.3')).toEqual(['198.51.100.10']);
    expect(await seen('::ffff:198.51.100.11')).toEqual(['198.51.100.11']);
    expect(await seen('2001:db8::12')).toEqual(['2001:db8::12']);
  });

  test('what the client wrote in front changes no limit', async () => {
    const statuses = await guesses(11, trusting, (number) => ({
      'x-forwarded-for': `203.0.113.${number}, 198.51.100.70`,
    }));
    expect(statuses).toEqual(tooMany);
    expect(await guess(trusting, { 'x-forwarded-for': '198.51.100.71' })).toBe(401);
  });

  test('an IPv6 network is one caller, an IPv4 address in IPv6 notation is that address', async () => {
    const network = await guesses(11, trusting, (number) => ({
      'x-forwarded-for': `2001:db8:5:5:${number}::1`,
    }));
    expect(network).toEqual(tooMany);
    const mixed = await guesses(11, trusting, (number) => ({
      'x-forwarded-for': number % 2 ? '198.51.100.72' : '::ffff:198.51.100.72',
    }));
    expect(mixed).toEqual(tooMany);
  });

  test('the bonus for a registration goes by that address, and not by what the client wrote', async () => {
    expect(await bonusFrom('198.51.100.80')).toBe(150);
    expect(await bonusFrom('203.0.113.80, 198.51.100.80')).toBe(0);
    expect(await bonusFrom('198.51.100.81')).toBe(150);
  });

  test.each([
    ['words', 'not an address'],
    ['no IPv4 address', '999.1.1.1'],
    ['nothing', ''],
    ['commas', ', ,'],
    ['a port', '198.51.100.1:4711'],
    ['a tag', '<script>'],
    ['three thousand characters', 'x'.repeat(3000)],
  ])('nonsense in it breaks nothing: %s', async (_, forwarded) => {
    const fresh = await startTestService({ env: { TRUST_PROXY: '127.0.0.1' } });
    const headers = { 'x-forwarded-for': forwarded };
    const body = { email: `${randomUUID()}@example.com`, password };
    expect((await fresh.send('POST', '/api/v1/auth/register', { body, headers })).status).toBe(201);
    for (const tried of [password, 'a guess', password]) {
      const answer = await fresh.send('POST', '/api/v1/auth/login', {
        body: { ...body, password: tried },
        headers,
      });
      expect(answer.status).toBe(tried === password ? 200 : 401);
    }
    const owner = await connectAsOwner(fresh);
    const { rows } = await owner.query('select ip_address from auth.sessions');
    expect(rows).toHaveLength(2);
  });
});
