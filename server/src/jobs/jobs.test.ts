import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { getRollbackPlans } from 'pg-boss';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../test/harness/index.ts';
import { registerPerson, signIn } from '../../test/harness/people.ts';
import { startSmtpListener } from '../../test/harness/smtp.ts';
import { addWalletHolder, connectAsOwner } from '../../test/harness/wallets.ts';
import { createBoss } from './boss.ts';
import { installJobs } from './install.ts';
import { timetable } from './queues.ts';
import { withoutTransaction } from './sql.ts';

/** A log whose lines a test can read. */
function createTestLog() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) });
  return { log, lines, atLeast: (level: number) => lines.filter((line) => Number(line.level) >= level) };
}

function notify(service: TestService, email: string): Promise<void> {
  const at = service.clock.now().toISOString();
  return service.ctx.db.asService((tx) =>
    service.ctx.jobs.enqueue(tx, 'send-notice-mail', { email, notice: 'password_changed', at }),
  );
}

const freshAddress = () => `${randomUUID()}@example.com`;

test('a job exists exactly when its transaction commits', async () => {
  const service = await startTestService();
  const { ctx } = service;
  const [lost, kept] = [freshAddress(), freshAddress()];
  const at = service.clock.now().toISOString();
  const failing = ctx.db.asService(async (tx) => {
    await ctx.jobs.enqueue(tx, 'send-notice-mail', { email: lost, notice: 'password_reset', at });
    throw new Error('the work after it failed');
  });
  await expect(failing).rejects.toThrow('the work after it failed');
  await notify(service, kept);
  expect(await service.mails(lost)).toEqual([]);
  expect(await service.mails(kept)).toHaveLength(1);
});

test('a job can be enqueued in the transaction of a person, who sees nothing of it', async () => {
  const service = await startTestService();
  const { ctx } = service;
  const caller = await addWalletHolder(service);
  const email = freshAddress();
  const at = service.clock.now().toISOString();
  const seen = await ctx.db.asCaller(caller, async (tx) => {
    await ctx.jobs.enqueue(tx, 'send-notice-mail', { email, notice: 'password_reset', at });
    return (await tx.execute(sql`select * from pgboss.job`)).rows;
  });
  expect(seen).toEqual([]);
  expect(await service.mails(email)).toHaveLength(1);
});

