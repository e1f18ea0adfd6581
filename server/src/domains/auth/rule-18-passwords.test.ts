import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestService, type Answer, type TestService } from '../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../test/harness/people.ts';
import { commonPasswords } from './common-passwords.ts';

// Rule 18: passwords as NIST SP 800-63B-4 wants them, a blocklist with the reason, and breached ones refused.
const service = await startTestService();

const register = (password: string, more: Record<string, string> = {}, at: TestService = service) =>
  at.send('POST', '/api/v1/auth/register', {
    body: { email: `${randomUUID()}@example.com`, password, ...more },
  });

function expectRefused(answer: Answer, reason: string, path = '/body/password'): void {
  expect(answer).toMatchObject({
    status: 400,
    body: {
      code: 'auth.password_unacceptable',
      errors: [{ path, message: expect.stringContaining(reason) }],
    },
  });
}

const digestOf = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase();

describe('rule 18: what a password may be', () => {
  test.each([
    ['eight characters of one kind', 'vqkzwmxh'],
    ['sixty-four characters', 'correct horse lantern '.repeat(3).slice(0, 64)],
    ['a thousand and twenty-four characters', 'lantern?'.repeat(128)],
    ['spaces in the middle', 'a lantern for the horse'],
    ['other scripts', 'пароль от дома'],
    ['pictures', '🐎🔋📎🌍🧵🪁🧭🪴'],
    ['the first call of the Mana clients', 'Test1234!'],
    ['the first call of the DevPortal clients', 'Password@123'],
  ])('%s', async (_, password) => {
    const email = `${randomUUID()}@example.com`;
    expect((await register(password, { email })).status).toBe(201);
    expect((await logIn(service, { email, password, id: '' })).status).toBe(200);
  });

  test('one that differs only at its end is another one: nothing is cut off', async () => {
    const password = 'lantern?'.repeat(128);
    const person = await registerPerson(service, { password });
    expect((await logIn(service, person, `${password.slice(0, -1)}!`)).status).toBe(401);
    expect((await logIn(service, person, password.slice(0, 72))).status).toBe(401);
  });

  test('two ways to write the same characters are the same password', async () => {
    const person = await registerPerson(service, { password: 'café am Fluß ﬁn' });
    expect((await logIn(service, person, 'cafe\u0301 am Fluß fin')).status).toBe(200);
  });
});

describe('rule 18: what is refused, with the reason', () => {
  test.each([
    ['seven characters', 'vqkzwmx', 'at least 8 characters'],
    ['seven pictures, though more bytes', '🐎🔋📎🌍🧵🪁🧭', 'at least 8 characters'],
    ['a common one', 'password123', 'one of the most common passwords'],
    ['a common one in capitals', 'PASSWORD123', 'one of the most common passwords'],
    ['a walk over the keyboard', '1qaz2wsx', 'one of the most common passwords'],
    ['the service’s own name', 'obolobol', 'the name of this service'],
  ])('%s', async (_, password, reason) => {
    expectRefused(await register(password), reason);
  });

  test('more than 1024 characters', async () => {
    const person = await registerPerson(service);
    const { accessToken: token } = await signIn(service, person);
    const body = { currentPassword: person.password, newPassword: 'x?'.repeat(513) };
    const answer = await service.send('POST', '/api/v1/auth/change-password', { token, body });
    expectRefused(answer, 'at most 1024 characters', '/body/newPassword');
  });

  test.each([
    ['the address', 'erika.mustermann@example.com'],
    ['the part before the @', 'Erika.Mustermann'],
    ['both words of it, the other way round', 'mustermannerika'],
    ['one word of it with a number', 'Mustermann7'],
    ['a word and a sign', 'mustermann!'],
    ['the given name twice', 'ErikaErika'],
    ['the name with a blank', 'Erika Weber'],
    ['the username', 'wanderfalke'],
    ['the domain', 'example.com'],
  ])('parts of what is known of the person: %s', async (_, password) => {
    const email = `erika.mustermann@example.com`;
    const answer = await register(password, { email, name: 'Erika Weber', username: 'wanderfalke' });
    expectRefused(answer, 'your e-mail address');
  });

  test.each(['mustermann im Regen', 'erikaXkcd93qz', 'Erika2019-Weg', 'wanderfalkner'])(
    'a password that only holds a name is taken: %s',
    async (password) => {
      const email = `erika.mustermann+${randomUUID()}@example.com`;
      expect((await register(password, { email, name: 'Erika Weber' })).status).toBe(201);
    },
  );

  test('a change and a reset refuse the same, and know the name of the person', async () => {
    const email = `${randomUUID()}@example.com`;
    const password = 'correct horse lantern';
    await register(password, { email, name: 'Friederike' });
    const { accessToken: token } = await signIn(service, { email, password, id: '' });
    for (const newPassword of ['Friederike1', 'password123']) {
      const body = { currentPassword: password, newPassword };
      const changed = await service.send('POST', '/api/v1/auth/change-password', { token, body });
      expect(changed.body.code).toBe('auth.password_unacceptable');
    }
    await service.send('POST', '/api/v1/auth/forgot-password', { body: { email } });
    const links = (await service.mails(email)).flatMap((mail) => mail.links);
    const link = links.find((candidate) => candidate.includes('/reset-password')) ?? '';
    const body = { token: new URL(link).searchParams.get('token'), newPassword: 'Friederike1' };
    const reset = await service.send('POST', '/api/v1/auth/reset-password', { body });
    expectRefused(reset, 'your name', '/body/newPassword');
  });

  test('the list is exact, in one form, and holds nothing that is too short to be asked', () => {
    expect(commonPasswords.size).toBeGreaterThan(7000);
    expect(commonPasswords.has('password123')).toBe(true);
    for (const given of ['Test1234!', 'Password@123']) {
      expect(commonPasswords.has(given.toLowerCase())).toBe(false);
    }
    for (const entry of commonPasswords) {
      expect(entry).toBe(entry.normalize('NFKC').toLowerCase());
      expect(Array.from(entry).length).toBeGreaterThanOrEqual(8);
    }
  });
});

