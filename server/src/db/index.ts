import type { SQL } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Clock } from '../ctx.ts';
import { withConnection, type Connection } from './connection.ts';
import { isRetryable, translateDatabaseError } from './errors.ts';
import { toText, type Unit } from './unit.ts';

export { later, routeStatements, type Statements, type Unit } from './unit.ts';
export { runUnit } from './run-unit.ts';
export { createGatherer, type Gatherer } from './gather.ts';
export { databaseErrorCode, violatedConstraint, wasRolledBack } from './errors.ts';

/** Who is asking: a user through a signed-in session. */
export type Caller = { userId: string; sessionId: string };

/** An application that asks with its own credentials: the secret that it presented is its session. */
export type ApplicationCaller = { applicationId: string; secretId: string };

/** A running transaction with its row-level-security context set. Nested transactions are not offered. */
export type Tx = Omit<NodePgDatabase, 'transaction'>;

export type Database = {
  /**
   * Runs `work` in one transaction as the caller. The statement that opens it also checks that the caller's
   * session lives and the account is active, so revocation counts at once and costs no extra round trip.
   * Throws `auth.session_ended`.
   */
  asCaller<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction as the service, for a caller whose session is checked by the statement
   * that opens it: how a person's rows are written. Throws `auth.session_ended`.
   */
  asServiceFor<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same for an administrator, as the role is now, whatever the token says. Throws
   * `auth.session_ended`, `auth.admin_required`.
   */
  asAdministrator<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction as the service, for an application that asks with its own credentials. The
   * statement that opens it also checks that the application is active and its secret still valid. Throws
   * `auth.application_invalid`.
   */
  asServiceForApplication<T>(caller: ApplicationCaller, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction as the service itself, which the policies let see every row. */
  asService<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same in as few round trips as can be: `first` goes along with the statement that opens the
   * transaction, the text that `work` returns with the one that commits. `work` runs once, whatever happens.
   */
  asUnit(first: SQL | undefined, work: (unit: Unit) => Promise<string[]>): Promise<void>;
  /**
   * Runs one statement on its own: the hot path, one round trip. The statement is a call of a `security
   * definer` function that sets its own row-level-security context. After a deadlock it is run again: nothing
   * of it was committed.
   */
  call<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]>;
  /**
   * Runs SQL that a library brings along, as the service, in a transaction of its own. Without `values` the
   * text may hold several statements; their rows come back as one list.
   */
  runAsService(text: string, values?: unknown[]): Promise<{ rows: pg.QueryResultRow[] }>;
  /**
   * The same door for what goes through whole tables, or through all that somebody has: its statements take
   * as long as they take.
   */
  unhurried: Database;
  close(): Promise<void>;
};

const retriesMax = 3;
/** Longer than any statement that somebody waits for takes, and not longer than they wait. */
const defaultStatementMs = 30_000;

/**
 * Wraps a pool into the only door to the database. A statement that takes longer than `statementMs` is given
 * up. Throws AppErrors for refusals, lost connections, and what was given up.
 */
export function createDatabase(pool: pg.Pool, clock: Clock, statementMs = defaultStatementMs): Database {
  const unhurried: Database = {
    ...createDoors(pool, clock, Infinity),
    get unhurried() {
      return unhurried;
    },
  };
  return { ...createDoors(pool, clock, statementMs), unhurried };
}

function createDoors(pool: pg.Pool, clock: Clock, statementMs: number): Omit<Database, 'unhurried'> {
  const runOnClient = async <T>(opening: () => string, work: Work<T>, mayRetry?: () => boolean): Promise<T> =>
    retrying(
      () => withConnection(pool, statementMs, (connection) => transact(connection, opening(), work)),
      mayRetry,
    );
  const opening = () => serviceOpening(clock.now());
  const runTransaction = <T>(opening: () => string, work: (tx: Tx) => Promise<T>): Promise<T> =>
    runOnClient(opening, (connection) => work(drizzle({ client: connection as unknown as pg.PoolClient })));
  return {
    asCaller: (caller, work) =>
      runTransaction(() => `begin; select auth.enter(${callerValues(caller, clock.now())})`, work),
    asServiceFor: (caller, work) =>
      runTransaction(() => `${opening()}, auth.assert_session(${callerValues(caller, clock.now())})`, work),
    asAdministrator: (caller, work) =>
      runTransaction(
        () => `${opening()}, auth.assert_administrator(${callerValues(caller, clock.now())})`,
        work,
      ),
    asServiceForApplication: (caller, work) =>
      runTransaction(
        () => `${opening()}, apps.assert_application(${applicationValues(caller, clock.now())})`,
        work,
      ),
    asService: (work) => runTransaction(opening, work),
    asUnit(first, work) {
      let hasBegun = false;
      return runOnClient(
        () => (first === undefined ? opening() : `${opening()}; ${toText(first)}`),
        async ({ query }, opened, ending) => {
          hasBegun = true;
          ending.unshift(...(await work({ opened: first && opened, query })));
        },
        () => !hasBegun,
      );
    },
    call: async <Row extends pg.QueryResultRow>(text: string, values: unknown[]) =>
      (await retrying(() => withConnection(pool, statementMs, ({ query }) => query(text, values))))
        .rows as Row[],
    runAsService: (text, values) =>
      runOnClient(opening, async ({ query }) => {
        const result: pg.QueryResult | pg.QueryResult[] = await query(text, values);
        return { rows: [result].flat().flatMap((part) => part.rows as pg.QueryResultRow[]) };
      }),
    close: () => pool.end(),
  };
}

/** Runs work again that the database has rolled back for the sake of others, as long as it may be. */
async function retrying<T>(work: () => Promise<T>, mayRetry: () => boolean = () => true): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt < retriesMax && isRetryable(error) && mayRetry()) continue;
      throw translateDatabaseError(error);
    }
  }
}

/**
 * `begin` and the context in one message, so that a transaction costs two round trips besides its work.
 * `obol.at` is the time for what happens without a time of its own, such as a deletion.
 */
function serviceOpening(now: Date): string {
  const at = pg.escapeLiteral(now.toISOString());
  return `begin; select set_config('obol.role', 'service', true), set_config('obol.at', ${at}, true)`;
}

/** The caller as SQL literals: a message of several statements takes no parameters. */
function callerValues({ userId, sessionId }: Caller, now: Date): string {
  return literals([userId, sessionId, now.toISOString()]);
}

function applicationValues({ applicationId, secretId }: ApplicationCaller, now: Date): string {
  return literals([applicationId, secretId, now.toISOString()]);
}

function literals(texts: string[]): string {
  return texts.map((text) => pg.escapeLiteral(text)).join(', ');
}

/**
 * What is done on a connection. `opened` is the first row that the last statement of the opening gave;
 * statements put into `ending` are sent in one message with what commits.
 */
type Work<T> = (
  connection: Connection,
  opened: pg.QueryResultRow | undefined,
  ending: string[],
) => Promise<T>;

async function transact<T>(connection: Connection, opening: string, work: Work<T>): Promise<T> {
  try {
    const results: pg.QueryResult | pg.QueryResult[] = await connection.query(opening);
    const ending = ['commit'];
    const result = await work(connection, [results].flat().at(-1)?.rows[0] as pg.QueryResultRow, ending);
    await connection.query(ending.join(';\n'));
    return result;
  } catch (error) {
    if (!connection.broken) await rollBack(connection);
    throw error;
  }
}

async function rollBack(connection: Connection): Promise<void> {
  await connection.query('rollback').catch((error: Error) => {
    connection.broken = error;
  });
}
