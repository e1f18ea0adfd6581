import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startRealService } from '../crash/real-service.ts';
import { makeKey, ownKeys, verifyKey } from '../harness/api-keys.ts';
import { registerApplication } from '../harness/applications.ts';
import { sendJson, startTestService, type TestService } from '../harness/index.ts';
import { expectSound } from '../harness/movements.ts';

/** Prepares the database and lends its addresses; the requests go to two processes of their own. */
const prepared = await startTestService();
const env = {
  DATABASE_URL: prepared.appUrl,
  DATABASE_OWNER_URL: prepared.ownerUrl,
  OBOL_SECRET: prepared.ctx.config.secret,
  BASE_URL: 'http://localhost:3001',
  ...prepared.backendEnv,
};
const processes = await Promise.all(
  [0, 1].map(async () => {
    const { url } = await startRealService({ env });
    const send: TestService['send'] = (method, path, options) => sendJson(`${url}${path}`, method, options);
    return { ...prepared, send };
  }),
);
const [one, other] = processes as [TestService, TestService];

async function signUp(): Promise<string> {
  const body = { email: `${randomUUID()}@example.com`, password: 'correct horse lantern' };
  expect((await one.send('POST', '/api/v1/auth/register', { body })).status).toBe(201);
  return (await one.send('POST', '/api/v1/auth/login', { body })).body.accessToken;
}

const charge = { amount: 1, appId: 'chat', description: 'Answer' };
const balance = (at: TestService, key: string) =>
  at.send('GET', '/api/v1/credits/balance', { headers: { 'x-api-key': key } });

test('64 parallel verify-and-charge calls at two processes, with a budget for 40: exactly 40 are charged', async () => {
  const token = await signUp();
  const { key } = await makeKey(one, token, { budget: { allowance: 40 } });
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => verifyKey(index % 2 ? one : other, key, { charge })),
  );
  const byCode = Object.groupBy(answers, ({ body }) => body.code);
  expect(Object.keys(byCode).toSorted()).toEqual(['mandate.exceeded', 'valid']);
  expect(byCode.valid).toHaveLength(40);
  expect((await balance(other, key)).body).toMatchObject({ available: 110, totalSpent: 40 });
  await expectSound(prepared);
});

test('64 parallel copies of one idempotency key at two processes charge once', async () => {
  const token = await signUp();
  const { key } = await makeKey(one, token, { budget: { allowance: 40 } });
  const once = { ...charge, idempotencyKey: randomUUID() };
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => verifyKey(index % 2 ? one : other, key, { charge: once })),
  );
  expect(new Set(answers.map(({ body }) => body.charge.transactionId)).size).toBe(1);
  expect(answers.filter(({ body }) => !body.charge.replayed)).toHaveLength(1);
  expect((await balance(one, key)).body.available).toBe(149);
});

test('revoking, rotating without overlap and deactivating count at once in both of two processes', async () => {
  const token = await signUp();
  const app = await registerApplication(one, token);
  const ends: [string, (id: string) => Promise<{ status: number }>][] = [
    ['revoked', (id) => one.send('DELETE', `${ownKeys}/${id}`, { token })],
    ['expired', (id) => one.send('POST', `${ownKeys}/${id}/rotate`, { token, body: { overlapSeconds: 0 } })],
  ];
  for (const [code, end] of ends) {
    const { id, key } = await makeKey(one, token);
    for (const at of processes) {
      expect((await balance(at, key)).status).toBe(200);
      expect((await verifyKey(at, key, { headers: app.headers })).body.code).toBe('valid');
    }
    expect((await end(id)).status).toBe(200);
    for (const at of processes) {
      expect((await balance(at, key)).status).toBe(401);
      expect((await verifyKey(at, key)).body).toMatchObject({ valid: false, code });
      expect((await verifyKey(at, key, { charge })).body).toMatchObject({ valid: false, code, charge: null });
      expect((await verifyKey(at, key, { headers: app.headers })).body).toMatchObject({ valid: false, code });
    }
  }
});

test('a revocation that races 64 charges lets none through that began after it', async () => {
  const token = await signUp();
  const { id, key } = await makeKey(one, token);
  const racing = Array.from({ length: 32 }, (_, index) =>
    verifyKey(index % 2 ? one : other, key, { charge }),
  );
  expect((await one.send('DELETE', `${ownKeys}/${id}`, { token })).status).toBe(200);
  const after = await Promise.all(
    Array.from({ length: 32 }, (_, index) => verifyKey(index % 2 ? one : other, key, { charge })),
  );
  expect(new Set(after.map(({ body }) => body.code))).toEqual(new Set(['revoked']));
  const charged = (await Promise.all(racing)).filter(({ body }) => body.valid).length;
  const { body } = await one.send('GET', '/api/v1/credits/balance', { token });
  expect(body.totalSpent).toBe(charged);
});
