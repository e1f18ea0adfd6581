import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const migrationFile = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** The migrations in a folder, by their file names. */
export async function listMigrations(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => migrationFile.test(name)).sort();
}

/**
 * Gives the migration that drizzle-kit has just written the next free number of the folder, in the journal,
 * too. Drizzle counts only what it has written itself and would begin again at the front, before what is
 * applied already. Returns its new name, undefined when nothing was written.
 */
export async function numberMigration(dir: string, before: string[]): Promise<string | undefined> {
  const written = (await listMigrations(dir)).find((name) => !before.includes(name));
  const [, , words] = migrationFile.exec(written ?? '') ?? [];
  if (written === undefined || words === undefined) return undefined;
  const numbers = before.map((name) => Number(name.slice(0, 4)));
  const number = String(Math.max(-1, ...numbers) + 1).padStart(4, '0');
  const name = `${number}_${words}.sql`;
  await rename(join(dir, written), join(dir, name));
  const journal = join(dir, 'meta', '_journal.json');
  const text = await readFile(journal, 'utf8');
  await writeFile(journal, text.replace(`"${withoutEnding(written)}"`, `"${withoutEnding(name)}"`));
  return name;
}

function withoutEnding(name: string): string {
  return name.replace(/\.sql$/, '');
}
