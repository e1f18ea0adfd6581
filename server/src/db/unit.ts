import { PgDialect } from 'drizzle-orm/pg-core';
import type { SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Tx } from './index.ts';

/** A transaction of few round trips: what needs no answer of its own travels with what does. */
export type Unit = {
  /** The first row of the last statement that came with the one that opened it. */
  opened: pg.QueryResultRow | undefined;
  /** Sends a statement and waits for its answer; a text without values may hold several. */
  query: (statement: string | pg.QueryConfig, values?: unknown[]) => Promise<pg.QueryResult>;
};

/** Where statements go: `query` waits for the answer, `defer` takes those whose outcome nobody waits for. */
export type Statements = {
  query: (statement: pg.QueryConfig, values: unknown[]) => Promise<pg.QueryResult>;
  defer: (text: string) => void;
};

/** The way for what may wait, by the transaction that it belongs to. */
const waiting = new WeakMap<Tx, Tx>();

/**
 * The same transaction for writes whose outcome nobody waits for: they answer no rows and are sent in their
 * order, with the next statement or with what commits; what fails among them fails that. Where each statement
 * is sent on its own, `tx` itself.
 */
export function later(tx: Tx): Tx {
  return waiting.get(tx) ?? tx;
}

const dialect = new PgDialect();

/** A statement with its parameters written into it, to be sent in one message with others. */
export function toText(statement: SQL): string {
  const { sql, params } = dialect.sqlToQuery(statement);
  return writeOut(sql, params);
}

/** A transaction whose statements go where `find` says at the moment at which they are sent. */
export function routeStatements(find: () => Statements): Tx {
  const forwarder = {
    query: async (statement: pg.QueryConfig, values: unknown[]) => find().query(statement, values),
  };
  const recorder = {
    query: async (statement: pg.QueryConfig, values: unknown[] = []) => {
      find().defer(writeOut(statement.text, values));
      return { rows: [], rowCount: 0 };
    },
  };
  const tx = drizzle({ client: forwarder as unknown as pg.PoolClient });
  waiting.set(tx, drizzle({ client: recorder as unknown as pg.PoolClient }));
  return tx;
}

/** Parameters become literals of unknown type, as which PostgreSQL takes untyped parameters, too. */
function writeOut(text: string, values: unknown[]): string {
  return text.replaceAll(/\$(\d+)/g, (_match, number: string) => toLiteral(values[Number(number) - 1]));
}

function toLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  if (Buffer.isBuffer(value)) return pg.escapeLiteral(`\\x${value.toString('hex')}`);
  if (typeof value === 'string') return pg.escapeLiteral(value);
  if (typeof value === 'number' || typeof value === 'boolean') return pg.escapeLiteral(`${value}`);
  throw new TypeError('a parameter has no literal');
}
