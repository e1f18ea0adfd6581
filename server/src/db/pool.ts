import pg from 'pg';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/index.ts';
import { assertUnprivileged } from './connect.ts';

export type PoolOptions = { url: string; connectionsMax: number; log: Logger; metrics: Metrics };

/** Who gets no connection within this time is told that the service is unavailable, instead of waiting on. */
const connectionTimeoutMs = 10_000;
/** After so long without a word the other side is asked whether it is there; ten seconds later it is not. */
const keepAliveMs = 10_000;

/**
 * Opens the connections that the service works on. Throws SchemaError for a role that row-level security does
 * not bind.
 */
export async function openPool({ url, connectionsMax, log, metrics }: PoolOptions): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    application_name: 'obol',
  });
  // A connection that is lost while it works tells its query, and also whoever listens; nobody listening ends
  // the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => log.warn({ cause: error.message }, 'an idle database connection was lost'));
  await assertUnprivileged(pool).catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  metrics.observe('obol_database_connections', 'Open database connections', () => pool.totalCount);
  metrics.observe('obol_database_connections_idle', 'Idle database connections', () => pool.idleCount);
  metrics.observe('obol_database_waiting', 'Requests waiting for a connection', () => pool.waitingCount);
  return pool;
}
