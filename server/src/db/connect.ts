import { createHmac } from 'node:crypto';
import pg from 'pg';
import type { Config } from '../config.ts';
import { databaseErrorCode } from './errors.ts';
import { installJobs } from '../jobs/install.ts';
import { migrate, pendingMigrations, readMigrations, SchemaError } from './migrate.ts';

/** The role that the service works as: subject to row-level security, no update or delete on the journal. */
const appRole = 'obol_app';

/** Credits and sums of credits are `bigint` in SQL and stay exact in JavaScript up to 2^53 − 1. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the exact integers`);
  return value;
});

const roleAttemptsMax = 5;
/** Wrong password, or a role that may not log in or does not exist. */
const refusedLogins = new Set(['28P01', '28000']);

export type Connections = { ownerUrl: string; appUrl: string };

/**
 * Migrates, then returns the address at which the service itself connects. With DATABASE_OWNER_URL, that role
 * migrates and DATABASE_URL serves as it is. With DATABASE_URL alone, its role must be able to create roles:
 * it migrates, and the service connects as `obol_app` with a password derived from OBOL_SECRET. A
 * DATABASE_URL that already names an unprivileged role serves when the schema is current.
 */
export async function prepareDatabase(
  config: Config,
  databaseUrl: string,
  onProgress?: (name: string) => void,
): Promise<Connections> {
  const ownerUrl = config.databaseOwnerUrl || databaseUrl;
  return withClient(ownerUrl, 'obol-migrate', async (client) => {
    const owner = await readRole(client);
    if (!owner.canMigrate) {
      await assertSchemaIsCurrent(client);
      return { ownerUrl, appUrl: databaseUrl };
    }
    const appUrl = config.databaseOwnerUrl ? databaseUrl : await provideAppRole(client, config, databaseUrl);
    await migrateWithAppRole(client, onProgress);
    return { ownerUrl, appUrl };
  });
}

/**
 * The same addresses for a command beside the service: changes nothing. Throws SchemaError unless the schema
 * is current.
 */
export async function connectToCurrent(config: Config, databaseUrl: string): Promise<Connections> {
  const connections = await findConnections(config, databaseUrl);
  await withClient(connections.ownerUrl, 'obol-cli', assertSchemaIsCurrent);
  return connections;
}

/** Where the owner and the service connect, whatever the state of the schema. Changes nothing. */
export async function findConnections(config: Config, databaseUrl: string): Promise<Connections> {
  if (config.databaseOwnerUrl) return { ownerUrl: config.databaseOwnerUrl, appUrl: databaseUrl };
  const { canMigrate } = await withClient(databaseUrl, 'obol-cli', readRole);
  return { ownerUrl: databaseUrl, appUrl: canMigrate ? appUrlFor(config, databaseUrl) : databaseUrl };
}

/** Runs `work` on a connection of its own, which is closed whatever happens. */
export async function withClient<T>(
  url: string,
  applicationName: string,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName });
  // A connection that is lost tells its query, or the next one; nobody listening besides ends the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Throws SchemaError unless the role that serves is unprivileged: a role that row-level security does not
 * bind.
 */
export async function assertUnprivileged(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; unbound: boolean; member: boolean }>(
    `select rolname as name, pg_has_role(oid, $1, 'usage') as member,
            rolsuper or rolbypassrls or exists (select from pg_namespace
              where nspname = 'auth' and pg_has_role(rolname, nspowner, 'member')) as unbound
       from pg_roles where rolname = current_user`,
    [appRole],
  );
  const role = rows[0];
  if (!role || role.unbound || !role.member) {
    throw new SchemaError(
      `The service must not work as ${role?.name}: row-level security would not bind it. Point DATABASE_URL at a ` +
        `role that is a plain member of ${appRole}, and DATABASE_OWNER_URL at the one that migrates.`,
    );
  }
}

async function readRole(client: pg.ClientBase): Promise<{ canMigrate: boolean }> {
  const { rows } = await client.query<{ can_migrate: boolean }>(
    `select rolsuper or rolcreaterole
         or (exists (select from pg_roles where rolname = $1)
             and has_database_privilege(current_user, current_database(), 'create')) as can_migrate
       from pg_roles where rolname = current_user`,
    [appRole],
  );
  return { canMigrate: rows[0]?.can_migrate ?? false };
}

async function assertSchemaIsCurrent(client: pg.ClientBase): Promise<void> {
  const pending = await pendingMigrations(client, await readMigrations()).catch((error: unknown) => {
    if (error instanceof SchemaError) throw error;
    throw new SchemaError(
      'The database has no Obol schema that this role can read. Set DATABASE_OWNER_URL and run `obol migrate`.',
    );
  });
  if (pending.length > 0) {
    throw new SchemaError(
      `The schema lacks ${pending.map((migration) => migration.name).join(', ')}. Set DATABASE_OWNER_URL and run \`obol migrate\`.`,
    );
  }
}

async function migrateWithAppRole(client: pg.ClientBase, onProgress?: (name: string) => void): Promise<void> {
  await client.query(`do $$ begin
    if not exists (select from pg_roles where rolname = '${appRole}') then create role ${appRole}; end if;
  exception when duplicate_object or unique_violation then null; -- another process was quicker
  end $$`);
  await migrate(client, onProgress);
  await installJobs(client);
}

/**
 * Gives `obol_app` its login and returns the address at which it connects. Roles belong to the whole server,
 * which other databases of Obol may share and prepare at the same moment: nothing is changed when the login
 * works already, and a change that another process made meanwhile is tried again.
 */
async function provideAppRole(client: pg.ClientBase, config: Config, databaseUrl: string): Promise<string> {
  const appUrl = appUrlFor(config, databaseUrl);
  const change = `do $$ begin
      if not exists (select from pg_roles where rolname = '${appRole}') then create role ${appRole}; end if;
    end $$;
    alter role ${appRole} with login password ${pg.escapeLiteral(appPassword(config))}`;
  for (let attempt = 1; !(await canConnect(appUrl)); attempt++) {
    await client.query(change).catch((error: Error) => {
      if (attempt === roleAttemptsMax || !/concurrently|already exists|duplicate key/.test(error.message))
        throw error;
    });
  }
  return appUrl;
}

async function canConnect(url: string): Promise<boolean> {
  try {
    return await withClient(url, 'obol-check', async () => true);
  } catch (error) {
    if (refusedLogins.has(databaseErrorCode(error) ?? '')) return false;
    throw error;
  }
}

function appUrlFor(config: Config, databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.username = appRole;
  url.password = appPassword(config);
  return url.href;
}

/** Derived from OBOL_SECRET: the same secret always gives the same password, in every process. */
function appPassword({ secret }: Config): string {
  return createHmac('sha256', secret).update('obol_app database password').digest('base64url');
}