test('the tables of pg-boss show and obey the service only', async () => {
  const service = await startTestService();
  const { ctx } = service;
  const caller = await addWalletHolder(service);
  await notify(service, freshAddress());
  const owner = await connectAsOwner(service);
  const { rows: tables } = await owner.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
      where c.relnamespace = 'pgboss'::regnamespace and c.relkind in ('r', 'p')`,
  );
  expect(tables.length).toBeGreaterThan(8);
  const filled = await ctx.db.asService((tx) => tx.execute(sql`select from pgboss.job`));
  expect(filled.rows).toHaveLength(1);
  for (const { name } of tables) {
    await ctx.db.asCaller(caller, async (tx) => {
      expect((await tx.execute(sql`select * from ${sql.raw(name)}`)).rows, name).toEqual([]);
      expect((await tx.execute(sql`delete from ${sql.raw(name)}`)).rowCount, name).toBe(0);
    });
  }
  await expect(
    ctx.db.asCaller(caller, (tx) =>
      tx.execute(sql`insert into pgboss.job (name, data) values ('send-notice-mail', '{}')`),
    ),
  ).rejects.toMatchObject({ cause: { code: '42501' } });
});

test('a job that was accepted is done by another process when the first one is gone', async () => {
  const first = await startTestService();
  const person = await registerPerson(first);
  await first.stop();
  const second = await startTestService({ shareDatabaseWith: first, runsJobs: true });
  const inMailbox = () => second.ctx.mail.mailbox?.list(person.email).map((mail) => mail.subject);
  await expect.poll(inMailbox, { timeout: 10_000 }).toEqual(['Confirm your address for Obol']);
});

test('two processes share the jobs: each is done once', async () => {
  const first = await startTestService();
  const second = await startTestService({ shareDatabaseWith: first });
  const addresses = Array.from({ length: 40 }, freshAddress);
  for (const address of addresses) await notify(first, address);
  await Promise.all([first, second].map((service) => service.ctx.jobs.runDue()));
  const delivered = [first, second].flatMap((service) => service.ctx.mail.mailbox?.list() ?? []);
  expect(delivered.map((mail) => mail.to).sort()).toEqual([...addresses].sort());
});

test('a failed job waits before it is tried again, and the wait grows', async () => {
  const smtp = await startSmtpListener();
  const service = await startTestService({ env: smtp.env });
  const owner = await connectAsOwner(service);
  smtp.refusals = Array.from({ length: 3 }, () => ({ code: 451, message: 'try again later' }));
  await notify(service, freshAddress());
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    await service.ctx.jobs.runDue({ ignoreDelay: true });
    expect(await service.ctx.jobs.runDue()).toBe(0);
    const { rows } = await owner.query(
      `select extract(epoch from start_after - now())::float as wait from pgboss.job where state = 'retry'`,
    );
    waits.push(rows[0].wait);
  }
  expect(waits[0]).toBeGreaterThan(10);
  expect(waits[2]).toBeGreaterThan(waits[0]! * 1.5);
  expect(smtp.mails).toHaveLength(0);
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(smtp.mails).toHaveLength(1);
});

test('a job that never succeeds is given up, logged as an error and kept', async () => {
  const smtp = await startSmtpListener();
  const { log, atLeast } = createTestLog();
  const service = await startTestService({ env: smtp.env, log });
  smtp.refusals = Array.from({ length: 100 }, () => ({ code: 554, message: 'never' }));
  await notify(service, freshAddress());
  for (let run = 1; run <= 21; run++) await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(smtp.attempts).toBe(21);
  expect(atLeast(50)).toMatchObject([{ job: 'send-notice-mail', attempts: 20, msg: 'job given up' }]);
  expect(await service.ctx.jobs.runDue({ ignoreDelay: true })).toBe(0);
  expect(await service.ctx.metrics.registry.metrics()).toContain(
    'obol_jobs_total{job="send-notice-mail",outcome="given_up"} 1',
  );
});

test('what a dead process had in hand is tried again, with no rights that the service lacks', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  const email = freshAddress();
  await notify(service, email);
  const started = await owner.query(
    `update pgboss.job set state = 'active', started_on = now() - interval '1 hour'
      where name = 'send-notice-mail'`,
  );
  expect(started.rowCount).toBe(1);
  expect(await service.mails(email)).toEqual([]);
  const { log, atLeast } = createTestLog();
  await createBoss(service.ctx.db, log).supervise();
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(await service.mails(email)).toHaveLength(1);
  expect(atLeast(40)).toEqual([]);
});

test('a stopping service finishes the job in hand and starts no other', async () => {
  const smtp = await startSmtpListener();
  const service = await startTestService({ env: smtp.env, runsJobs: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  smtp.gate = promise;
  await notify(service, freshAddress());
  await expect.poll(() => smtp.attempts, { timeout: 10_000 }).toBe(1);
  let hasStopped = false;
  const stopping = service.stop().then(() => {
    hasStopped = true;
  });
  const owner = await connectAsOwner(service);
  await owner.query('select 1');
  expect(hasStopped).toBe(false);
  resolve();
  await stopping;
  const { rows } = await owner.query(`select state from pgboss.job where name = 'send-notice-mail'`);
  expect(rows).toEqual([{ state: 'completed' }]);
  expect(smtp.mails).toHaveLength(1);
});

test('installing again changes nothing, and an older schema is upgraded with its jobs', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  const email = freshAddress();
  await notify(service, email);
  await installJobs(owner);
  await owner.query(withoutTransaction(getRollbackPlans('pgboss', 40)));
  expect((await owner.query('select version from pgboss.version')).rows).toEqual([{ version: 39 }]);
  await installJobs(owner);
  expect((await owner.query('select version from pgboss.version')).rows).toEqual([{ version: 40 }]);
  const { rows: open } = await owner.query(
    `select relname from pg_class where relnamespace = 'pgboss'::regnamespace and relkind in ('r', 'p')
        and not relforcerowsecurity`,
  );
  expect(open).toEqual([]);
  expect(await service.mails(email)).toHaveLength(1);
});

test('no payload holds a secret', async () => {
  const service = await startTestService();
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  await service.send('POST', '/api/v1/auth/forgot-password', { body: { email: person.email } });
  await service.send('POST', '/api/v1/auth/change-password', {
    token: accessToken,
    body: { currentPassword: person.password, newPassword: 'another lantern horse' },
  });
  await service.mails();
  const tokens = (service.ctx.mail.mailbox?.list() ?? []).flatMap((mail) => mail.links);
  expect(tokens.filter((link) => link.includes('token='))).toHaveLength(2);
  const owner = await connectAsOwner(service);
  const { rows } = await owner.query<{ all: string }>(
    `select string_agg(j::text, ' ') as all from pgboss.job j`,
  );
  expect(rows[0]?.all).toContain(person.email);
  for (const link of tokens)
    expect(rows[0]?.all).not.toContain(new URL(link).searchParams.get('token') ?? link);
  expect(rows[0]?.all).not.toContain('lantern');
});

test('a turn of the timetable becomes one job, whatever the number of processes', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  const planned = await owner.query('select name, cron from pgboss.schedule order by name');
  expect(planned.rows).toEqual(
    Object.entries(timetable)
      .map(([name, cron]) => ({ name, cron }))
      .toSorted((left, right) => left.name.localeCompare(right.name)),
  );
  await owner.query(`update pgboss.schedule set cron = '* * * * *'`);
  const { log, atLeast } = createTestLog();
  const processes = [createBoss(service.ctx.db, log), createBoss(service.ctx.db, log)];
  for (const boss of processes) await boss.start();
  const turns = async () => {
    const { rows } = await owner.query('select name from pgboss.job where name = any ($1) order by name', [
      Object.keys(timetable),
    ]);
    return rows.map(({ name }) => name);
  };
  await expect.poll(turns, { timeout: 20_000, interval: 200 }).toEqual(Object.keys(timetable).toSorted());
  for (const boss of processes) await boss.stop({ graceful: false });
  expect(await service.ctx.jobs.runDue()).toBe(Object.keys(timetable).length);
  expect(atLeast(40)).toEqual([]);
}, 30_000);

test('a kind that is no longer in the timetable comes no more', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  await owner.query(`insert into pgboss.schedule (name, cron) values ('send-notice-mail', '* * * * *')`);
  await owner.query(`select set_config('obol.role', 'service', false)`);
  await installJobs(owner);
  const { rows } = await owner.query(`select name from pgboss.schedule where name = 'send-notice-mail'`);
  expect(rows).toEqual([]);
});
