-- Who may read and write what. Every table is protected by obol.protect(): row-level security enabled and forced (the
-- owner is bound too), one policy for the service, one for the person whose row it is, and one for the role that owns
-- the schema, as which `security definer` functions run. The context of a transaction is
-- two settings, obol.user_id and obol.role, set with set_config(…, true), so it also holds behind a transaction pooler.

-- A function is nobody's to call until it is granted: some run as the owner.
alter default privileges revoke execute on functions from public;

create schema if not exists obol;
grant usage on schema obol, auth, credits, apps, payments, audit, webhooks to obol_app;

create function auth.uid() returns uuid
  language sql stable set search_path = pg_catalog
as $$ select nullif(current_setting('obol.user_id', true), '')::uuid $$;

create function auth.role() returns text
  language sql stable set search_path = pg_catalog
as $$ select coalesce(nullif(current_setting('obol.role', true), ''), 'anonymous') $$;

-- Refuses with a code of the table of errors; the service answers with it. `extensions` become public members.
create function obol.refuse(code text, extensions jsonb default null) returns void
  language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception using errcode = 'OB001', message = code, detail = coalesce(extensions::text, '');
end $$;

-- Protects a table. `owner_column` names the column that holds the user whose row it is (null: nobody's but the
-- service's). The person may read their rows; everything else is the service's. `privileges` is what obol_app gets.
create function obol.protect(
  target regclass, owner_column text, privileges text default 'select, insert, update, delete'
) returns void language plpgsql set search_path = pg_catalog
as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format($policy$create policy service_all on %s for all
    using ((select auth.role()) = 'service') with check ((select auth.role()) = 'service')$policy$, target);
  execute format('create policy definer_all on %s for all to %I using (true) with check (true)', target, current_user);
  if owner_column is not null then
    execute format($policy$create policy owner_read on %s for select
      using (%I = (select auth.uid()) and (select auth.role()) in ('user', 'admin'))$policy$, target, owner_column);
  end if;
  if privileges <> '' then
    execute format('grant %s on %s to obol_app', privileges, target);
  end if;
end $$;
grant execute on function auth.uid(), auth.role(), obol.refuse(text, jsonb) to obol_app;

-- Which migrations there are is no secret: a service without the owner's address reads it to know whether it fits.
select obol.protect('obol.migrations', null, 'select');
create policy anyone_read on obol.migrations for select using (true);

select obol.protect('auth.users', 'id');
select obol.protect('audit.events', null, 'select, insert');
select obol.protect('apps.applications', null);
select obol.protect('apps.application_secrets', null);
select obol.protect('apps.memberships', 'user_id');
select obol.protect('apps.access_requests', 'user_id');
select obol.protect('apps.grants', 'user_id');
select obol.protect('payments.events', null);

-- Whoever has a role in an application may read it.
create policy member_read on apps.applications for select
  using ((select auth.role()) in ('user', 'admin') and exists (
    select from apps.memberships m where m.application_id = id and m.user_id = (select auth.uid())));

-- Secrets that applications may ask with, as far as they have not been revoked; whether they have expired by then is
-- for the statement to ask. For statements that answer many callers at once. Reads as the owner of the schema, so
-- nobody else gets to see it.
create view apps.live_secrets with (security_invoker = true) as
  select s.id as secret_id, s.application_id, a.client_id, s.expires_at
    from apps.application_secrets s join apps.applications a on a.id = s.application_id
   where a.is_active;

-- Refuses with auth.application_invalid unless the application is active and the secret it asks with is valid.
-- Returns its client_id, by which the ledger knows it. One index look-up each on secrets and applications.
create function apps.assert_application(caller_application uuid, caller_secret uuid, at_time timestamptz) returns text
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  found_client text;
begin
  select l.client_id into found_client
    from apps.live_secrets l
   where l.secret_id = caller_secret and l.application_id = caller_application
     and (l.expires_at is null or l.expires_at > at_time);
  if not found then perform obol.refuse('auth.application_invalid'); end if;
  return found_client;
end $$;

grant execute on function apps.assert_application(uuid, uuid, timestamptz) to obol_app;
