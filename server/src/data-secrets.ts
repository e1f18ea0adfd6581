import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the service makes up for itself on first start in development and must never lose. */
export type DataSecrets = {
  OBOL_SECRET: string;
  databaseSuperuserPassword: string;
  databaseOwnerPassword: string;
};

/**
 * Reads `secrets.json` of the data directory, or makes it (mode 0600). Of several processes that start at
 * once, one makes the file and all read the same.
 */
export async function loadDataSecrets(dataDir: string): Promise<DataSecrets> {
  const path = join(dataDir, 'secrets.json');
  const found = await readSecrets(path);
  if (found) return found;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const made: DataSecrets = {
    OBOL_SECRET: newSecret(),
    databaseSuperuserPassword: newSecret(),
    databaseOwnerPassword: newSecret(),
  };
  const staging = `${path}.${process.pid}`;
  await writeFile(staging, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flush: true });
  // A link is made at once and only once: the file is never seen half written, nor replaced.
  await link(staging, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(staging);
  return (await readSecrets(path)) ?? made;
}

async function readSecrets(path: string): Promise<DataSecrets | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const secrets = JSON.parse(text) as Partial<DataSecrets>;
  const { OBOL_SECRET, databaseSuperuserPassword, databaseOwnerPassword } = secrets;
  if (!OBOL_SECRET || !databaseSuperuserPassword || !databaseOwnerPassword) {
    throw new Error(`${path} is not complete. Restore it from a backup: it opens this data directory.`);
  }
  return { OBOL_SECRET, databaseSuperuserPassword, databaseOwnerPassword };
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
