import type pg from 'pg';

export type Column = { name: string; type: string; isNullable: boolean; fallback: string | null };
export type Named = { name: string; definition: string };
export type Table = {
  schema: string;
  name: string;
  columns: Column[];
  constraints: Named[];
  indexes: Named[];
  triggers: Named[];
  policies: Named[];
  grants: string[];
};
export type SqlFunction = {
  schema: string;
  name: string;
  arguments: string;
  result: string;
  isDefiner: boolean;
  isGranted: boolean;
};
export type Catalogue = { tables: Table[]; functions: SqlFunction[] };

/** The schemas that are ours; `pgboss` belongs to the job queue. */
const ours = `array['apps', 'audit', 'auth', 'credits', 'obol', 'payments']::name[]`;

const namedList = (name: string, definition: string) =>
  `coalesce(json_agg(json_build_object('name', ${name}, 'definition', ${definition}) order by ${name}), '[]')`;

const columns = `select json_agg(json_build_object(
    'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'isNullable', not a.attnotnull,
    'fallback', pg_get_expr(d.adbin, d.adrelid)) order by a.attnum)
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

/** Not-null constraints are left out: they stand with the columns, and only PostgreSQL 18 lists them here. */
const constraints = `select ${namedList('k.conname', 'pg_get_constraintdef(k.oid)')}
  from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'`;

const indexes = `select ${namedList('ic.relname', 'pg_get_indexdef(i.indexrelid)')}
  from pg_index i join pg_class ic on ic.oid = i.indexrelid
 where i.indrelid = c.oid and not exists (
   select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)`;

const triggers = `select ${namedList('t.tgname', 'pg_get_triggerdef(t.oid)')}
  from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal`;

const policies = `select ${namedList(
  'p.policyname',
  `concat_ws(' ', 'for', lower(p.cmd), 'to', array_to_string(array_replace(p.roles, current_user::name, 'the owner'), ', '),
    'using (' || p.qual || ')', 'with check (' || p.with_check || ')')`,
)} from pg_policies p where p.schemaname = n.nspname and p.tablename = c.relname`;

const grants = `select coalesce(json_agg(lower(a.privilege_type) order by a.privilege_type), '[]')
  from aclexplode(c.relacl) a where a.grantee = 'obol_app'::regrole`;

/**
 * Reads tables, policies, grants and functions of our schemas, sorted by name, so that two readings compare.
 */
export async function readCatalogue(client: pg.ClientBase): Promise<Catalogue> {
  const tables = await client.query<Table>(
    `select n.nspname as schema, c.relname as name, (${columns}) as columns, (${constraints}) as constraints,
            (${indexes}) as indexes, (${triggers}) as triggers, (${policies}) as policies, (${grants}) as grants
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname = any (${ours})
      order by n.nspname collate "C", c.relname collate "C"`,
  );
  const functions = await client.query<SqlFunction>(
    `select n.nspname as schema, p.proname as name, pg_get_function_arguments(p.oid) as arguments,
            pg_get_function_result(p.oid) as result, p.prosecdef as "isDefiner",
            has_function_privilege('obol_app', p.oid, 'execute') as "isGranted"
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any (${ours})
      order by n.nspname collate "C", p.proname collate "C", 3`,
  );
  return { tables: tables.rows, functions: functions.rows };
}
