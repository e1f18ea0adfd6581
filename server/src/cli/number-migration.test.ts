import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listMigrations, numberMigration } from './number-migration.ts';

let dir: string;
const write = (name: string, text: string) => writeFile(join(dir, name), text);
const tags = async () =>
  JSON.parse(await readFile(join(dir, 'meta/_journal.json'), 'utf8')).entries.map(
    ({ tag }: { tag: string }) => tag,
  );

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'obol-migrations-'));
  await mkdir(join(dir, 'meta'));
  for (const name of ['0000_tables.sql', '0001_access.sql', '0021_audit.sql']) await write(name, 'select 1');
});
afterEach(() => rm(dir, { recursive: true }));

test('a migration that drizzle has written comes after all others, in the journal, too', async () => {
  const before = await listMigrations(dir);
  await write('0001_more_tables.sql', 'select 2');
  const entries = [
    { idx: 0, tag: '0000_tables' },
    { idx: 1, tag: '0001_more_tables' },
  ];
  await write('meta/_journal.json', JSON.stringify({ entries }));
  expect(await numberMigration(dir, before)).toBe('0022_more_tables.sql');
  expect(await listMigrations(dir)).toEqual([...before, '0022_more_tables.sql']);
  expect(await readFile(join(dir, '0022_more_tables.sql'), 'utf8')).toBe('select 2');
  expect(await tags()).toEqual(['0000_tables', '0022_more_tables']);
});

test('when nothing has changed, nothing is numbered', async () => {
  expect(await numberMigration(dir, await listMigrations(dir))).toBeUndefined();
});
