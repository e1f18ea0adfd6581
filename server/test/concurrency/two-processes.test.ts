import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startRealService } from '../crash/real-service.ts';
import { sendJson, startTestService } from '../harness/index.ts';

/** Prepares the database and lends its addresses; the requests go to two processes of their own. */
const prepared = await startTestService();
const env = {
  DATABASE_URL: prepared.appUrl,
  DATABASE_OWNER_URL: prepared.ownerUrl,
  OBOL_SECRET: prepared.ctx.config.secret,
  BASE_URL: 'http://localhost:3001',
  CREDITS_SIGNUP_BONUS: '100',
  ...prepared.backendEnv,
};
const urls = await Promise.all([0, 1].map(async () => (await startRealService({ env })).url));

type Answer = Awaited<ReturnType<typeof sendJson>>;

async function signUp(): Promise<{ accessToken: string; refreshToken: string }> {
  const credentials = { email: `${randomUUID()}@example.com`, password: 'correct horse lantern' };
  const post = (path: string) => sendJson(`${urls[0]}/api/v1/auth/${path}`, 'POST', { body: credentials });
  expect((await post('register')).status).toBe(201);
  return (await post('login')).body;
}

/** Sends the same kind of request many times at once, to the two processes in turn. */
function inTurn(count: number, send: (url: string, index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => send(urls[index % 2] ?? '', index)));
}

const spend = (url: string, token: string, idempotencyKey: string, amount = 1) =>
  sendJson(`${url}/api/v1/credits/use`, 'POST', {
    token,
    body: { amount, appId: 'app', description: 'one credit', idempotencyKey },
  });

const statusesOf = (answers: Answer[]) => Object.groupBy(answers, ({ status }) => status);

test('200 parallel spends on funds for 100: exactly 100 succeed, whichever process takes them', async () => {
  const { accessToken } = await signUp();
  const answers = await inTurn(200, (url) => spend(url, accessToken, randomUUID()));
  const byStatus = statusesOf(answers);
  expect(Object.keys(byStatus)).toEqual(['200', '402']);
  expect(byStatus[200]).toHaveLength(100);
});

test('50 parallel copies of one key: one effect, identical bodies; with another amount 422', async () => {
  const { accessToken } = await signUp();
  const key = randomUUID();
  const answers = await inTurn(50, (url) => spend(url, accessToken, key));
  expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body])))).toHaveLength(1);
  const [first] = answers;
  expect(first).toMatchObject({ status: 200, body: { newBalance: { available: 99 } } });
  for (const url of urls) expect((await spend(url, accessToken, key, 2)).status).toBe(422);
  const other = await signUp();
  expect(await spend(urls[1] ?? '', other.accessToken, key)).toMatchObject({
    status: 200,
    body: { newBalance: { available: 99 } },
  });
});

test('20 parallel refreshes of one token: one successor, and the family lives', async () => {
  const { refreshToken } = await signUp();
  const answers = await inTurn(20, (url) =>
    sendJson(`${url}/api/v1/auth/refresh`, 'POST', { body: { refreshToken } }),
  );
  const byStatus = statusesOf(answers);
  expect(byStatus[200]).toHaveLength(1);
  expect(byStatus[401]).toHaveLength(19);
  const [successor] = byStatus[200] ?? [];
  const next = await sendJson(`${urls[1]}/api/v1/auth/refresh`, 'POST', {
    body: { refreshToken: successor?.body.refreshToken },
  });
  expect(next.status).toBe(200);
});

test('signing out at one process counts at once at the other', async () => {
  const { accessToken } = await signUp();
  expect((await spend(urls[1] ?? '', accessToken, randomUUID())).status).toBe(200);
  expect((await sendJson(`${urls[0]}/api/v1/auth/logout`, 'POST', { token: accessToken })).status).toBe(200);
  expect((await spend(urls[1] ?? '', accessToken, randomUUID())).status).toBe(401);
});
