import pg from 'pg';
import { expect, inject, test, vi } from 'vitest';
import { createLog } from '../src/log.ts';
import { startTestService, type TestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';
import { addWalletHolder, connectAsOwner } from './harness/wallets.ts';

type Line = {
  level: string;
  msg: string;
  requestId?: string;
  leftOut?: number;
  err?: unknown;
  cause?: string;
  status?: number;
};

/** A service, what it has logged, and somebody who asks it for their balance. */
async function startLogged(env: Record<string, string> = {}) {
  const lines: Line[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const log = createLog({ logLevel: 'info', logFormat: 'json', isProduction: true }, { write });
  const service = await startTestService({ env, log });
  const { token } = await addWalletHolder(service);
  const ask = async () => (await service.send('GET', '/api/v1/credits/balance', { token })).status;
  const askTimes = (count: number) => Promise.all(Array.from({ length: count }, ask));
  const linesOf = (code: string) => lines.filter(({ msg }) => msg === code);
  return { service, lines, linesOf, ask, askTimes };
}

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('adminUrl') });
  await client.connect();
  await client.query(sql);
  await client.end();
}

const databaseOf = (service: TestService) => new URL(service.ownerUrl).pathname.slice(1);

/** Takes the database away, and waits until the service has none of its connections left. */
async function takeDatabase(service: TestService): Promise<void> {
  const name = databaseOf(service);
  await asAdmin(`alter database ${name} connection limit 0;
    select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  const ready = async () => (await service.send('GET', '/health/ready')).status;
  await vi.waitFor(async () => expect(await ready()).toBe(503), { timeout: 10_000 });
}

/** Gives it back, so that the service need not wait for it when it stops. */
const giveDatabase = (service: TestService) =>
  asAdmin(`alter database ${databaseOf(service)} connection limit -1`);

/** How many failures lines stand for; one that only counts is none itself. */
const countOf = (lines: Line[]) =>
  lines.reduce((sum, { requestId, leftOut = 0 }) => sum + (requestId ? 1 : 0) + leftOut, 0);
const refused = (count: number) => Array.from({ length: count }, () => 503);

test('while the database is away, failures are told in a few words: the first, then one a second that counts those left out', async () => {
  const { service, lines, linesOf, ask, askTimes } = await startLogged();
  const told = () => linesOf('server.unavailable');
  await takeDatabase(service);
  service.clock.advance({ minutes: 2 });
  expect(await ask()).toBe(503);
  lines.length = 0;
  expect(await askTimes(30)).toEqual(refused(30));
  // One of the first ten was that which came before.
  expect(told()).toHaveLength(9);
  expect(told()[0]).toEqual({
    level: 'error',
    time: expect.any(String),
    requestId: expect.any(String),
    method: 'GET',
    route: '/api/v1/credits/balance',
    cause: expect.stringMatching(/\w/),
    msg: 'server.unavailable',
  });
  for (const lines of [9, 10]) {
    service.clock.advance({ ms: 600 });
    expect(await askTimes(30)).toEqual(refused(30));
    expect(told()).toHaveLength(lines);
  }
  expect(told()[9]).toMatchObject({ leftOut: 51, requestId: expect.any(String) });
  await giveDatabase(service);
  service.clock.advance({ seconds: 1 });
  await vi.waitFor(async () => expect(await ask()).toBe(200), { timeout: 45_000 });
  service.clock.advance({ seconds: 1 });
  expect(await ask()).toBe(200);
  const answers = linesOf('request answered').filter(({ status }) => status === 503);
  expect(answers.length).toBeGreaterThanOrEqual(90);
  expect(countOf(told())).toBe(answers.length);
  expect(lines.filter(({ level }) => level === 'error')).toEqual(told());
}, 120_000);

test('what was left out last is told when the service stops, and the metrics have counted each', async () => {
  const { service, linesOf, askTimes } = await startLogged();
  await takeDatabase(service);
  expect(await askTimes(40)).toEqual(refused(40));
  const metrics = (await service.send('GET', '/metrics')).body as string;
  expect(metrics).toMatch(
    /duration_seconds_count\{method="GET",route="\/api\/v1\/credits\/balance",status="503"\} 40/,
  );
  await giveDatabase(service);
  await service.stop();
  const told = linesOf('server.unavailable');
  expect(told.length).toBeLessThanOrEqual(11);
  expect(told.at(-1)).toEqual({
    level: 'error',
    time: expect.any(String),
    leftOut: expect.any(Number),
    msg: 'server.unavailable',
  });
  expect(countOf(told)).toBeGreaterThan(40);
}, 120_000);

test('the OAuth endpoints are as brief about it', async () => {
  const { service, lines, linesOf } = await startLogged();
  await takeDatabase(service);
  lines.length = 0;
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none' });
  const headers = { authorization: `Basic ${btoa('id:secret')}` };
  for (const path of ['token', 'introspect', 'par']) {
    const ask = () => fetch(`${service.url}/oauth/${path}`, { method: 'POST', headers, body });
    for (const { status } of await Promise.all(Array.from({ length: 20 }, ask)))
      expect(status).toBeGreaterThanOrEqual(500);
  }
  await giveDatabase(service);
  await service.stop();
  const told = linesOf('server.unavailable');
  expect(told.map(({ leftOut }) => leftOut ?? 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, expect.any(Number)]);
  expect(countOf(told)).toBe(60);
  expect(told[0]).toMatchObject({ requestId: expect.any(String), cause: expect.stringMatching(/\w/) });
  expect(lines.filter(({ level }) => level === 'error')).toEqual(told);
}, 120_000);

test('what nobody expected is written with its stack, each one', async () => {
  const { service, lines, linesOf } = await startLogged();
  const { refreshToken } = await signIn(service, await registerPerson(service));
  const owner = await connectAsOwner(service);
  await owner.query('alter table auth.refresh_tokens rename to elsewhere');
  for (let times = 0; times < 30; times++) {
    const { status } = await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
    expect(status).toBe(500);
  }
  const failures = lines.filter(({ level }) => level === 'error');
  expect(failures).toEqual(linesOf('server.internal'));
  expect(failures).toHaveLength(30);
  for (const { err } of failures)
    expect(err).toMatchObject({
      stack: expect.any(String),
      cause: { code: '42704', stack: expect.any(String) },
    });
});
