-- Who confirms an address by a reset of the password gets the account as after a sign-in elsewhere: without what
-- whoever had it before put into it. Only factors stay, since a mailbox alone must not get past them.

drop function auth.void_ways_in(uuid, timestamptz);

-- Makes void what whoever had the account before may have put into it, because its address has now been shown to be
-- somebody's who may be another: password, factors (unless `keeps_factors`), accounts at other providers, links on
-- their way, sessions, and what applications were allowed. Rows are locked in the order in which other statements
-- lock them. What adds another way in replaces this function. Runs in the transaction of the service that notes why.
create function auth.void_ways_in(person uuid, at_time timestamptz, keeps_factors boolean) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  app text;
begin
  perform oauth.assert_service();
  perform from auth.accounts a where a.user_id = person order by a.id for update;
  delete from auth.passwords p where p.user_id = person;
  if not keeps_factors then
    delete from auth.two_factor_auth t where t.user_id = person;
    delete from auth.backup_codes b where b.user_id = person;
    delete from auth.passkeys k where k.user_id = person;
  end if;
  delete from auth.remembered_devices d where d.user_id = person;
  delete from auth.pending_sign_ins i where i.user_id = person;
  delete from auth.known_devices k where k.user_id = person;
  update auth.verification_tokens v set consumed_at = at_time where v.user_id = person and v.consumed_at is null;
  update auth.api_keys k set revoked_at = at_time, updated_at = at_time
   where k.user_id = person and k.revoked_at is null;
  perform from auth.sessions s where s.user_id = person and s.revoked_at is null order by s.id for update;
  update auth.sessions s set revoked_at = at_time, revoked_reason = 'reclaimed'
   where s.user_id = person and s.revoked_at is null;
  perform from apps.grants g where g.user_id = person and g.revoked_at is null order by g.id for no key update;
  update apps.grants g set revoked_at = at_time, updated_at = at_time
   where g.user_id = person and g.revoked_at is null;
  for app in
    select distinct m.app_id from credits.mandates m
     where m.wallet_id = person and m.member_id is null and m.status <> 'revoked' order by m.app_id
  loop
    perform credits.end_mandates(app, person, at_time);
  end loop;
  delete from auth.accounts a where a.user_id = person;
  update auth.users u set auth0_id = null where u.id = person and u.auth0_id is not null;
end $$;
grant execute on function auth.void_ways_in(uuid, timestamptz, boolean) to obol_app;
