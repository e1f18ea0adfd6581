import pg from 'pg';
import { expect, inject, test, vi } from 'vitest';
import { startTestService, type TestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const service = await startTestService();

const asOwner = (at: TestService, sql: string) => query(at.ownerUrl, sql);
const asAdmin = (sql: string) => query(inject('adminUrl'), sql);

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('a healthy service says so', async () => {
  const health = await service.send('GET', '/health');
  expect(health.status).toBe(200);
  expect(health.body).toMatchObject({
    status: 'ok',
    checks: { database: 'ok', schema: 'ok', signingKey: 'ok', accepting: 'ok' },
  });
  expect(health.body.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(health.body.uptimeSeconds).toBeGreaterThanOrEqual(0);
  expect((await service.send('GET', '/health/live')).body).toEqual({ status: 'ok' });
  expect((await service.send('GET', '/health/ready')).status).toBe(200);
});

test('a schema that lacks a migration is not ready; one that is ahead is', async () => {
  const outdated = await startTestService();
  await asOwner(outdated, `insert into obol.migrations (name, hash) values ('9999_newer.sql', 'hash')`);
  expect((await outdated.send('GET', '/health/ready')).status).toBe(200);
  await asOwner(outdated, `delete from obol.migrations where name = '0001_access.sql'`);
  const answer = await outdated.send('GET', '/health/ready');
  expect(answer.status).toBe(503);
  expect(answer.body).toMatchObject({
    code: 'server.unavailable',
    checks: { database: 'ok', schema: 'failed', signingKey: 'ok', accepting: 'ok' },
  });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect((await outdated.send('GET', '/health')).status).toBe(503);
});

test('without its database the service lives but is not ready, and recovers by itself', async () => {
  const cut = await startTestService();
  const name = new URL(cut.ownerUrl).pathname.slice(1);
  const statusOf = async (path: string) => (await cut.send('GET', path)).status;
  await asAdmin(`alter database ${name} allow_connections false;
    select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  await vi.waitFor(async () => expect(await statusOf('/health/ready')).toBe(503), { timeout: 10_000 });
  expect(await statusOf('/health/live')).toBe(200);
  const { body } = await cut.send('GET', '/health/ready');
  expect(body).toMatchObject({ checks: { database: 'failed', signingKey: 'ok' } });
  await asAdmin(`alter database ${name} allow_connections true`);
  await vi.waitFor(async () => expect(await statusOf('/health/ready')).toBe(200), { timeout: 45_000 });
}, 60_000);

test('requests are measured by route pattern, never by address', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  await service.send('DELETE', '/api/v1/auth/sessions/019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11', {
    token: accessToken,
  });
  await service.send('GET', '/api/v1/secret-in-the-address');
  const answer = await service.send('GET', '/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const metrics = answer.body as string;
  expect(metrics).toMatch(
    /obol_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/auth\/login",status="200"\} 1/,
  );
  expect(metrics).toContain('route="/api/v1/auth/sessions/:id"');
  expect(metrics).toContain('route="unmatched",status="404"');
  expect(metrics).not.toContain('secret-in-the-address');
  expect(metrics).not.toContain('019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11');
  expect(metrics).not.toContain(person.email);
  const names = ['nodejs_eventloop_lag_seconds', 'obol_database_connections', 'obol_spends_total'];
  for (const name of [...names, 'obol_passwords_waiting']) {
    expect(metrics).toContain(name);
  }
});

test('two services in one process count apart', async () => {
  const other = await startTestService();
  await other.send('GET', '/api/v1/only-here');
  expect((await other.send('GET', '/metrics')).body).toContain('route="unmatched",status="404"} 1');
});
