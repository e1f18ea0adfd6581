import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { errorTable } from '../src/errors.ts';
import { createServer } from '../src/http/server.ts';
import { startTestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const service = await startTestService({
  env: { REQUEST_TIMEOUT: '1s', BASE_URL: 'https://id.example.com' },
});
const { port, hostname } = new URL(service.url);

/** Sends bytes as they are and reads until the service closes the connection. */
function sendRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

async function post(path: string, body: string, contentType = 'application/json') {
  const headers = { 'content-type': contentType };
  const response = await fetch(`${service.url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('an unknown address answers with a problem document and a request id', async () => {
  const answer = await service.send('GET', '/api/nothing/here');
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(answer.body).toMatchObject({
    type: 'https://id.example.com/docs/errors#request.not_found',
    code: 'request.not_found',
    status: 404,
    instance: '/api/v1/nothing/here',
  });
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
});

const open = (path: string, accept: string) => fetch(`${service.url}${path}`, { headers: { accept } });

test('an unknown address is a page for a browser, but never below /api', async () => {
  const page = await open('/nothing/here', 'text/html,application/xhtml+xml,*/*;q=0.8');
  expect(page.status).toBe(404);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await page.text()).toContain(errorTable['request.not_found'].title);
  for (const [path, accept] of [
    ['/nothing/here', '*/*'],
    ['/api/nothing/here', 'text/html'],
  ] as const)
    expect(((await (await open(path, accept)).json()) as { code: string }).code).toBe('request.not_found');
});

test('browsers that look for an icon find the one of the pages', async () => {
  const icon = await fetch(`${service.url}/favicon.ico`);
  expect(icon.status).toBe(200);
  expect(icon.headers.get('content-type')).toBe('image/svg+xml');
});

test('an unknown address is 404 whatever its body is', async () => {
  expect(await post('/api/v1/nothing', '{broken')).toMatchObject({ status: 404 });
  expect(await post('/api/v1/nothing', '<xml/>', 'application/xml')).toMatchObject({ status: 404 });
});

test('another method on a known address is 405 and names the allowed ones', async () => {
  const answer = await service.send('DELETE', '/api/v1/auth/login');
  expect(answer.status).toBe(405);
  expect(answer.body.code).toBe('request.method_not_allowed');
  expect(answer.headers.get('allow')).toBe('OPTIONS, POST');
  const session = await service.send('PUT', '/api/v1/auth/sessions/some-id');
  expect(session.status).toBe(405);
  expect(session.headers.get('allow')).toBe('DELETE, OPTIONS');
  expect(await post('/health', '<xml/>', 'application/xml')).toMatchObject({ status: 405 });
});

test('/api/<path> is the same route as /api/v1/<path>', async () => {
  const short = await service.send('GET', '/api/auth/jwks');
  const long = await service.send('GET', '/api/v1/auth/jwks');
  expect(short.status).toBe(200);
  expect(short.body).toEqual(long.body);
});

const idFor = async (given: string) =>
  (await service.send('GET', '/health/live', { headers: { 'x-request-id': given } })).headers.get(
    'x-request-id',
  );

const askFor = (target: string) => sendRaw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

test('a whole address counts as its path', async () => {
  for (const path of ['/api/auth/jwks', '/api/v1/auth/jwks?x=http://y/']) {
    expect(await askFor(`http://obol.example:3001${path}`)).toContain('HTTP/1.1 200');
  }
  expect(await askFor('HTTP://obol.example/api/nothing')).toContain('"instance":"/api/v1/nothing"');
});

test('a request id of the caller is kept when it is well formed, else replaced', async () => {
  expect(await idFor('0198c1de-3f7e-7a51-8a4c-0f1d2e3c4b5a')).toBe('0198c1de-3f7e-7a51-8a4c-0f1d2e3c4b5a');
  expect(await idFor('trace_12345678')).toBe('trace_12345678');
  for (const odd of ['short', 'with space inside', '"quoted-quoted"', 'x'.repeat(65), '-leading-dash-1']) {
    expect(await idFor(odd)).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  }
});

test('a wrong field is named with what it must be, and its content does not come back', async () => {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  const errorsOf = async (method: string, path: string, body?: unknown) =>
    (await service.send(method, path, { token, body })).body.errors;
  expect(await errorsOf('POST', '/api/auth/register', { email: 'ada', password: 'Test1234!' })).toEqual([
    { path: '/body/email', message: 'must look like test@example.com' },
  ]);
  expect(await errorsOf('POST', '/api/auth/login', { email: 'ada@example.com' })).toEqual([
    { path: '/body/password', message: 'is missing' },
  ]);
  expect(await errorsOf('PUT', '/api/users/me', { picture: 'javascript:alert(1)' })).toEqual([
    { path: '/body/picture', message: 'must look like https://example.com/alice.png' },
  ]);
  expect(await errorsOf('PUT', '/api/users/me', { name: 'Ada\u0007' })).toEqual([
    { path: '/body/name', message: 'must not hold control characters' },
  ]);
  expect(await errorsOf('GET', '/api/credits/usage?groupBy=hour')).toEqual([
    { path: '/query/groupBy', message: 'must be one of app, day, model' },
  ]);
  expect(await errorsOf('GET', '/api/credits/transactions?cursor=bad')).toEqual([
    { path: '/query/cursor', message: 'must be the cursor of a page' },
  ]);
});

