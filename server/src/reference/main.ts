import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../db/embedded.ts';
import { renderReferences, type Reference } from './index.ts';

// Writes the generated references; with --check only compares, names what is out of date and exits with 1.
const rootDir = join(import.meta.dirname, '../../..');
const isCheck = process.argv.includes('--check');
const references = await withEmptyDatabase(renderReferences);
const outdated = await outdatedAmong(references);
for (const { path, text } of isCheck ? [] : outdated) {
  await mkdir(dirname(join(rootDir, path)), { recursive: true });
  await writeFile(join(rootDir, path), text);
  process.stdout.write(`wrote ${path}\n`);
}
if (isCheck && outdated.length > 0) {
  const paths = outdated.map(({ path }) => path).join(', ');
  process.stderr.write(`out of date: ${paths}; run npm run reference:generate\n`);
  process.exitCode = 1;
}

async function outdatedAmong(all: Reference[]): Promise<Reference[]> {
  const present = await Promise.all(
    all.map(({ path }) => readFile(join(rootDir, path), 'utf8').catch(() => '')),
  );
  return all.filter(({ text }, index) => present[index] !== text);
}

/** Lends an embedded PostgreSQL that is gone afterwards. */
async function withEmptyDatabase<T>(work: (databaseUrl: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-reference-'));
  const passwords = { superuser: 'thrown-away', owner: 'thrown-away' };
  const server = await startEmbeddedPostgres({ dataDir, passwords, log: pino({ level: 'silent' }) });
  try {
    return await work(server.ownerUrl);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
