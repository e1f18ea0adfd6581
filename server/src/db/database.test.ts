import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startTestService } from '../../test/harness/index.ts';

const service = await startTestService();
const administrator = new pg.Client({ connectionString: inject('adminUrl') });
beforeAll(() => administrator.connect());
afterAll(() => administrator.end());

test('a connection lost within a transaction fails that one and nothing else', async () => {
  const lost = service.ctx.db.asService(async (tx) => {
    const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
    await endBackend(rows[0]?.pid ?? 0);
    await tx.execute(sql`select 1`);
  });
  await expect(lost).rejects.toMatchObject({ code: 'server.unavailable' });
  expect((await service.send('GET', '/health/ready')).status).toBe(200);
});

/** Ends a backend and resolves once it is gone, so that its client has been told. */
async function endBackend(pid: number): Promise<void> {
  await administrator.query('select pg_terminate_backend($1)', [pid]);
  const isThere = async () =>
    (await administrator.query('select from pg_stat_activity where pid = $1', [pid])).rowCount;
  while (await isThere());
}
