import type pg from 'pg';

/** Returns once a statement of another connection waits for a lock. */
export async function untilSomebodyWaits(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      "select from pg_locks where not granted and locktype in ('transactionid', 'tuple')",
    );
    if (rows.length > 0) return;
  }
}
