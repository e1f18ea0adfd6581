import type pg from 'pg';

/**
 * Where in a whole database a text still stands, whatever its case: in any column of any table of any schema,
 * also within documents, lists and bytes. `table: rows`.
 */
export async function findTraces(owner: pg.Client, text: string): Promise<string[]> {
  const { rows: tables } = await owner.query<{ name: string }>(`
    select c.oid::regclass::text as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_t%'
     order by 1`);
  const hex = Buffer.from(text).toString('hex');
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query<{ row: string }>(
      `select t::text as row from ${name} t
        where position(lower($1) in lower(t::text)) > 0 or position($2 in t::text) > 0 limit 3`,
      [text, hex],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}