test('malformed bodies are refused with their own codes', async () => {
  const path = '/api/v1/auth/login';
  expect((await post(path, '{broken')).body.code).toBe('request.invalid_json');
  expect((await post(path, '')).body.code).toBe('request.invalid');
  expect((await post(path, '"text"')).body.code).toBe('request.invalid');
  expect((await post(path, '{"__proto__":{"isAdmin":true}}')).body.code).toBe('request.invalid_json');
  expect((await post(path, '{"constructor":{"prototype":{"a":1}}}')).body.code).toBe('request.invalid_json');
  expect((await post(path, '{"email":"a\\u0000b","password":"x"}')).body.code).toBe('request.invalid_text');
  expect((await post(path, '{"email":"a\\ud800","password":"x"}')).body.code).toBe('request.invalid_text');
  expect((await post(path, `{"email":${'['.repeat(5000)}${']'.repeat(5000)}}`)).body.code).toBe(
    'request.invalid',
  );
  expect(await post(path, JSON.stringify({ email: 'x'.repeat(300_000) }))).toMatchObject({
    status: 413,
    body: { code: 'request.too_large' },
  });
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense']) {
    expect(await post(path, 'a=b', type)).toMatchObject({
      status: 415,
      body: { code: 'request.unsupported_media_type' },
    });
  }
});

test('a compressed body is refused instead of being misread', async () => {
  const answer = await service.send('POST', '/api/v1/auth/login', {
    body: {},
    headers: { 'content-encoding': 'gzip' },
  });
  expect(answer.status).toBe(415);
});

test('malformed and overlong addresses are 400 and 414', async () => {
  const malformed = await sendRaw('GET /api/v1/%E0%A4%A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(malformed).toMatch(/^HTTP\/1\.1 400 /);
  expect(malformed).toContain('"code":"request.invalid_address"');
  expect(malformed).toMatch(/x-request-id: [0-9a-f-]{36}/i);
  const long = await service.send('DELETE', `/api/v1/auth/sessions/${'x'.repeat(2000)}`);
  expect(long.status).toBe(414);
  expect(long.body.code).toBe('request.address_too_long');
});

test('what is not HTTP, or has too many headers, is answered with a problem document', async () => {
  const garbage = await sendRaw('nonsense\r\n\r\n');
  expect(garbage).toMatch(/^HTTP\/1\.1 400 Bad Request/);
  expect(garbage).toContain('"code":"request.invalid"');
  const headers = await sendRaw(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(headers).toMatch(/^HTTP\/1\.1 431 /);
  expect(headers).toContain('"code":"request.headers_too_large"');
  const address = await sendRaw(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(address).toMatch(/^HTTP\/1\.1 431 /);
});

test('a client that never finishes its request is cut off', async () => {
  const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const slowBody = await sendRaw(`${head}Content-Length: 100\r\n\r\n{"em`);
  expect(slowBody).toMatch(/^HTTP\/1\.1 408 /);
  expect(slowBody).toContain('"code":"request.timeout"');
  const slowHeaders = await sendRaw(head);
  expect(slowHeaders).toMatch(/^HTTP\/1\.1 408 /);
});

test('HEAD answers like GET without a body', async () => {
  const head = await fetch(`${service.url}/health/live`, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe('');
});

test('every answer, refusals included, carries the security headers', async () => {
  for (const path of ['/api/v1/auth/me', '/api/v1/nothing', '/health/live']) {
    const { headers } = await service.send('GET', path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d+/);
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
});

test('an answer that other code writes carries the request id and the security headers too', async () => {
  const app = await createServer(service.ctx);
  app.get('/hijacked', { config: { writesRaw: true } }, (_request, reply) => {
    reply.hijack();
    reply.raw.end('written by somebody else');
  });
  const answer = await app.inject({ url: '/hijacked', headers: { 'x-request-id': 'trace-of-a-caller-2' } });
  await app.close();
  expect(answer.body).toBe('written by somebody else');
  expect(answer.headers).toMatchObject({
    'x-request-id': 'trace-of-a-caller-2',
    'x-content-type-options': 'nosniff',
  });
});
