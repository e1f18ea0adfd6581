import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { expect, inject, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { prepareDatabase } from '../src/db/connect.ts';
import { readMigrations } from '../src/db/migrate.ts';
import { createService } from '../src/service.ts';
import { cloneDatabase } from './harness/index.ts';

// How code and schema come together: migrations, and the roles that may run the service.

const commandFile = join(import.meta.dirname, '../src/cli/main.ts');
const secret = 'test secret, thirty-two characters long';
const migrations = await readMigrations();
const names = migrations.map(({ name }) => name);
const releasedFile = join(import.meta.dirname, '../src/db/migrations/released.sha256');

test('released migrations stay as they were released, and new ones come after them', async () => {
  const released = (await readFile(releasedFile, 'utf8')).trimEnd().split('\n');
  const present = migrations.map(({ name, hash }) => `${hash}  ${name}`);
  expect(released.length).toBeGreaterThanOrEqual(59);
  expect(present.slice(0, released.length)).toEqual(released);
});

test('processes that start at once on an empty database migrate it once', async () => {
  const database = await emptyDatabase();
  const runs = await Promise.all([1, 2, 3].map(() => runMigrate(database.ownerUrl)));
  const applied = runs.flatMap((run) => run.applied);
  expect(applied).toEqual(names);
});

test('a second start finds nothing to do', async () => {
  const database = await cloneDatabase();
  const progress: string[] = [];
  await prepareDatabase(config(), database.ownerUrl, (name) => progress.push(name));
  expect(progress).toEqual([]);
});

test('an older service refuses a newer schema and says so', async () => {
  const { ownerUrl } = await cloneDatabase();
  await onDatabase(ownerUrl, `insert into obol.migrations (name, hash) values ('9000_future.sql', 'x')`);
  await expect(prepareDatabase(config(), ownerUrl)).rejects.toThrow(
    /9000_future\.sql, which this version does not know: a newer version has upgraded it/,
  );
});

test('a migration that was changed after it had been applied is refused', async () => {
  const { ownerUrl } = await cloneDatabase();
  await onDatabase(ownerUrl, `update obol.migrations set hash = 'x' where name = '0001_access.sql'`);
  await expect(prepareDatabase(config(), ownerUrl)).rejects.toThrow(
    /0001_access\.sql was changed after it had been applied/,
  );
});

test('a migration that fails leaves nothing behind, and can be run again', async () => {
  const { ownerUrl, adminUrl } = await emptyDatabase();
  await onDatabase(
    adminUrl,
    `create function public.fail() returns event_trigger language plpgsql as $$ begin raise 'disk full'; end $$;
     create event trigger fail on ddl_command_start when tag in ('CREATE TRIGGER') execute function public.fail()`,
  );
  await expect(prepareDatabase(config(), ownerUrl)).rejects.toThrow('disk full');
  expect(await schemasOf(ownerUrl)).toEqual(['public']);
  await onDatabase(adminUrl, 'drop event trigger fail');
  await prepareDatabase(config(), ownerUrl);
  expect(await schemasOf(ownerUrl)).toContain('credits');
});

test('with a role that migrates as DATABASE_URL, the service itself works as obol_app', async () => {
  for (const url of Object.values(await emptyDatabase())) {
    const { appUrl } = await prepareDatabase(config(), url);
    expect(new URL(appUrl).username).toBe('obol_app');
    await expect(startedAs(appUrl)).resolves.toBe(200);
  }
});

test('with DATABASE_OWNER_URL, DATABASE_URL serves as it is', async () => {
  const { ownerUrl } = await emptyDatabase();
  const serverUrl = await memberOfApp(ownerUrl);
  const connections = await prepareDatabase(config({ DATABASE_OWNER_URL: ownerUrl }), serverUrl);
  expect(connections).toEqual({ ownerUrl, appUrl: serverUrl });
  await expect(startedAs(serverUrl)).resolves.toBe(200);
});

test('an unprivileged DATABASE_URL serves when the schema is current', async () => {
  const { ownerUrl } = await cloneDatabase();
  const serverUrl = await memberOfApp(ownerUrl);
  const connections = await prepareDatabase(config(), serverUrl);
  expect(connections.appUrl).toBe(serverUrl);
  await expect(startedAs(serverUrl)).resolves.toBe(200);
});

test('an unprivileged DATABASE_URL is told what the schema lacks', async () => {
  const { ownerUrl } = await cloneDatabase();
  const serverUrl = await memberOfApp(ownerUrl);
  await onDatabase(ownerUrl, `delete from obol.migrations where name = '${names.at(-1)}'`);
  await expect(prepareDatabase(config(), serverUrl)).rejects.toThrow(
    `The schema lacks ${names.at(-1)}. Set DATABASE_OWNER_URL and run \`obol migrate\`.`,
  );
});

test('an unprivileged DATABASE_URL without a schema is told to migrate', async () => {
  const serverUrl = await memberOfApp((await emptyDatabase()).ownerUrl);
  await expect(prepareDatabase(config(), serverUrl)).rejects.toThrow(/no Obol schema .*run `obol migrate`/);
});

test('the service refuses to work as a role that row-level security does not bind', async () => {
  const { ownerUrl } = await cloneDatabase();
  await expect(startedAs(adminUrlOf(ownerUrl))).rejects.toThrow(
    /must not work as postgres: row-level security/,
  );
  await expect(startedAs(ownerUrl)).rejects.toThrow(/must not work as obol_owner: row-level security/);
  const asMember = await memberOfApp(ownerUrl);
  const member = new URL(asMember).username;
  await onDatabase(adminUrlOf(ownerUrl), `grant obol_owner to ${member}`);
  await expect(startedAs(asMember)).rejects.toThrow(/row-level security would not bind it/);
});

/** Runs `obol migrate` in a process of its own. Rejects with what it printed when it failed. */
async function runMigrate(databaseUrl: string): Promise<{ applied: string[] }> {
  const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, OBOL_SECRET: secret };
  const run = promisify(execFile)(process.execPath, [commandFile, 'migrate', '--json'], { env });
  const { stdout } = await run.catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  return JSON.parse(stdout) as { applied: string[] };
}