describe('rule 18: breached passwords, asked for at a range API', () => {
  let reply: (prefix: string, request: IncomingMessage, response: ServerResponse) => void;
  const asked: { url: string; padding: string | undefined; text: string }[] = [];
  const server = createServer((request, response) => {
    const text = [request.url, ...request.rawHeaders].join(' ');
    asked.push({ url: request.url ?? '', padding: request.headers['add-padding'] as string, text });
    reply((request.url ?? '').split('/').at(-1) ?? '', request, response);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  let started: Promise<TestService> | undefined;
  const start = (): Promise<TestService> => (started ??= startAsking());
  const startAsking = async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    return startTestService({ env: { PASSWORD_BREACH_API: `http://127.0.0.1:${port}/range/` } });
  };
  const breached = 'a lantern that leaked';
  const answerWith =
    (count: number): typeof reply =>
    (prefix, _, response) => {
      const digest = digestOf(breached);
      const own = digest.startsWith(prefix) ? [`${digest.slice(5)}:${count}`] : [];
      response.end([`${'0'.repeat(35)}:3`, ...own, `${'F'.repeat(35)}:0`].join('\r\n'));
    };

  beforeEach(() => {
    asked.length = 0;
    reply = answerWith(17);
  });

  test('one that leaked is refused with the reason, everywhere; others pass', async () => {
    const asking = await start();
    expectRefused(await register(breached, {}, asking), 'known from a data breach');
    const email = `${randomUUID()}@example.com`;
    const password = 'correct horse lantern';
    expect((await register(password, { email }, asking)).status).toBe(201);
    const { accessToken: token } = await signIn(asking, { email, password, id: '' });
    const body = { currentPassword: password, newPassword: breached };
    const changed = await asking.send('POST', '/api/v1/auth/change-password', { token, body });
    expectRefused(changed, 'known from a data breach', '/body/newPassword');
    expect((await signIn(asking, { email, password, id: '' })).accessToken).toBeTruthy();
  });

  test('five characters of the digest leave the service, never more, and padding is asked for', async () => {
    const asking = await start();
    await register(breached, {}, asking);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe(`/range/${digestOf(breached).slice(0, 5)}`);
    expect(asked[0]?.padding).toBe('true');
    expect(asked[0]?.text).not.toContain(digestOf(breached).slice(0, 6));
  });

  test('a line of padding is no breach', async () => {
    reply = answerWith(0);
    expect((await register(breached, {}, await start())).status).toBe(201);
  });

  test('what the list here refuses is not asked for', async () => {
    await register('password123', {}, await start());
    expect(asked).toEqual([]);
  });

  test.each<[string, typeof reply]>([
    ['says 500', (_prefix, _request, response) => response.writeHead(500).end()],
    [
      'leads elsewhere',
      (_prefix, _request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['never answers', () => {}],
    ['hangs up', (_prefix, request) => request.socket.destroy()],
    ['sends without end', (_prefix, _request, response) => void response.write('A'.repeat(2_000_000))],
    ['sends nonsense', (_prefix, _request, response) => response.end('<html>not:a:list</html>')],
  ])('an API that %s keeps nobody out', { timeout: 20_000 }, async (_, misbehave) => {
    reply = misbehave;
    expect((await register(breached, {}, await start())).status).toBe(201);
    expect(asked).toHaveLength(1);
  });
});
