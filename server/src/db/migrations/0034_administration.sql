-- Administration: whom it concerns, what a deactivation ends, the last administrator, impersonation, the first
-- administrator, and the indexes by which a million people are listed and searched.

alter table auth.users
  add column deactivated_at timestamptz(3),
  add column banned_at timestamptz(3),
  add column ban_ends_at timestamptz(3),
  add column ban_reason text;
alter table auth.users add constraint users_ban_check check (
  (banned_at is null) = (ban_reason is null) and (ban_ends_at is null or banned_at is not null));
create index users_ban_ends_idx on auth.users (ban_ends_at) where ban_ends_at is not null;

-- The list of everybody, newest first, and of the few that a filter leaves.
create index users_created_idx on auth.users (created_at, id);
create index users_active_idx on auth.users (is_active, created_at, id);
create index users_admins_idx on auth.users (created_at, id) where role = 'admin';
-- The search by the beginning of an address, its domain, a username, a name or the last word of a name. Byte order, so
-- that a beginning is a range whatever the locale of the database; time and id, so that a match needs no row to be
-- read.
create index users_email_search_idx on auth.users (email collate "C", created_at, id);
create index users_domain_search_idx on auth.users ((split_part(email, '@', 2)) collate "C", created_at, id);
create index users_username_search_idx on auth.users ((lower(username)) collate "C", created_at, id)
  where username is not null;
create index users_name_search_idx on auth.users ((lower(name)) collate "C", created_at, id) where name is not null;
create index users_last_name_search_idx on auth.users ((lower(substring(name from '\S+$'))) collate "C", created_at, id)
  where name is not null;

alter table auth.sessions
  add column impersonator_id uuid constraint sessions_impersonator_id_users_id_fk
    references auth.users (id) on delete cascade;
create index sessions_impersonator_idx on auth.sessions (impersonator_id) where impersonator_id is not null;

create table auth.first_admin_links (
  id uuid primary key,
  token_hash bytea not null,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  consumed_at timestamptz(3)
);
create unique index first_admin_links_token_hash_key on auth.first_admin_links (token_hash);
select obol.protect('auth.first_admin_links', null);

-- Refuses with auth.session_ended, or with auth.admin_required unless the caller is an administrator now, whatever
-- their token says.
create function auth.assert_administrator(caller_user uuid, caller_session uuid, at_time timestamptz) returns void
  language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  if auth.assert_session(caller_user, caller_session, at_time) <> 'admin' then
    perform obol.refuse('auth.admin_required');
  end if;
end $$;

grant execute on function auth.assert_administrator(uuid, uuid, timestamptz) to obol_app;

-- Makes what adds or removes administrators happen one after the other, until the transaction ends.
create function auth.lock_administrators() returns void
  language sql volatile set search_path = pg_catalog
as $$ select pg_advisory_xact_lock(x'0b010034'::int) $$;

grant execute on function auth.lock_administrators() to obol_app;

-- Whoever takes the role, the activity or the account of the last active administrator, and however, is refused with
-- users.last_admin. Of two who take it from each other at once, the second waits here for the first, and then sees what
-- it did.
create function auth.keep_an_administrator() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform auth.lock_administrators();
  if not exists (select from auth.users u where u.role = 'admin' and u.is_active and u.id <> old.id) then
    perform obol.refuse('users.last_admin');
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;

create trigger users_keep_an_administrator_changed before update of role, is_active on auth.users
  for each row when (old.role = 'admin' and old.is_active and (new.role <> 'admin' or not new.is_active))
  execute function auth.keep_an_administrator();
create trigger users_keep_an_administrator_deleted before delete on auth.users
  for each row when (old.role = 'admin' and old.is_active)
  execute function auth.keep_an_administrator();

-- Whoever deactivates an account, and however: its sessions end for good, with their refresh tokens and cookies, the
-- impersonations by it, and what it consented to. Once more when it is activated, so that nothing comes back to life
-- that began while it was being deactivated.
create function auth.end_access() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  consented record;
begin
  perform from auth.sessions s
    where (s.user_id = new.id or s.impersonator_id = new.id) and s.revoked_at is null
    order by s.id for update;
  update auth.sessions s set revoked_at = new.updated_at, revoked_reason = 'deactivated'
   where (s.user_id = new.id or s.impersonator_id = new.id) and s.revoked_at is null;
  for consented in
    select g.id, p.client_id from apps.grants g join apps.applications p on p.id = g.application_id
     where g.user_id = new.id and g.revoked_at is null
     order by g.id for no key update of g
  loop
    update apps.grants g set revoked_at = new.updated_at, updated_at = new.updated_at where g.id = consented.id;
    perform credits.end_mandates(consented.client_id, new.id, new.updated_at);
  end loop;
  insert into auth.security_events (id, user_id, type, details, created_at)
  values (credits.new_id(new.updated_at), new.id,
    case when new.is_active then 'account.reactivated' else 'account.deactivated' end, '{}', new.updated_at);
  return null;
end $$;

create trigger users_end_access after update of is_active on auth.users
  for each row when (old.is_active <> new.is_active)
  execute function auth.end_access();

