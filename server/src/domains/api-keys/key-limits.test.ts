import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../test/harness/api-keys.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';
import { newApiKey } from '../../lib/api-key.ts';
import { createLog } from '../../log.ts';

const lines: string[] = [];
const destination = new Writable({
  write(chunk: Buffer, _encoding, done) {
    lines.push(chunk.toString());
    done();
  },
});
const log = createLog({ logLevel: 'trace', logFormat: 'json', isProduction: false }, destination);
const service = await startTestService({ log });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const charge = { amount: 1, appId: 'chat', description: 'Answer' };
const balanceBy = (key: string) => service.send('GET', '/api/v1/credits/balance', { headers: bearer(key) });

test('a key that is used too often is refused with 429 and what is left, and is not valid in verifications', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token, { rateLimit: 3 });
  const first = await balanceBy(key);
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit-policy')).toBe('"api-key";q=3;w=60');
  expect(first.headers.get('ratelimit')).toMatch(/^"api-key";r=2;t=\d+$/);
  expect((await verifyKey(service, key)).body).toMatchObject({
    valid: true,
    rateLimit: { limit: 3, remaining: 1, resetSeconds: expect.any(Number) },
  });
  expect((await balanceBy(key)).status).toBe(200);
  const refused = await balanceBy(key);
  expect(refused).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  for (const asked of [undefined, charge]) {
    expect(await verifyKey(service, key, asked ? { charge: asked } : {})).toMatchObject({
      status: 200,
      body: { valid: false, code: 'rate_limited', rateLimit: { limit: 3, remaining: 0 }, charge: null },
    });
  }
  const balance = await service.send('GET', '/api/v1/credits/balance', { token });
  expect(balance.body.available).toBe(150);
});

test('a key that this process has never seen is counted before it is known', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token, { rateLimit: 5 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => verifyKey(service, key, { charge })));
  const codes = answers.map(({ body }): string => body.code).toSorted();
  expect(codes).toEqual([
    ...Array.from({ length: 15 }, () => 'rate_limited'),
    ...Array.from({ length: 5 }, () => 'valid'),
  ]);
});

test('limits of keys are their own', async () => {
  const { token } = await addWalletHolder(service);
  const [one, other] = [
    await makeKey(service, token, { rateLimit: 1 }),
    await makeKey(service, token, { rateLimit: 1 }),
  ];
  for (const { key } of [one, other]) expect((await balanceBy(key)).status).toBe(200);
  for (const { key } of [one, other]) expect((await balanceBy(key)).status).toBe(429);
  expect((await service.send('GET', '/api/v1/credits/balance', { token })).status).toBe(200);
});

test('an address that tries many unknown keys waits, known ones do not', async () => {
  const limited = await startTestService({ env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_MAX: '1000' } });
  const { token } = await addWalletHolder(limited);
  const { key } = await makeKey(limited, token);
  const ask = (one: string) => limited.send('GET', '/api/v1/credits/balance', { headers: bearer(one) });
  expect((await ask(key)).status).toBe(200);
  const statuses = [];
  for (let count = 0; count < 22; count++) statuses.push((await ask(newApiKey(limited.ctx.random))).status);
  expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
  expect(statuses.at(-1)).toBe(429);
  expect((await verifyKey(limited, newApiKey(limited.ctx.random))).status).toBe(429);
  expect((await ask(key)).status).toBe(200);
});

test('no key, nor any part of its secret, stands in a log', async () => {
  const { token } = await addWalletHolder(service);
  const app = await registerApplication(service, token);
  const made = await makeKey(service, token);
  const { key } = made;
  await verifyKey(service, key, { charge });
  await verifyKey(service, key, { headers: app.headers, charge });
  await service.send('GET', `/api/v1/credits/transactions?key=${key}`, { headers: bearer(key) });
  await service.send('GET', `/api/v1/${key}`, { headers: bearer(key) });
  await service.send('POST', '/api/v1/api-keys/verify', {
    headers: bearer(key),
    body: { key, charge: { x: key } },
  });
  await service.send('DELETE', `${ownKeys}/${made.id}`, { token });
  await balanceBy(key);
  service.ctx.log.warn({ key, note: `was handed ${key}` }, `about ${key}`);
  await expect.poll(() => lines.join('')).toContain('was handed');
  expect(lines.join('')).not.toContain(key.slice(8, 30));
});
