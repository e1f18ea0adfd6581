import { beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson, type Person } from '../../../test/harness/people.ts';
import { describeDevice } from './describe-device.ts';

const service = await startTestService({ env: { TRUST_PROXY: 'loopback' } });

type From = { address?: string; agent?: string; deviceId?: string; deviceName?: string; cookie?: string };

async function signInFrom(person: Person, from: From = {}, password = person.password) {
  const { address = '198.51.100.1', agent = 'curl/8.5.0', cookie, ...device } = from;
  return service.send('POST', '/api/v1/auth/login', {
    body: { email: person.email, password, ...device },
    headers: { 'x-forwarded-for': address, 'user-agent': agent, ...(cookie ? { cookie } : {}) },
  });
}

const mailsTo = async (person: Person) =>
  (await service.mails(person.email)).filter((mail) => /sign-in|sign in|session/i.test(mail.subject));

async function eventsOf(person: Person): Promise<{ type: string; details: Record<string, unknown> }[]> {
  const { body } = await signInFrom(person);
  const token: string = body.accessToken;
  const answer = await service.send('GET', '/api/v1/auth/security-events?limit=200', { token });
  return answer.body.events;
}

const suspicionsOf = async (of: Person) =>
  (await eventsOf(of)).filter(({ type }) => type === 'account.suspicious').map(({ details }) => details);

let person: Person;
beforeEach(async () => {
  person = await registerPerson(service);
});

describe('a sign-in from a device or place that is new', () => {
  test('is told of by mail once: device, time, address and what to do', async () => {
    await signInFrom(person);
    expect(await mailsTo(person)).toEqual([]);
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
    for (let again = 0; again < 3; again++) await signInFrom(person, { address: '203.0.113.5', agent });
    const mails = await mailsTo(person);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.subject).toBe('A new sign-in to your Obol account');
    expect(mails[0]?.text).toContain('On 2026-03-01 12:00 UTC');
    expect(mails[0]?.text).toContain('Device: Firefox on Linux');
    expect(mails[0]?.text).toContain('Address: 203.0.113.5');
    expect(mails[0]?.text).toContain('that ends all sessions on all devices');
    expect(mails[0]?.links).toContain(`${service.ctx.config.appUrl}/forgot-password`);
    expect((await eventsOf(person)).filter(({ type }) => type === 'login.new_device')).toHaveLength(1);
  });

  test('is not the first one after the registration, wherever that was', async () => {
    await signInFrom(person, { address: '192.0.2.77' });
    expect(await mailsTo(person)).toEqual([]);
  });

  test('is not one from another address of the same IPv6 /64', async () => {
    await signInFrom(person, { address: '2001:db8:1:2::1' });
    await signInFrom(person, { address: '2001:db8:1:2:ffff::2' });
    expect(await mailsTo(person)).toEqual([]);
    await signInFrom(person, { address: '2001:db8:1:3::1' });
    expect(await mailsTo(person)).toHaveLength(1);
  });

  test('is not one by a device that named itself and moves', async () => {
    await signInFrom(person, { deviceId: 'phone-1', deviceName: 'Phone' });
    await signInFrom(person, { deviceId: 'phone-1', address: '203.0.113.8' });
    expect(await mailsTo(person)).toEqual([]);
    await signInFrom(person, { deviceId: 'phone-2', deviceName: 'Other phone', address: '203.0.113.9' });
    expect((await mailsTo(person))[0]?.text).toContain('Device: Other phone');
  });

  test('is one mail, of several at once', async () => {
    await signInFrom(person);
    await Promise.all(Array.from({ length: 8 }, () => signInFrom(person, { address: '203.0.113.6' })));
    expect(await mailsTo(person)).toHaveLength(1);
  });

  test('is told of by at most five mails a day, and always by the trail', async () => {
    await signInFrom(person);
    for (let number = 0; number < 8; number++) {
      service.clock.advance({ minutes: 20 });
      await signInFrom(person, { address: `203.0.113.${100 + number}` });
    }
    expect(await mailsTo(person)).toHaveLength(5);
    expect((await eventsOf(person)).filter(({ type }) => type === 'login.new_device')).toHaveLength(8);
  });

  test('is not one that fails', async () => {
    await signInFrom(person);
    const failed = await signInFrom(person, { address: '203.0.113.7' }, 'not the password');
    expect(failed.status).toBe(401);
    expect(await mailsTo(person)).toEqual([]);
    await signInFrom(person, { address: '203.0.113.7' });
    expect(await mailsTo(person)).toHaveLength(1);
  });

  test('is told of by the trail only where SIGN_IN_MAILS is off', async () => {
    const silent = await startTestService({ env: { TRUST_PROXY: 'loopback', SIGN_IN_MAILS: 'false' } });
    const somebody = await registerPerson(silent);
    for (const address of ['198.51.100.1', '198.51.100.2']) {
      const body = { email: somebody.email, password: somebody.password };
      await silent.send('POST', '/api/v1/auth/login', { body, headers: { 'x-forwarded-for': address } });
    }
    const subjects = (await silent.mails(somebody.email)).map(({ subject }) => subject);
    expect(subjects).toEqual(['Confirm your address for Obol']);
  });
});

describe('what looks like an attack', () => {
  test('a sign-in from a new place after ten wrong passwords is told of', async () => {
    await signInFrom(person);
    for (let number = 0; number < 10; number++) {
      await signInFrom(person, { address: '203.0.113.30' }, `guess ${number}`);
    }
    await signInFrom(person);
    expect(await suspicionsOf(person)).toEqual([]);
    await signInFrom(person, { address: '203.0.113.30' });
    expect(await suspicionsOf(person)).toEqual([{ kind: 'sign_in_after_failures', mailed: true }]);
    expect((await mailsTo(person)).map(({ subject }) => subject)).toContain(
      'Check a sign-in to your Obol account',
    );
  });

  test('sign-ins from five places within minutes are told of, once an hour', async () => {
    for (let number = 0; number < 9; number++) {
      await signInFrom(person, { address: `203.0.${number}.40` });
    }
    expect(await suspicionsOf(person)).toEqual([{ kind: 'sign_in_burst', mailed: true }]);
    service.clock.advance({ minutes: 61 });
    for (let number = 0; number < 6; number++) {
      await signInFrom(person, { address: `203.1.${number}.40` });
    }
    expect(await suspicionsOf(person)).toEqual([
      { kind: 'sign_in_burst', mailed: false },
      { kind: 'sign_in_burst', mailed: true },
    ]);
  });

  test('a refresh token that is used twice is told of', async () => {
    const { body } = await signInFrom(person);
    const refresh = () =>
      service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken: body.refreshToken } });
    expect((await refresh()).status).toBe(200);
    service.clock.advance({ minutes: 1 });
    expect((await refresh()).body.code).toBe('auth.refresh_reused');
    expect(await suspicionsOf(person)).toEqual([{ kind: 'refresh_reused', mailed: true }]);
    const { body: metrics } = await service.send('GET', '/metrics');
    expect(metrics).toMatch(/^obol_suspicions_total\{kind="refresh_reused"\} [1-9]/m);
  });
});

test.each([
  ["Ada's phone", 'curl/8.5.0', "Ada's phone"],
  ['Visit https://evil.example', 'curl/8.5.0', 'curl'],
  [undefined, 'https://evil.example is great', null],
  [undefined, null, null],
  [
    undefined,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1',
    'Safari on iOS',
  ],
])('a device called %j with the agent %j reads: %j', (name, agent, expected) => {
  expect(describeDevice(name, agent)).toBe(expected);
});
