/**
 * A rule over the catalogue: `offenders` returns the names of what breaks it, `broken` is SQL that breaks it,
 * so that the rule is seen to find it.
 */
export type SchemaRule = { name: string; offenders: string; broken: string };

const ours = `n.nspname in ('apps', 'audit', 'auth', 'credits', 'oauth', 'obol', 'payments', 'webhooks')`;
const anybodys = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`;
const tables = `pg_class c join pg_namespace n on n.oid = c.relnamespace`;
const named = `format('%I.%I', n.nspname, c.relname)`;
const columns = `${tables} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid`;
const functions = `pg_proc p join pg_namespace n on n.oid = p.pronamespace`;

const accessRules: SchemaRule[] = [
  {
    name: 'row-level security is enabled and forced on every table',
    offenders: `select ${named} as name from ${tables} where ${anybodys} and c.relkind in ('r', 'p')
      and not (c.relrowsecurity and c.relforcerowsecurity)`,
    broken: 'create table credits.broken (id uuid primary key)',
  },
  {
    name: 'every table has a policy',
    offenders: `select ${named} as name from ${tables} where ${anybodys} and c.relkind in ('r', 'p')
      and not exists (select from pg_policy p where p.polrelid = c.oid)`,
    broken: `create table credits.broken (id uuid primary key);
      alter table credits.broken enable row level security; alter table credits.broken force row level security`,
  },
  {
    name: 'a view sees as its reader does',
    offenders: `select ${named} as name from ${tables} where ${anybodys} and (c.relkind = 'm' or c.relkind = 'v'
      and not coalesce(c.reloptions @> array['security_invoker=true'], false))`,
    broken: 'create view credits.broken as select id from auth.users',
  },
  {
    name: 'obol_app may not truncate, reference or put triggers on a table',
    offenders: `select ${named} as name from ${tables}, aclexplode(c.relacl) g
      where g.grantee in ('obol_app'::regrole, 0) and c.relkind in ('r', 'p', 'v', 'm')
        and ${anybodys} and g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
    broken: 'grant truncate on credits.lots to obol_app',
  },
  {
    name: 'nothing is granted to everybody',
    offenders: `select ${named} as name from ${tables}, aclexplode(c.relacl) g where g.grantee = 0 and ${anybodys}`,
    broken: 'grant select on credits.lots to public',
  },
  {
    name: 'obol_app may not write to the journal',
    offenders: `select ${named} as name from ${tables}, aclexplode(c.relacl) g
      where g.grantee = 'obol_app'::regrole and ${named} in ('credits.transactions', 'credits.entries')
        and g.privilege_type <> 'SELECT'`,
    broken: 'grant update on credits.entries to obol_app',
  },
  {
    name: 'obol_app may only add to the audit trail',
    offenders: `select ${named} as name from ${tables}, aclexplode(c.relacl) g
      where g.grantee = 'obol_app'::regrole and ${named} in ('audit.events', 'auth.security_events')
        and g.privilege_type not in ('SELECT', 'INSERT')`,
    broken: 'grant update on audit.events to obol_app',
  },
  {
    name: 'obol_app creates nothing',
    offenders: `select nspname as name from pg_namespace where has_schema_privilege('obol_app', oid, 'create')
      union all select datname from pg_database
       where datname = current_database() and has_database_privilege('obol_app', oid, 'create')`,
    broken: 'grant create on schema credits to obol_app',
  },
  {
    name: 'obol_app owns nothing',
    offenders: `select c.relname::text as name from pg_class c where c.relowner = 'obol_app'::regrole
      union all select proname from pg_proc where proowner = 'obol_app'::regrole
      union all select nspname from pg_namespace where nspowner = 'obol_app'::regrole
      union all select datname from pg_database where datdba = 'obol_app'::regrole`,
    broken: 'create table credits.broken (); alter table credits.broken owner to obol_app',
  },
  {
    name: 'obol_app is an ordinary role and a member of none',
    offenders: `select rolname as name from pg_roles where rolname = 'obol_app'
        and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
      union all select roleid::regrole::text from pg_auth_members where member = 'obol_app'::regrole`,
    broken: 'alter role obol_app createdb',
  },
];

const functionRules: SchemaRule[] = [
  {
    name: 'a security definer function sets its search_path',
    offenders: `select p.oid::regprocedure::text as name from ${functions} where ${anybodys} and p.prosecdef
      and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%')`,
    broken: `create function credits.broken() returns int language sql security definer as 'select 1';
      revoke execute on function credits.broken() from public`,
  },
  {
    name: 'a security definer function runs as an ordinary role',
    offenders: `select p.oid::regprocedure::text as name from ${functions} join pg_roles r on r.oid = p.proowner
      where ${anybodys} and p.prosecdef and (r.rolsuper or r.rolbypassrls)`,
    broken: `create function credits.broken() returns int language sql security definer as 'select 1'`,
  },
  {
    name: "no function is everybody's to call",
    offenders: `select p.oid::regprocedure::text as name from ${functions},
        aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g where ${anybodys} and g.grantee = 0`,
    broken: `create function credits.broken() returns int language sql as 'select 1';
      grant execute on function credits.broken() to public`,
  },
];

const shapeRules: SchemaRule[] = [
  {
    name: 'every foreign key says what happens on delete',
    offenders: `select k.conname as name from pg_constraint k join pg_namespace n on n.oid = k.connamespace
      where ${ours} and k.contype = 'f' and k.confdeltype = 'a'`,
    broken: 'create table credits.broken (id uuid references auth.users (id))',
  },
  {
    name: 'every foreign key finds its rows by an index',
    offenders: `select k.conname as name from pg_constraint k join pg_namespace n on n.oid = k.connamespace
      where ${ours} and k.contype = 'f' and k.confdeltype in ('c', 'n', 'd') and not exists (
        select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = any (k.conkey))`,
    broken: 'create table credits.broken (id uuid references auth.users (id) on delete cascade)',
  },
  {
    name: 'constraints and indexes are named for what they are',
    offenders: `select k.conname as name from pg_constraint k join pg_namespace n on n.oid = k.connamespace
        where ${ours} and k.contype <> 'n' and k.conname !~ '_(pkey|key|fk|fkey|check|excl)$' and k.contype <> 't'
          and k.conname !~ '_pk$'
      union all select ${named} from ${tables} where ${ours} and c.relkind = 'i' and c.relname !~ '_(pkey|pk|key|idx)$'`,
    broken: 'create table credits.broken (id int check (id > 0) check (id < 9))',
  },
  {
    name: 'a time is timestamptz(3) and its name ends in _at, and the other way round',
    offenders: `select ${named} || '.' || a.attname as name from ${columns} where ${ours} and c.relkind in ('r', 'p')
      and (a.attname ~ '_at$' or t.typname ~ '^(timestamp|time)')
      and not (a.attname ~ '_at$' and t.typname = 'timestamptz' and a.atttypmod = 3)`,
    broken: 'create table credits.broken (created timestamptz)',
  },
  {
    name: 'nothing is a float, a numeric or money: credits and cents are whole numbers',
    offenders: `select ${named} || '.' || a.attname as name from ${columns} where ${ours} and c.relkind in ('r', 'p')
      and t.typname in ('float4', 'float8', 'numeric', 'money')`,
    broken: 'create table credits.broken (amount numeric)',
  },
  {
    name: 'every table has a primary key',
    offenders: `select ${named} as name from ${tables} where ${ours} and c.relkind in ('r', 'p')
      and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`,
    broken: 'create table credits.broken (id uuid)',
  },
];

export const schemaRules: readonly SchemaRule[] = [...accessRules, ...functionRules, ...shapeRules];
