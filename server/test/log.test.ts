import pg from 'pg';
import { expect, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { prettyLine } from '../src/lib/pretty-log.ts';
import { maskTokens, redact } from '../src/lib/redact.ts';
import { createLog } from '../src/log.ts';
import { startTestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const lines: string[] = [];
const config = loadConfig({ LOG_LEVEL: 'trace', LOG_FORMAT: 'json' });
const log = createLog(config, { write: (line: string) => void lines.push(line) });
const service = await startTestService({ env: { LOG_LEVEL: 'trace' }, log });
const auth = (path: string, body?: unknown, token?: string, headers: Record<string, string> = {}) =>
  service.send('POST', `/api/v1/auth/${path}`, { body, headers, ...(token ? { token } : {}) });

function assertSilentAbout(secrets: Record<string, string | undefined>): void {
  const text = lines.join('');
  for (const [name, secret] of Object.entries(secrets)) {
    expect(secret, name).toBeTruthy();
    expect(text.includes(secret ?? ''), `${name} stands in the log`).toBe(false);
    expect(text.includes(encodeURIComponent(secret ?? '')), `${name} stands in the log, encoded`).toBe(false);
  }
}

const tokenIn = (links: string[]) => new URL(links[0] ?? '').searchParams.get('token') ?? undefined;

test('at trace, no secret of signing in, refreshing, resetting and signing out is logged', async () => {
  const person = await registerPerson(service, { password: 'Correct-Horse-Lantern-1' });
  const verification = tokenIn((await service.mails(person.email))[0]?.links ?? []);
  await auth('verify-email', { token: verification });
  const login = await auth('login', { email: person.email, password: person.password });
  const cookie = login.headers.get('set-cookie')?.split(';')[0];
  const refreshed = await auth('refresh', { refreshToken: login.body.refreshToken });
  await auth('refresh', { refreshToken: login.body.refreshToken });
  await auth('validate', { token: refreshed.body.accessToken });
  const json = { 'content-type': 'application/json' };
  const shared = await auth('session-to-token', {}, undefined, { cookie: cookie ?? '', ...json });
  await auth('login', { email: person.email, password: 'Wrong-Horse-Lantern-2' });
  await auth('forgot-password', { email: person.email });
  const reset = tokenIn((await service.mails(person.email))[0]?.links ?? []);
  await auth('reset-password', { token: reset, newPassword: 'Reset-Horse-Lantern-3' });
  const again = await auth('login', { email: person.email, password: 'Reset-Horse-Lantern-3' });
  const token = again.body.accessToken as string;
  const change = { currentPassword: 'Reset-Horse-Lantern-3', newPassword: 'Changed-Horse-Lantern-4' };
  expect((await auth('change-password', change, token)).status).toBe(200);
  await service.send('GET', '/api/v1/auth/me?access_token=Query-String-Secret-5', { token });
  await service.send('GET', '/reset-password?token=Link-Secret-6');
  await service.send('GET', '/nowhere?code=Unknown-Route-Secret-7', { token });
  await fetch(`${service.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: json,
    body: '{"password":"Broken-Json-Secret-8"',
  });
  await auth('logout', undefined, token);
  expect(shared.status).toBe(200);
  expect(lines.length).toBeGreaterThan(15);
  assertSilentAbout({
    password: person.password,
    wrong: 'Wrong-Horse-Lantern-2',
    reset: 'Reset-Horse-Lantern-3',
    changed: 'Changed-Horse-Lantern-4',
    query: 'Query-String-Secret-5',
    link: 'Link-Secret-6',
    unknownRoute: 'Unknown-Route-Secret-7',
    brokenJson: 'Broken-Json-Secret-8',
    verificationToken: verification,
    resetToken: reset,
    accessToken: login.body.accessToken,
    refreshToken: login.body.refreshToken,
    refreshedToken: refreshed.body.refreshToken,
    sharedToken: shared.body.refreshToken,
    cookie: cookie?.split('=')[1],
  });
});

test('a request leaves one line: id, route pattern, status and duration', async () => {
  lines.length = 0;
  const id = 'trace-of-a-caller-1';
  const path = '/api/v1/auth/sessions/019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11?x=1';
  await service.send('DELETE', path, { headers: { 'x-request-id': id } });
  const answered = () =>
    lines.map((line) => JSON.parse(line)).filter((line) => line.msg === 'request answered');
  await expect.poll(answered).not.toEqual([]);
  expect(answered()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      requestId: id,
      method: 'DELETE',
      route: '/api/v1/auth/sessions/:id',
      status: 401,
      durationMs: expect.any(Number),
      msg: 'request answered',
    },
  ]);
});

test('a failure on our side is logged with its cause, without parameters, and tells the client nothing', async () => {
  const { refreshToken } = await signIn(service, await registerPerson(service));
  const owner = new pg.Client({ connectionString: service.ownerUrl });
  await owner.connect();
  await owner.query('alter table auth.refresh_tokens rename to elsewhere');
  lines.length = 0;
  const answer = await auth('refresh', { refreshToken });
  await owner.query('alter table auth.elsewhere rename to refresh_tokens');
  await owner.end();
  expect(answer.status).toBe(500);
  expect(answer.body).toMatchObject({ code: 'server.internal', status: 500 });
  expect(JSON.stringify(answer.body)).not.toMatch(/refresh_tokens|relation|select|stack/i);
  const failure = lines.map((line) => JSON.parse(line)).find((line) => line.level === 'error');
  expect(failure.requestId).toBe(answer.body.requestId);
  expect(JSON.stringify(failure.err)).toContain('refresh_tokens');
  expect(JSON.stringify(failure.err)).not.toMatch(/params: (?!\[redacted\])/);
  assertSilentAbout({ refreshToken });
});

test('secret fields are redacted at any depth, harmless ones are not', () => {
  const failure = new Error('Failed query: select 1\nparams: secret-parameter', {
    cause: Object.assign(new Error('inner'), {
      code: '23505',
      detail: 'Key (email)=(a@b.c) already exists.',
    }),
  });
  const text = JSON.stringify(
    redact({
      headers: { authorization: 'hide', cookie: 'hide', 'set-cookie': ['hide'], 'x-api-key': 'hide' },
      body: [{ password: 'hide', newPassword: 'hide', currentPassword: 'hide', code: 'hide' }],
      deep: { a: { b: { c: { d: { refreshToken: 'hide', client_secret: 'hide', key: { kty: 'hide' } } } } } },
      error: failure,
      idempotencyKey: 'show-1',
      amount: 'show-2',
      when: new Date('2026-03-01T12:00:00Z'),
      bytes: Buffer.from('hide'),
    }),
  );
  expect(text).not.toMatch(/hide|secret-parameter|a@b\.c/);
  expect(text).toContain('show-1');
  expect(text).toContain('show-2');
  expect(text).toContain('2026-03-01T12:00:00.000Z');
  expect(text).toContain('23505');
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  expect(() => JSON.stringify(redact(circle))).not.toThrow();
});

test('what looks like a token is masked wherever it stands', () => {
  expect(maskTokens('token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end')).toBe(
    'token [redacted] end',
  );
  expect(maskTokens('Authorization: Bearer abc.def-ghi')).toBe('Authorization: Bearer [redacted]');
  expect(maskTokens('GET /callback?code=abc123&x=1')).toBe('GET /callback?code=[redacted]&x=1');
  expect(maskTokens('postgres://obol:pass@db:5432/obol')).toBe('postgres://obol:[redacted]@db:5432/obol');
  expect(maskTokens('obol_sk_0123456789abcdef')).toBe('[redacted]');
});

test('for people a line is one line, with the stack of an error below it', () => {
  const line =
    '{"level":"info","time":"2026-03-01T12:00:00.123Z","route":"/x","status":200,"msg":"request answered"}\n';
  expect(prettyLine(line, false)).toBe('12:00:00 info  request answered route=/x status=200\n');
  const failed =
    '{"level":"error","time":"2026-03-01T12:00:00.123Z","err":{"stack":"Error: a\\n    at b"},"msg":"m"}\n';
  expect(prettyLine(failed, false)).toBe('12:00:00 error m\n  Error: a\n      at b\n');
});

test('a flood that is refused because the service is busy writes no errors, and few lines about it', async () => {
  const written: { level: string; msg: string; status?: number }[] = [];
  const write = (line: string) => void written.push(JSON.parse(line));
  const small = await startTestService({
    env: { PASSWORD_HASH_CONCURRENCY: '1' },
    log: createLog({ logLevel: 'info', logFormat: 'json', isProduction: true }, { write }),
  });
  const body = { email: 'nobody@example.com', password: 'not the password' };
  await Promise.all(Array.from({ length: 80 }, () => small.send('POST', '/api/v1/auth/login', { body })));
  expect(written.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
  expect(written.filter(({ level }) => level === 'error')).toEqual([]);
  const told = written.filter(({ level, msg }) => level === 'warn' && msg === 'server.busy');
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(10);
});
