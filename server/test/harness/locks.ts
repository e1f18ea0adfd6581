import type pg from 'pg';

/** Returns once another connection to the database of this one waits for a lock. */
export function untilSomebodyWaits(client: pg.Client): Promise<void> {
  return untilSoManyWait(client, 1);
}

/** Returns once so many connections to the database of this one wait for a lock. */
export async function untilSoManyWait(client: pg.Client, count: number): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ waiting: number }>(
      `select count(distinct l.pid)::int as waiting
         from pg_locks l
        where not l.granted
          and l.pid in (select h.pid from pg_locks h join pg_database d on d.oid = h.database
                         where d.datname = current_database())`,
    );
    if ((rows[0]?.waiting ?? 0) >= count) return;
  }
}
