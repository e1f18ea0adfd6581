-- Applications as OAuth clients, and who may read what is asked of and granted to them.

select obol.protect('apps.resources', null);
select obol.protect('apps.resource_clients', null);

-- Applications that cannot keep a secret identify themselves by nothing but their client id; the others always prove
-- who they are. After the rows of before, so it is not among the checks of the table's definition.
update apps.applications set token_endpoint_auth_method = 'none' where type <> 'confidential';
alter table apps.applications add constraint applications_secrecy_check
  check ((type = 'confidential') = (token_endpoint_auth_method <> 'none'));
alter table apps.applications add constraint applications_own_name_check
  check (type = 'confidential' or not grant_types && array[
    'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange']);

select obol.protect('apps.sign_ins', null);

-- Whoever administers an application reads who asks to be let in.
create policy admin_read on apps.access_requests for select
  using ((select auth.role()) in ('user', 'admin') and exists (
    select from apps.memberships m
     where m.application_id = access_requests.application_id and m.user_id = (select auth.uid())
       and m.role = 'admin'));

-- What an application protects is seen by whoever sees the application.
create policy member_read on apps.resources for select
  using ((select auth.role()) in ('user', 'admin') and exists (
    select from apps.memberships m
     where m.application_id = resources.application_id and m.user_id = (select auth.uid())));

-- Whom an API lets call it, too.
create policy member_read on apps.resource_clients for select
  using ((select auth.role()) in ('user', 'admin') and exists (
    select from apps.resources r
      join apps.memberships m on m.application_id = r.application_id
     where r.identifier = resource_clients.resource and m.user_id = (select auth.uid())));

-- Counts that a person signed in to an application on this day, and forgets what is older than the statistics show.
create function apps.count_sign_in(application uuid, person uuid, today date, oldest date) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  insert into apps.sign_ins as s (application_id, user_id, day, count) values (application, person, today, 1)
    on conflict (application_id, day, user_id) do update set count = s.count + 1;
  delete from apps.sign_ins s where s.application_id = application and s.user_id = person and s.day < oldest;
end $$;

-- Notes that an application was given a token under a grant, to the minute.
create function apps.touch_grant(used uuid, at_time timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  update apps.grants g set last_used_at = at_time
   where g.id = used and (g.last_used_at is null or g.last_used_at <= at_time - interval '1 minute');
end $$;

grant execute on function apps.count_sign_in(uuid, uuid, date, date), apps.touch_grant(uuid, timestamptz) to obol_app;
