import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';

const migrationsDir = join(import.meta.dirname, 'migrations');
/** One number for this product, so that several processes that start at once migrate one after the other. */
const migrationLock = 0x0b01_0001;

export type Migration = { name: string; sql: string; hash: string };

/** Thrown when code and schema do not belong together; the message says what to do. */
export class SchemaError extends Error {
  override name = 'SchemaError';
}

/** The migrations that this version brings, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(migrationsDir)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(migrationsDir, name), 'utf8');
      return { name, sql, hash: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the schema to this version: all pending migrations in one transaction under an advisory lock, so
 * that a failure leaves nothing half done and it works through a transaction pooler too. Returns the names
 * applied. Throws SchemaError when the database is ahead of this version or an applied migration has been
 * altered.
 */
export async function migrate(
  client: pg.ClientBase,
  onProgress: (name: string) => void = () => {},
): Promise<string[]> {
  const migrations = await readMigrations();
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    await client.query(`create schema if not exists obol;
      create table if not exists obol.migrations (
        name text primary key, hash text not null, applied_at timestamptz(3) not null default now())`);
    const pending = await pendingMigrations(client, migrations);
    for (const migration of pending) {
      onProgress(migration.name);
      await client.query(migration.sql);
      await client.query('insert into obol.migrations (name, hash) values ($1, $2)', [
        migration.name,
        migration.hash,
      ]);
    }
    await client.query('commit');
    return pending.map((migration) => migration.name);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/**
 * Compares the schema with this version without changing anything. Returns what is pending; throws
 * SchemaError.
 */
export async function pendingMigrations(
  client: pg.ClientBase,
  migrations: Migration[],
): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; hash: string }>(
    'select name, hash from obol.migrations order by name',
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, hash } of rows) {
    const migration = known.get(name);
    if (!migration) {
      throw new SchemaError(
        `The database has migration ${name}, which this version does not know: a newer version has upgraded it. ` +
          'Start that version, or restore the database from before the upgrade.',
      );
    }
    if (migration.hash !== hash)
      throw new SchemaError(
        `Migration ${name} was changed after it had been applied; add a new one instead.`,
      );
  }
  const applied = new Set(rows.map((row) => row.name));
  return migrations.filter((migration) => !applied.has(migration.name));
}