-- An impersonation shows an ordinary person to an administrator. It ends when either of them changes their role: it
-- never becomes an administrator's, and no former administrator keeps one. The person reads of their role in their own
-- trail.
create function auth.end_impersonations() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform from auth.sessions s
    where (s.impersonator_id = new.id or s.user_id = new.id and s.impersonator_id is not null) and s.revoked_at is null
    order by s.id for update;
  update auth.sessions s set revoked_at = new.updated_at, revoked_reason = 'impersonation_ended'
   where (s.impersonator_id = new.id or s.user_id = new.id and s.impersonator_id is not null) and s.revoked_at is null;
  insert into auth.security_events (id, user_id, type, details, created_at)
  values (credits.new_id(new.updated_at), new.id, 'account.role_changed',
    jsonb_build_object('from', old.role, 'to', new.role), new.updated_at);
  return null;
end $$;

create trigger users_end_impersonations after update of role on auth.users
  for each row when (old.role <> new.role)
  execute function auth.end_impersonations();

-- Which people a list shows; null shows all.
create type auth.user_filter as (
  search text, role text, is_active boolean, created_from timestamptz, created_to timestamptz
);

-- A filter without its search, as a condition on `u`. Every value is quoted as a literal.
create function auth.user_conditions(filter auth.user_filter) returns text
  language sql immutable set search_path = pg_catalog
as $$
  select concat_ws(' and ', 'true',
    case when filter.role is not null then format('u.role = %L', filter.role) end,
    case when filter.is_active then 'u.is_active' when not filter.is_active then 'not u.is_active' end,
    case when filter.created_from is not null then format('u.created_at >= %L', filter.created_from) end,
    case when filter.created_to is not null then format('u.created_at < %L', filter.created_to) end)
$$;

-- What a search is looked for in: the address, the username, the name and its last word; behind an `@`, the domain.
create function auth.searched_keys(search text) returns text[]
  language sql immutable set search_path = pg_catalog
as $$
  select case when search like '@%' then array['split_part(u.email, ''@'', 2)']
    else array['u.email', 'lower(u.username)', 'lower(u.name)', 'lower(substring(u.name from ''\S+$''))'] end
$$;

-- The people that a search finds and the rest of the filter leaves, as a query of (created_at, id): a range of an index
-- for each key. Somebody found by two keys is there once.
create function auth.user_matches(filter auth.user_filter, matches_max integer) returns text
  language sql immutable set search_path = pg_catalog
as $$
  select string_agg(format(
      '(select u.created_at, u.id from auth.users u where %1$s collate "C" >= %2$L and %1$s collate "C" < %3$L'
        || ' and %1$s is not null and %4$s limit %5$s)',
      searched.key, prefix.text, prefix.text || chr(1114111), auth.user_conditions(filter), matches_max), ' union ')
    from unnest(auth.searched_keys(filter.search)) as searched (key),
         lateral (select lower(ltrim(filter.search, '@')) as text) prefix
$$;

-- The same as a condition on `u`, for a search that finds so many that the list itself is the shorter way to them.
create function auth.search_condition(filter auth.user_filter) returns text
  language sql immutable set search_path = pg_catalog
as $$
  select format('(%s)', string_agg(
      format('starts_with(%s, %L)', searched.key, lower(ltrim(filter.search, '@'))), ' or '))
    from unnest(auth.searched_keys(filter.search)) as searched (key)
$$;

-- Beyond so many matches a search is answered by walking the list, where one in twenty rows of a million is a match.
create function auth.search_matches_max() returns integer language sql immutable set search_path = pg_catalog
as $$ select 50000 $$;

-- The people that a filter shows, as a query of (created_at, id).
create function auth.filtered_users(filter auth.user_filter) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  everybody text := format('select u.created_at, u.id from auth.users u where %s', auth.user_conditions(filter));
  matches text;
  found integer;
begin
  if filter.search is null then return everybody; end if;
  matches := auth.user_matches(filter, auth.search_matches_max() + 1);
  execute format('select count(*) from (%s) m', matches) into found;
  if found <= auth.search_matches_max() then return matches; end if;
  return everybody || ' and ' || auth.search_condition(filter);
end $$;

-- A page of people, newest first, behind the one created at last_created with last_id: their ids. Runs as the owner, as
-- row-level security would keep the search from the indexes; granted to the service, which asks who asks.
create function auth.list_users(
  filter auth.user_filter, last_created timestamptz, last_id uuid, skipped integer, rows_max integer
) returns setof uuid
  language plpgsql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
begin
  return query execute format(
    'select m.id from (%s) m where %s order by m.created_at desc, m.id desc offset %s limit %s',
    auth.filtered_users(filter),
    case when last_id is null then 'true' else format('(m.created_at, m.id) < (%L, %L)', last_created, last_id) end,
    skipped, rows_max);
end $$;

-- How many a filter shows: counted up to count_max, beyond it what the planner expects. It changes nothing, but what
-- asks the planner has to be volatile.
create function auth.count_users(
  filter auth.user_filter, count_max integer, out total bigint, out is_estimate boolean
)
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  shown text := auth.filtered_users(filter);
  plan json;
begin
  execute format('select count(*) from (select from (%s) m limit %s) c', shown, count_max + 1) into total;
  is_estimate := total > count_max;
  if not is_estimate then return; end if;
  execute format('explain (format json) %s', shown) into plan;
  total := greatest(total, (plan->0->'Plan'->>'Plan Rows')::bigint);
end $$;

grant execute on function
  auth.list_users(auth.user_filter, timestamptz, uuid, integer, integer),
  auth.count_users(auth.user_filter, integer) to obol_app;
