import pg from 'pg';
import { pendingMigrations, readMigrations } from './migrate.ts';

/** One finding about the surroundings of the service; `advice` says what to do when it is not `ok`. */
export type Finding = { check: string; status: 'ok' | 'warn' | 'fail'; detail: string; advice?: string };

const versionMin = 150_000;
const skewMaxMs = 2000;

type Facts = {
  version: number;
  version_text: string;
  fsync: string;
  synchronous_commit: string;
  full_page_writes: string;
  time: Date;
  unbound: boolean;
  role: string;
};

/**
 * Looks at a database as the service would: reachable, new enough, durable, its clock and ours agreeing, the
 * role bound by row-level security, the schema current, and then what `whenCurrent` finds. Never throws for
 * what it finds; a lost connection is a finding.
 */
export async function diagnoseDatabase(
  connectionString: string,
  now: () => Date,
  whenCurrent: (client: pg.ClientBase) => Promise<Finding[]>,
): Promise<Finding[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const advice = 'Check DATABASE_URL, that the server runs, and that it accepts connections from here.';
    return [{ check: 'database', status: 'fail', detail, advice }];
  }
  try {
    const facts = await readFacts(client);
    const schema = await schemaIsCurrent(client);
    return [
      version(facts),
      durability('fsync', facts.fsync, 'fail'),
      durability('synchronous_commit', facts.synchronous_commit, 'warn'),
      durability('full_page_writes', facts.full_page_writes, 'fail'),
      clockSkew(facts, now()),
      roleIsBound(facts),
      schema,
      ...(schema.status === 'ok' ? await whenCurrent(client) : []),
    ];
  } finally {
    await client.end();
  }
}

async function readFacts(client: pg.Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as version_text,
            current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
            current_setting('full_page_writes') as full_page_writes, clock_timestamp() as time,
            r.rolsuper or r.rolbypassrls as unbound, r.rolname as role
       from pg_roles r where r.rolname = current_user`,
  );
  if (!rows[0]) throw new Error('the current role is not in pg_roles');
  return rows[0];
}

function version({ version: number, version_text: detail }: Facts): Finding {
  if (number >= versionMin)
    return { check: 'database version', status: 'ok', detail: `PostgreSQL ${detail}` };
  return {
    check: 'database version',
    status: 'fail',
    detail: `PostgreSQL ${detail}`,
    advice: 'Upgrade to PostgreSQL 15 or newer.',
  };
}

function durability(setting: string, value: string, otherwise: 'warn' | 'fail'): Finding {
  if (value !== 'off') return { check: setting, status: 'ok', detail: value };
  const advice = `Set ${setting} = on: acknowledged credits could be lost in a crash.`;
  return { check: setting, status: otherwise, detail: value, advice };
}

function clockSkew({ time }: Facts, now: Date): Finding {
  const skewMs = Math.abs(now.getTime() - time.getTime());
  if (skewMs <= skewMaxMs)
    return { check: 'clock', status: 'ok', detail: `${skewMs} ms from the database's` };
  const advice = 'Synchronise both clocks (NTP): expiry and daily credits go by them.';
  return { check: 'clock', status: 'warn', detail: `${skewMs} ms from the database's`, advice };
}

function roleIsBound({ role, unbound }: Facts): Finding {
  if (!unbound)
    return { check: 'database role', status: 'ok', detail: `${role}, bound by row-level security` };
  const advice =
    'Let the service connect as a plain member of obol_app; set DATABASE_OWNER_URL for migrations.';
  return { check: 'database role', status: 'fail', detail: `${role} is above row-level security`, advice };
}

async function schemaIsCurrent(client: pg.Client): Promise<Finding> {
  const check = 'schema';
  try {
    const pending = await pendingMigrations(client, await readMigrations());
    if (pending.length === 0) return { check, status: 'ok', detail: 'current' };
    const detail = `lacks ${pending.map(({ name }) => name).join(', ')}`;
    return { check, status: 'fail', detail, advice: 'Run `npm run obol -- migrate`, or start the service.' };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { check, status: 'fail', detail, advice: 'Run `npm run obol -- migrate`, or start the service.' };
  }
}
