import { randomUUID } from 'node:crypto';
import type pg from 'pg';

export type Column = { name: string; type: string; label: string | null; checks: string[] };
export type Table = {
  name: string;
  isOurs: boolean;
  isPartition: boolean;
  columns: Column[];
  policies: string[];
  privileges: string[];
};
/** A row as texts that PostgreSQL reads; null is null. */
export type Row = Record<string, string | null>;

/**
 * Where a value made from the type alone breaks a check constraint, the row says it here. Every table needs a
 * row: isolation shown on an empty table shows nothing.
 */
const overrides: Record<string, Row> = {
  'apps.applications': { jwks: null },
  'auth.api_keys': { application_id: null },
  'auth.session_codes': { account_id: null },
  'credits.holds': { closed_at: null },
  'credits.idempotency_keys': { code: null },
  'credits.mandates': { kinds: '{free}' },
  'credits.lots': { closed_at: null, daily_window_at: null },
  'credits.package_prices': { currency: 'EUR' },
  'credits.purchases': { currency: 'EUR' },
  'credits.transactions': { type: 'bonus', balance_before: '1', amount: '1', balance_after: '2' },
  'payments.periods': { ends_at: '2026-04-01T12:00:00Z' },
  'payments.plan_versions': { currency: 'EUR' },
  'payments.top_ups': { currency: 'EUR', status: 'paused' },
  'webhooks.deliveries': { completed_at: null },
  'webhooks.endpoints': { disabled_reason: null },
  'pgboss.queue_stats': { captured_on: 'now' },
};

/** Every table that is not the system's, with what is needed to fill it and to judge it. */
export async function readTables(client: pg.ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    select format('%I.%I', n.nspname, c.relname) as name, n.nspname <> 'pgboss' as "isOurs",
           c.relispartition as "isPartition",
           (select json_agg(json_build_object(
                     'name', a.attname, 'type', format_type(a.atttypid, null),
                     'label', (select e.enumlabel from pg_enum e where e.enumtypid = a.atttypid
                                order by e.enumsortorder limit 1),
                     'checks', coalesce((select json_agg(pg_get_constraintdef(k.oid) order by k.conname) from pg_constraint k
                                 where k.conrelid = c.oid and k.contype = 'c' and a.attnum = any (k.conkey)), '[]'))
                   order by a.attnum)
              from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               and a.attgenerated = '' and a.attidentity <> 'a') as columns,
           array(select p.policyname::text from pg_policies p
                  where p.schemaname = n.nspname and p.tablename = c.relname order by 1) as policies,
           array(select lower(g.privilege_type) from aclexplode(c.relacl) g
                  where g.grantee = 'obol_app'::regrole order by 1) as privileges
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     order by 1`);
  return rows;
}

/**
 * A row for the table in which every UUID is `userId`, so that whichever column names the owner, it is this
 * user.
 */
export function sampleRow(table: Table, userId: string): Row {
  const row = Object.fromEntries(table.columns.map((column) => [column.name, sampleValue(column, userId)]));
  return { ...row, ...overrides[table.name] };
}

function sampleValue({ type, label, checks }: Column, userId: string): string {
  const allowed = checks.map(
    (check) => /= ANY \(ARRAY\['([^']*)'/.exec(check)?.[1] ?? /= '([^']*)'/.exec(check)?.[1],
  );
  const byType: Record<string, string> = {
    uuid: userId,
    boolean: 'true',
    jsonb: '{}',
    json: '{}',
    bytea: `\\x${randomUUID().replaceAll('-', '').repeat(2)}`,
    interval: '1 minute',
    date: '2026-03-01',
    inet: '192.0.2.1',
    integer: '1',
    bigint: '1',
    smallint: '1',
  };
  if (type.endsWith('[]')) return '{}';
  if (type.startsWith('timestamp')) return '2026-03-01T12:00:00Z';
  if (type !== 'text') return label ?? byType[type] ?? 'sample';
  return allowed.find((value) => value !== undefined) ?? 'sample';
}

/** `insert into` the table, with the values of the row. */
export async function insertRow(client: pg.ClientBase, table: Table, row: Row): Promise<void> {
  const names = Object.keys(row);
  const values = names.map((_, index) => `$${index + 1}`);
  const columns = names.map((name) => `"${name}"`);
  await client.query(
    `insert into ${table.name} (${columns.join(', ')}) values (${values.join(', ')})`,
    names.map((name) => row[name]),
  );
}

/** Fills every table with a row of this user, past triggers and foreign keys. Needs a superuser. */
export async function fillTables(admin: pg.ClientBase, tables: Table[], userId: string): Promise<void> {
  const failures: string[] = [];
  await admin.query('set session_replication_role = replica');
  for (const table of tables.filter(({ isPartition }) => !isPartition)) {
    const { rows } = await admin.query<{ found: boolean }>(
      `select exists (select from ${table.name}) as found`,
    );
    if (rows[0]?.found) continue;
    await insertRow(admin, table, sampleRow(table, userId)).catch((error: Error) => {
      failures.push(`${table.name}: ${error.message}`);
    });
  }
  await admin.query('set session_replication_role = origin');
  if (failures.length > 0) throw new Error(`Give these a row of their own here:\n${failures.join('\n')}`);
}
