import pg from 'pg';
import type { TableSize } from './render.ts';

/** The tables that grow, the largest first, with what a row takes in them and in their indexes. */
export async function measureTables(ownerUrl: string): Promise<TableSize[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query<TableSize>(
      `select c.relname as table, c.reltuples::bigint as rows,
              round(pg_table_size(c.oid) / c.reltuples)::integer as "rowBytes",
              (select jsonb_agg(jsonb_build_object('name', i.relname,
                        'rowBytes', round(pg_relation_size(i.oid) / c.reltuples)) order by i.relname)
                 from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid) as indexes
         from pg_class c
        where c.relkind = 'r' and c.reltuples >= 1000
          and c.relnamespace in ('credits'::regnamespace, 'auth'::regnamespace, 'payments'::regnamespace)
          and c.relpersistence = 'p'
        order by c.reltuples desc, c.relname`,
    );
    return rows;
  } finally {
    await client.end();
  }
}
