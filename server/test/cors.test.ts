import { expect, test } from 'vitest';
import { startTestService } from './harness/index.ts';

const service = await startTestService({
  env: {
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173/',
    FRONTEND_URL: 'https://www.example.com/app',
  },
});

const preflight = (path: string, origin: string) =>
  service.send('OPTIONS', path, {
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,idempotency-key',
    },
  });

test.each(['https://app.example.com', 'http://localhost:5173', 'https://www.example.com'])(
  'a page of %s may call with cookies',
  async (origin) => {
    const asked = await preflight('/api/v1/auth/login', origin);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
    expect(asked.headers.get('access-control-allow-credentials')).toBe('true');
    expect(asked.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(asked.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect(Number(asked.headers.get('access-control-max-age'))).toBeGreaterThan(0);
    const answer = await service.send('GET', '/api/v1/auth/me', { headers: { origin } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('vary')).toMatch(/origin/i);
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').split(', ');
    for (const name of [
      'X-Request-Id',
      'X-Total-Count',
      'Link',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'Idempotency-Replayed',
    ]) {
      expect(exposed).toContain(name);
    }
  },
);

test.each([
  'https://evil.example',
  'https://app.example.com.evil.example',
  'https://sub.app.example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://www.example.com/app',
  'null',
])('a page of %s may not read answers', async (origin) => {
  const asked = await preflight('/api/v1/auth/login', origin);
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
  const answer = await service.send('GET', '/api/v1/auth/me', { headers: { origin } });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  expect(answer.headers.get('vary')).toMatch(/origin/i);
});

test('paths of the JSON flow are open to every page, but never with cookies', async () => {
  for (const path of ['/api/v1/oauth/token', '/api/oauth/token']) {
    const answer = await service.send('POST', path, {
      headers: { origin: 'https://anyone.example' },
      body: {},
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  }
});

test('refusals can be read by the page too', async () => {
  const origin = 'https://app.example.com';
  for (const [path, status] of [
    ['/api/v1/nothing', 404],
    ['/api/v1/auth/login', 405],
    ['/api/v1/auth/me', 401],
  ] as const) {
    const answer = await service.send('GET', path, { headers: { origin } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  }
});

test('OPTIONS names the methods of an address', async () => {
  const known = await service.send('OPTIONS', '/api/v1/users/me');
  expect(known.status).toBe(204);
  expect(known.headers.get('allow')).toContain('PUT');
  expect(known.headers.get('allow')).toContain('HEAD');
  const unknown = await service.send('OPTIONS', '/api/v1/nothing');
  expect(unknown.status).toBe(404);
  expect(unknown.body.code).toBe('request.not_found');
});

test('nobody is allowed where nothing is configured', async () => {
  const closed = await startTestService();
  const answer = await closed.send('GET', '/api/v1/auth/me', {
    headers: { origin: 'http://localhost:3000' },
  });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});
