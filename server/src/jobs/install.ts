import { getConstructionPlans, getMigrationPlans, PgBoss } from 'pg-boss';
import packageJson from 'pg-boss/package.json' with { type: 'json' };
import { SchemaError } from '../db/migrate.ts';
import { deadLetterQueue, deadLetterSettings, jobNames, queues, timetable } from './queues.ts';
import { withoutTransaction, type SqlResult } from './sql.ts';

/** The owner's connection, as much of it as is needed here. */
export type OwnerConnection = { query(text: string, values?: unknown[]): Promise<SqlResult | SqlResult[]> };

/** One number, so that several processes that start at once install one after the other. */
const installLock = 0x0b01_0002;

/** The version of pg-boss's schema that the installed package works with. */
const schemaVersion = packageJson.pgboss.schema;

/** Closes every table of pg-boss that is still open: to the service only, like every table of ours. */
const protectTables = `do $$
declare
  target regclass;
begin
  for target in select c.oid from pg_class c
    where c.relnamespace = 'pgboss'::regnamespace and c.relkind in ('r', 'p') and not c.relforcerowsecurity
  loop
    perform obol.protect(target, null);
  end loop;
end $$;
grant usage on schema pgboss to obol_app;
-- The timekeeper asks for its queue at every start; it is there already.
grant execute on function pgboss.create_queue(text, jsonb) to obol_app`;

/** Where pg-boss puts the turns of the timetable before they become jobs of their kinds. */
const turnQueue = '__pgboss__send-it';

/**
 * Brings the schema of pg-boss and our queues to this version, as the owner of the schema, in one transaction
 * under an advisory lock. Runs after the migrations, which bring `obol.protect`. Idempotent; changes nothing
 * when current.
 */
export async function installJobs(client: OwnerConnection): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(${installLock})`);
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => runAsOwner(client, text, values) },
      migrate: false,
      supervise: false,
      schedule: false,
    });
    await bringSchema(client, boss);
    await client.query(protectTables);
    await bringQueues(boss);
    await bringTimetable(boss);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

async function bringSchema(client: OwnerConnection, boss: PgBoss): Promise<void> {
  const version = (await boss.isInstalled()) ? await boss.schemaVersion() : null;
  if (version === schemaVersion) return;
  if (version !== null && version > schemaVersion) {
    throw new SchemaError(
      `The schema of pg-boss has version ${version}, and this version of the service knows ${schemaVersion}: ` +
        'a newer one has upgraded it. Start that version.',
    );
  }
  const plan = version === null ? getConstructionPlans() : getMigrationPlans('pgboss', version);
  await client.query(withoutTransaction(plan));
}

async function bringQueues(boss: PgBoss): Promise<void> {
  await boss.createQueue(deadLetterQueue, deadLetterSettings);
  await boss.updateQueue(deadLetterQueue, deadLetterSettings);
  for (const name of jobNames) {
    const settings = { ...queues[name], deadLetter: deadLetterQueue };
    await boss.createQueue(name, settings);
    await boss.updateQueue(name, settings);
  }
}

async function bringTimetable(boss: PgBoss): Promise<void> {
  await boss.createQueue(turnQueue);
  for (const { name } of await boss.getSchedules()) {
    if (!Object.hasOwn(timetable, name)) await boss.unschedule(name);
  }
  for (const [name, cron] of Object.entries(timetable)) await boss.schedule(name, cron, {});
}

async function runAsOwner(client: OwnerConnection, text: string, values?: unknown[]): Promise<SqlResult> {
  const result = await client.query(withoutTransaction(text), values?.length ? values : undefined);
  return Array.isArray(result) ? { rows: result.flatMap((part) => part.rows) } : result;
}
