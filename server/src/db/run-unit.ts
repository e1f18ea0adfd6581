import type { SQL } from 'drizzle-orm';
import type pg from 'pg';
import type { Database, Tx } from './index.ts';
import { routeStatements } from './unit.ts';

/** A transaction with the first row of what came with the statement that opened it. */
export type OpenedUnit = { opened: pg.QueryResultRow | undefined; tx: Tx };

/**
 * Runs work for the service in as few round trips as can be: `first` goes along with the statement that opens
 * the transaction, and what is left for `later` with the next one that is waited for, or with the commit.
 * `work` runs once, whatever happens.
 */
export async function runUnit<T>(
  db: Pick<Database, 'asUnit'>,
  first: SQL | undefined,
  work: (unit: OpenedUnit) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  await db.asUnit(first, async ({ opened, query }) => {
    const pending: string[] = [];
    const flush = async (): Promise<void> => {
      if (pending.length > 0) await query(pending.splice(0).join(';\n'));
    };
    const tx = routeStatements(() => ({
      query: async (statement, values) => {
        await flush();
        return query(statement, values);
      },
      defer: (text) => void pending.push(text),
    }));
    results.push(await work({ opened, tx }));
    return pending;
  });
  return results[0] as T;
}
