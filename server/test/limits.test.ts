import { expect, test } from 'vitest';
import type { TestService } from './harness/index.ts';
import { startTestService } from './harness/index.ts';

const env = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: '127.0.0.1' };

/** Each test works from addresses of its own, so that no test uses up another's limit. */
let lastAddress = 0;
const freshAddress = () => `198.51.100.${++lastAddress}`;
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

async function attemptLogin(service: TestService, email: string, address: string) {
  return service.send('POST', '/api/v1/auth/login', {
    ...from(address),
    body: { email, password: 'not the password' },
  });
}

const service = await startTestService({ env: { ...env, RATE_LIMIT_MAX: '20' } });

test('the general limit counts requests of one address and refuses with Retry-After', async () => {
  const address = freshAddress();
  const first = await service.send('GET', '/api/v1/nothing', from(address));
  expect(first.status).toBe(404);
  expect(first.headers.get('ratelimit-policy')).toBe('"general";q=20;w=60');
  expect(first.headers.get('ratelimit')).toBe('"general";r=19;t=60');
  for (let i = 0; i < 19; i++) await service.send('GET', '/api/v1/nothing', from(address));
  const refused = await service.send('GET', '/api/v1/nothing', from(address));
  expect(refused.status).toBe(429);
  expect(refused.body).toMatchObject({ code: 'request.rate_limited', status: 429 });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.headers.get('ratelimit')).toMatch(/^"general";r=0;t=\d+$/);
  const other = await service.send('GET', '/api/v1/nothing', from(freshAddress()));
  expect(other.status).toBe(404);
});