function config(env: Record<string, string> = {}) {
  return loadConfig({ OBOL_SECRET: secret, LOG_LEVEL: 'silent', RATE_LIMIT_ENABLED: 'false', ...env });
}

/** Starts the service at this address and asks whether it is ready. */
async function startedAs(appUrl: string): Promise<number> {
  const log = pino({ level: 'silent' });
  const service = await createService({ config: config(), appUrl, log, runsJobs: false });
  try {
    return (await service.app.inject({ method: 'GET', url: '/health/ready' })).statusCode;
  } finally {
    await service.stop();
  }
}

async function emptyDatabase(): Promise<{ ownerUrl: string; adminUrl: string }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onDatabase(inject('adminUrl'), `create database ${name} owner obol_owner`);
  const url = new URL(inject('adminUrl'));
  url.pathname = `/${name}`;
  const adminUrl = url.href;
  url.username = 'obol_owner';
  return { ownerUrl: url.href, adminUrl };
}

/** A login of its own that is a plain member of obol_app. */
async function memberOfApp(ownerUrl: string): Promise<string> {
  const name = `member_${randomUUID().slice(0, 8)}`;
  await onDatabase(adminUrlOf(ownerUrl), `create role ${name} login in role obol_app`);
  const url = new URL(ownerUrl);
  url.username = name;
  return url.href;
}

function adminUrlOf(ownerUrl: string): string {
  const url = new URL(inject('adminUrl'));
  url.pathname = new URL(ownerUrl).pathname;
  return url.href;
}

async function schemasOf(url: string): Promise<string[]> {
  const rows = await onDatabase(
    url,
    `select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`,
  );
  return rows.map(({ nspname }) => nspname as string);
}

async function onDatabase(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}
