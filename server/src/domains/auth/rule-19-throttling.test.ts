import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestProvider, type TestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, type Person } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

// Rule 19: throttling per account, per address and overall; nobody can lock a victim out for good.
// On counters in memory, which go by the clock of the test.
const env = {
  RATE_LIMIT_ENABLED: 'true',
  RATE_LIMIT_MAX: '100000',
  TRUST_PROXY: 'loopback',
  REDIS_URL: '',
};
const service = await startTestProvider({ env });
const owner = await connectAsOwner(service);

let lastAddress = 0;
const freshAddress = () => `198.51.${Math.floor(++lastAddress / 250)}.${(lastAddress % 250) + 1}`;
const freshEmail = () => `${randomUUID()}@example.com`;

type Try = { email: string; password?: string; address?: string; cookie?: string };

function tryAt(at: TestProvider, { email, password = 'a guess', address = freshAddress(), cookie }: Try) {
  const headers = { 'x-forwarded-for': address, ...(cookie ? { cookie } : {}) };
  return at.send('POST', '/api/v1/auth/login', { body: { email, password }, headers });
}

const attempt = (given: Try) => tryAt(service, given);

async function statusesOf(count: number, call: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let number = 0; number < count; number++) statuses.push((await call()).status);
  return statuses;
}

const guessAt = (email: string) => statusesOf(12, () => attempt({ email }));
const guessFrom = (address: string) => attempt({ email: freshEmail(), address });

