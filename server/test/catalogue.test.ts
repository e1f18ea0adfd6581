import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateDrizzleJson } from 'drizzle-kit/api';
import { glob } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { cloneDatabase } from './harness/index.ts';
import { schemaRules, type SchemaRule } from './schema/rules.ts';

// What holds for the schema as a whole, read from the catalogue of a migrated database.

const serverDir = join(import.meta.dirname, '..');
const { ownerUrl } = await cloneDatabase();
const adminUrl = new URL(inject('adminUrl'));
adminUrl.pathname = new URL(ownerUrl).pathname;
const admin = new pg.Client({ connectionString: adminUrl.href });
await admin.connect();
afterAll(() => admin.end());

describe('in the migrated schema', () => {
  test.each(schemaRules)('$name', async (rule) => {
    expect(await offendersOf(rule)).toEqual([]);
  });
});

describe('the rules find what breaks them', () => {
  test.each(schemaRules)('$name', async (rule) => {
    await admin.query('begin');
    try {
      await admin.query(rule.broken);
      expect(await offendersOf(rule)).not.toEqual([]);
    } finally {
      await admin.query('rollback');
    }
  });
});

test('the committed snapshot of the tables is what drizzle-kit would generate', async () => {
  const declared: Record<string, unknown> = {};
  for await (const file of glob('src/{db/columns,domains/*/*tables}.ts', { cwd: serverDir })) {
    const module = (await import(join(serverDir, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) declared[`${file}:${name}`] = value;
  }
  const journal = JSON.parse(await readMigrationFile('meta/_journal.json')) as { entries: { idx: number }[] };
  const last = String(journal.entries.at(-1)?.idx).padStart(4, '0');
  const { id, prevId, ...committed } = JSON.parse(await readMigrationFile(`meta/${last}_snapshot.json`));
  expect(id).not.toBe(prevId);
  const { id: _, prevId: __, ...generated } = generateDrizzleJson(declared);
  expect(JSON.parse(JSON.stringify(generated))).toEqual(committed);
});

async function offendersOf({ offenders }: SchemaRule): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(offenders);
  return rows.map(({ name }) => name);
}

function readMigrationFile(name: string): Promise<string> {
  return readFile(join(serverDir, 'src/db/migrations', name), 'utf8');
}
