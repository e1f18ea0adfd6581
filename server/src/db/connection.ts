import type pg from 'pg';
import { isConnectionLost } from './errors.ts';

/** A connection of the pool, for as long as somebody works on it. */
export type Connection = {
  /** Sends a statement and waits for its answer; a text without values may hold several. */
  query: (statement: string | pg.QueryConfig, values?: unknown[]) => Promise<pg.QueryResult>;
  /** Why nobody can work on it any more. */
  broken: Error | undefined;
};

/**
 * Runs work on a connection of the pool. A statement that takes longer than `statementMs` (`Infinity`: as
 * long as it takes) is given up. A connection on which one was given up, or that was lost, is closed instead
 * of going back to the pool; the server ends the statement when it notices, see `database-access.md`.
 */
export async function withConnection<T>(
  pool: pg.Pool,
  statementMs: number,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const connection: Connection = {
    broken: undefined,
    async query(statement, values) {
      try {
        return await client.query(limited(statement, statementMs), values);
      } catch (error) {
        if (isConnectionLost(error)) connection.broken = error as Error;
        throw error;
      }
    },
  };
  try {
    return await work(connection);
  } finally {
    client.release(connection.broken);
  }
}

/** The driver's limit for one statement, of which its types do not know. */
type LimitedStatement = pg.QueryConfig & { query_timeout?: number };

function limited(statement: string | pg.QueryConfig, statementMs: number): LimitedStatement {
  const config = typeof statement === 'string' ? { text: statement } : statement;
  return Number.isFinite(statementMs) ? { ...config, query_timeout: statementMs } : config;
}