/** Signs in at the page, as a browser that keeps its cookies. */
async function signInAtPage(at: TestProvider, { email, password }: Try, address: string, cookies = '') {
  const headers = { 'x-forwarded-for': address };
  const shown = await fetch(`${at.url}/sign-in`, { headers: { ...headers, cookie: cookies } });
  const csrf = shown.headers.getSetCookie().map((line) => line.split(';')[0]);
  const answer = await fetch(`${at.url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...headers, cookie: [cookies, ...csrf].filter(Boolean).join('; ') },
    body: new URLSearchParams({
      email,
      password: password ?? 'a guess',
      csrf: /name="csrf" value="([^"]+)"/.exec(await shown.text())?.[1] ?? '',
    }),
  });
  const device = answer.headers.getSetCookie().find((line) => line.startsWith('__Host-obol_device='));
  return { status: answer.status, device: device?.split(';')[0] ?? '' };
}

/** Hundreds of hashes, on a machine that may be busy. */
const patience = { timeout: 120_000 };

beforeEach(() => service.clock.advance({ hours: 25 }));

describe('rule 19: guesses at one account', () => {
  test('ten a minute, thirty an hour, a hundred a day, from wherever they come', patience, async () => {
    const email = freshEmail();
    const retryAfter = async () => Number((await attempt({ email })).headers.get('retry-after'));
    for (let minute = 0; minute < 3; minute++) {
      const statuses = await statusesOf(11, () => attempt({ email }));
      expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
      service.clock.advance({ seconds: 61 });
    }
    expect((await attempt({ email })).status).toBe(429);
    expect(await retryAfter()).toBeGreaterThan(3000);
    let guesses = 30;
    for (let hour = 0; hour < 5; hour++) {
      service.clock.advance({ minutes: 61 });
      for (let minute = 0; minute < 3; minute++) {
        const statuses = await statusesOf(10, () => attempt({ email }));
        guesses += statuses.filter((status) => status === 401).length;
        service.clock.advance({ seconds: 61 });
      }
    }
    // The first five of an hour do not count towards the day.
    expect(guesses).toBeLessThanOrEqual(100 + 5 * 6);
    expect(guesses).toBeGreaterThan(90);
    service.clock.advance({ hours: 25 });
    expect((await attempt({ email })).status).toBe(401);
  });

  test('an account that does not exist is limited like one that does, answer for answer', async () => {
    const known = await registerPerson(service);
    expect(await guessAt(known.email)).toEqual(await guessAt(freshEmail()));
  });

  test('the page and the API count together', async () => {
    const { email } = await registerPerson(service);
    for (let round = 0; round < 5; round++) {
      expect((await attempt({ email })).status).toBe(401);
      expect((await signInAtPage(service, { email }, freshAddress())).status).toBe(401);
    }
    expect((await attempt({ email })).status).toBe(429);
    expect((await signInAtPage(service, { email }, freshAddress())).status).toBe(429);
  });

  test('right passwords are no guesses', async () => {
    const person = await registerPerson(service);
    for (let minute = 0; minute < 4; minute++) {
      expect(await statusesOf(9, () => attempt({ ...person, address: '192.0.2.200' }))).not.toContain(429);
      service.clock.advance({ seconds: 61 });
    }
  });

  test('many are told of: in the trail, in the metrics and by one mail a day', async () => {
    const person = await registerPerson(service);
    const home = freshAddress();
    await attempt({ ...person, address: home });
    service.clock.advance({ seconds: 61 });
    const events = async () =>
      (
        await owner.query<{ details: unknown }>(
          `select details from auth.security_events where user_id = $1 and type = 'account.suspicious' order by id`,
          [person.id],
        )
      ).rows.map(({ details }) => details);
    for (let round = 1; round <= 4; round++) {
      await statusesOf(12, () => attempt({ email: person.email }));
      // Noted after the answer: an hour later it would count to the next round.
      await expect.poll(events).toHaveLength(round);
      service.clock.advance({ minutes: 61 });
    }
    const kind = 'attacked';
    expect(await events()).toEqual([true, false, false, false].map((mailed) => ({ kind, mailed })));
    const mails = (await service.mails(person.email)).filter(({ subject }) => subject.includes('tries'));
    expect(mails.map(({ subject }) => subject)).toEqual(['Somebody tries to sign in to your Obol account']);
    expect(mails[0]?.text).toContain('Nobody got in');
    const { body } = await service.send('GET', '/metrics');
    expect(body).toMatch(/^obol_suspicions_total\{kind="attacked"\} [1-9]/m);
  });
});

describe('rule 19: nobody is kept out of their own account', () => {
  let person: Person;
  const home = '192.0.2.10';

  beforeEach(async () => {
    person = await registerPerson(service);
    expect((await attempt({ ...person, address: home })).status).toBe(200);
    service.clock.advance({ seconds: 61 });
    for (let minute = 0; minute < 3; minute++) {
      await statusesOf(12, () => attempt({ email: person.email }));
      service.clock.advance({ seconds: 61 });
    }
    expect((await attempt(person)).status).toBe(429);
  });

  test('where they signed in before, they are let in, while the attack goes on', async () => {
    expect((await attempt({ ...person, address: home })).status).toBe(200);
    expect((await attempt(person)).status).toBe(429);
  });

  test('the browser they signed in with is known wherever it goes; nobody else’s is, nor an invented one', async () => {
    const { device, status } = await signInAtPage(service, person, home);
    expect([status, device]).toEqual([303, expect.stringMatching(/^__Host-obol_device=[\w-]{43}$/)]);
    expect((await attempt({ ...person, cookie: device })).status).toBe(200);
    const stranger = await registerPerson(service);
    const theirs = await signInAtPage(service, stranger, freshAddress());
    expect((await attempt({ ...person, cookie: theirs.device })).status).toBe(429);
    for (const value of ['A'.repeat(43), 'x', '']) {
      expect((await attempt({ ...person, cookie: `__Host-obol_device=${value}` })).status).toBe(429);
    }
    const wrong = await statusesOf(11, () =>
      attempt({ email: person.email, cookie: device, address: '203.0.113.5' }),
    );
    expect(wrong.at(-1)).toBe(429);
  });

  test('a cookie that only tried is not known', async () => {
    const failed = await signInAtPage(service, { email: person.email }, home);
    expect(failed.status).toBe(401);
    expect((await attempt({ ...person, cookie: failed.device })).status).toBe(429);
  });

  test('who is somewhere new gets in by their mailbox', async () => {
    const abroad = freshAddress();
    const headers = { 'x-forwarded-for': abroad };
    const post = (path: string, body: unknown) =>
      service.send('POST', `/api/v1/auth/${path}`, { body, headers });
    await post('forgot-password', { email: person.email });
    const links = (await service.mails(person.email)).flatMap((mail) => mail.links);
    const link = links.find((candidate) => candidate.includes('/reset-password')) ?? '';
    const newPassword = 'a lantern for the horse';
    const token = new URL(link).searchParams.get('token');
    expect((await post('reset-password', { token, newPassword })).status).toBe(200);
    const credentials = { email: person.email, password: newPassword };
    expect((await attempt({ ...credentials, address: abroad })).status).toBe(200);
    expect((await attempt(credentials)).status).toBe(429);
  });
});

describe('rule 19: one address', () => {
  test('has ten tries a minute, an IPv6 /64 is one, and its neighbours go on', async () => {
    let host = 0;
    const statuses = await statusesOf(11, () => guessFrom(`2001:db8:7:7::${(++host).toString(16)}`));
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    expect((await guessFrom('2001:db8:7:8::1')).status).toBe(401);
  });

  test('that tries many accounts is told of, and held back for the hour from those that do not know it', async () => {
    const address = '203.0.113.99';
    const regular = await registerPerson(service);
    expect((await attempt({ ...regular, address })).status).toBe(200);
    for (let minute = 0; minute < 4; minute++) {
      service.clock.advance({ seconds: 61 });
      await statusesOf(9, () => attempt({ email: freshEmail(), address }));
    }
    const stuffing = async () =>
      (
        await owner.query<{ count: number }>(
          `select count(*)::int as count from audit.events
            where action = 'sign_in.stuffing_suspected' and ip_address = $1`,
          [address],
        )
      ).rows[0]?.count;
    await expect.poll(stuffing).toBe(1);
    service.clock.advance({ seconds: 61 });
    const refused = await attempt({ email: freshEmail(), address });
    expect([refused.status, refused.body.code]).toEqual([429, 'request.rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600);
    expect((await attempt({ ...regular, address })).status).toBe(200);
    service.clock.advance({ minutes: 61 });
    expect((await attempt({ email: freshEmail(), address })).status).toBe(401);
  });
});

describe('rule 19: overall', () => {
  let flooded: TestProvider;
  beforeAll(async () => {
    flooded = await startTestProvider({ env: { ...env, SIGN_IN_FAILURES_MAX: '20' } });
  });

  test('beyond SIGN_IN_FAILURES_MAX a minute only the known are let in; it ends with the flood', async () => {
    const person = await registerPerson(flooded);
    const newcomer = await registerPerson(flooded);
    const home = '192.0.2.60';
    expect((await tryAt(flooded, { ...person, address: home })).status).toBe(200);
    const flood = await statusesOf(25, () => tryAt(flooded, { email: freshEmail() }));
    expect(flood).toEqual([...Array<number>(20).fill(401), ...Array<number>(5).fill(429)]);
    expect((await tryAt(flooded, { ...person, address: home })).status).toBe(200);
    const held = await tryAt(flooded, newcomer);
    expect(held.status).toBe(429);
    expect(Number(held.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    const { body } = await flooded.send('GET', '/metrics');
    expect(body).toMatch(/^obol_suspicions_total\{kind="flood"\} 1$/m);
    flooded.clock.advance({ seconds: 61 });
    expect((await tryAt(flooded, newcomer)).status).toBe(200);
  });
});
