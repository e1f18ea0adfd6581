import type { Database } from './index.ts';
import { readMigrations } from './migrate.ts';

export type DatabaseState = { database: 'ok' | 'failed'; schema: 'ok' | 'failed' };

const answerTimeoutMs = 2000;
const failed: DatabaseState = { database: 'failed', schema: 'failed' };

/**
 * Makes a question to the database whether it answers within two seconds and has every migration that this
 * version needs. A schema that is ahead is fine: a newer version is being rolled out beside this one.
 */
export async function createReadinessCheck(db: Database): Promise<() => Promise<DatabaseState>> {
  const needed = (await readMigrations()).map((migration) => migration.name);
  const ask = async (): Promise<DatabaseState> => {
    const [row] = await db.call<{ applied: number }>(
      'select count(*)::int as applied from obol.migrations where name = any($1)',
      [needed],
    );
    return { database: 'ok', schema: row?.applied === needed.length ? 'ok' : 'failed' };
  };
  // Probes that come at once share one question, so that nobody can load the database with them.
  let asked: Promise<DatabaseState> | undefined;
  return () =>
    (asked ??= withTimeout(ask()).finally(() => {
      asked = undefined;
    }));
}

async function withTimeout(answer: Promise<DatabaseState>): Promise<DatabaseState> {
  const { promise: late, resolve } = Promise.withResolvers<DatabaseState>();
  const timer = setTimeout(() => resolve(failed), answerTimeoutMs);
  try {
    return await Promise.race([answer, late]);
  } catch {
    return failed;
  } finally {
    clearTimeout(timer);
  }
}
