import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: { WEBHOOK_LOG_RETENTION: '10d' } });
const owner = await connectAsOwner(service);
const ago = (days: number) => new Date(service.clock.now().getTime() - days * 86_400_000);

async function addApplication(): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into apps.applications (id, client_id, name, redirect_uris, roles, default_role, created_at, updated_at)
     values ($1::uuid, $1::text, 'Notes', '{}', '{admin}', 'admin', $2, $2)`,
    [id, ago(500)],
  );
  return id;
}

/** A row of each kind that has ended a day before, or after, its time is over. */
async function addRows(application: string, userId: string, isOld: boolean): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into auth.security_events (id, user_id, type, created_at) values ($1, $2, 'login.failed', $3)`,
    [id, userId, ago(isOld ? 366 : 364)],
  );
  await owner.query(
    `insert into auth.sessions (id, user_id, created_at, last_used_at, expires_at) values ($1, $2, $3, $3, $3)`,
    [id, userId, ago(isOld ? 91 : 89)],
  );
  await owner.query(
    `insert into auth.verification_tokens (id, user_id, purpose, email, token_hash, created_at, expires_at)
     values ($1, $2, 'verify_email', 'a@example.com', $3, $4, $4)`,
    [id, userId, Buffer.from(id), ago(isOld ? 91 : 89)],
  );
  await owner.query(
    `insert into apps.access_requests (id, application_id, user_id, status, decided_at, created_at)
     values ($1, $2, $3, 'denied', $4, $4)`,
    [id, application, userId, ago(isOld ? 366 : 364)],
  );
  await owner.query(
    `insert into auth.imports (id, digest, mapping, records_done, created, updated, skipped, started_at, finished_at)
     values ($1, $2, 'obol', 1, 0, 0, 1, $3, $3)`,
    [id, Buffer.from(id), ago(isOld ? 91 : 89)],
  );
  await owner.query(
    `insert into auth.import_notes (import_id, record, reason, line, outcome) values ($1, 1, 'not_json', 1, 'skipped')`,
    [id],
  );
  await owner.query(
    `insert into webhooks.endpoints (id, application_id, url, low_balance, created_at, updated_at)
     values ($1, $2, 'https://notes.example.com', 1, $3, $3)`,
    [id, application, ago(500)],
  );
  await owner.query(
    `insert into webhooks.events (id, type, data, happened_at) values ($1, 'webhook.ping', '{}', $2)`,
    [id, ago(12)],
  );
  await owner.query(
    `insert into webhooks.deliveries (id, endpoint_id, event_id, status, created_at, completed_at)
     values ($1, $1, $1, 'succeeded', $2, $3)`,
    [id, ago(12), ago(isOld ? 11 : 9)],
  );
  return id;
}

async function left(table: string, ids: string[], column = 'id'): Promise<string[]> {
  const { rows } = await owner.query(`select ${column} as id from ${table} where ${column} = any ($1)`, [
    ids,
  ]);
  return rows.map(({ id }) => id);
}

test('what is kept for long enough is forgotten by night, and nothing younger', async () => {
  const holder = await addWalletHolder(service);
  const application = await addApplication();
  const old = await addRows(application, holder.userId, true);
  const young = await addRows(application, holder.userId, false);
  await owner.query(
    `insert into apps.access_requests (id, application_id, user_id, status, created_at) values ($1, $2, $3, 'pending', $4)`,
    [randomUUID(), application, holder.userId, ago(400)],
  );
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'forget-old-data', {}));
  await service.ctx.jobs.runDue();
  const both = [old, young];
  for (const table of [
    'auth.security_events',
    'auth.sessions',
    'auth.verification_tokens',
    'apps.access_requests',
    'webhooks.deliveries',
    'webhooks.events',
  ]) {
    expect([table, await left(table, both)]).toEqual([table, [young]]);
  }
  expect(await left('auth.import_notes', both, 'import_id')).toEqual([young]);
  expect(await left('auth.imports', both)).toHaveLength(2);
  const { rows } = await owner.query(`select status from apps.access_requests where status = 'pending'`);
  expect(rows).toHaveLength(1);
});
