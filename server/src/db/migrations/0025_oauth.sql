-- The provider of OAuth 2.1 and OpenID Connect. A code or token counts as long as the authorization it hangs on lives:
-- one row decides, and refresh and revocation queue at it.

grant usage on schema oauth to obol_app;

select obol.protect('oauth.authorizations', 'user_id');
select obol.protect('oauth.grant_resources', null);
select obol.protect('oauth.authorization_codes', null);
select obol.protect('oauth.refresh_tokens', null);
select obol.protect('oauth.access_tokens', null);
select obol.protect('oauth.device_codes', null);
select obol.protect('oauth.pushed_requests', null);
select obol.protect('oauth.used_proofs', null);
select obol.protect('oauth.interactions', null);
select obol.protect('oauth.browser_states', null);
select obol.protect('oauth.logout_notices', null);

-- Authorizations that have not ended, of active people at active applications, and until when they live: no longer than
-- their session, unless they outlive it. Whether that time has come is for the statement to ask.
create view oauth.live_authorizations with (security_invoker = true) as
  select a.id as authorization_id, a.user_id, a.application_id, a.grant_id,
         case when a.outlives_session then a.expires_at else least(a.expires_at, s.expires_at) end as expires_at
    from oauth.authorizations a
    join apps.grants g on g.id = a.grant_id and g.revoked_at is null
    join apps.applications p on p.id = a.application_id and p.is_active
    join auth.users u on u.id = a.user_id and u.is_active
    left join auth.sessions s on s.id = a.session_id and s.revoked_at is null
   where a.revoked_at is null and (a.outlives_session or s.id is not null);
grant select on oauth.live_authorizations to obol_app;

-- Who asks with the token of an application is asked about its authorization, at the same place and in the same
-- statement as a person's session.
create or replace view auth.live_sessions with (security_invoker = true) as
  select s.id as session_id, s.user_id, s.expires_at
    from auth.sessions s join auth.users u on u.id = s.user_id
   where s.revoked_at is null and u.is_active
  union all
  select l.authorization_id, l.user_id, l.expires_at from oauth.live_authorizations l;

-- Refuses with auth.session_ended unless the session lives and its user is active, or the authorization by which an
-- application asks for them. Returns the user's role as it is now, whatever the token said; an application never acts
-- as an administrator.
create or replace function auth.assert_session(caller_user uuid, caller_session uuid, at_time timestamptz) returns text
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  current_role_name text;
begin
  select u.role into current_role_name
    from auth.sessions s join auth.users u on u.id = s.user_id
   where s.id = caller_session and s.user_id = caller_user
     and s.revoked_at is null and s.expires_at > at_time and u.is_active;
  if found then return current_role_name; end if;
  perform from oauth.live_authorizations l
    where l.authorization_id = caller_session and l.user_id = caller_user and l.expires_at > at_time;
  if not found then perform obol.refuse('auth.session_ended'); end if;
  return 'user';
end $$;

-- Ends what hangs on a grant when the grant ends, whoever ends it: every authorization of it, on every device.
create function oauth.end_authorizations() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform from oauth.authorizations a
    where a.grant_id = new.id and a.revoked_at is null order by a.id for no key update;
  update oauth.authorizations a set revoked_at = new.revoked_at, revoked_reason = 'grant_revoked'
   where a.grant_id = new.id and a.revoked_at is null;
  return null;
end $$;

create trigger grants_end_authorizations
  after update of revoked_at on apps.grants
  for each row when (new.revoked_at is not null and old.revoked_at is null)
  execute function oauth.end_authorizations();

-- Makes whoever spends, refreshes or ends something of an authorization wait for the others. The grant comes first, as
-- it does where a grant ends.
create function oauth.lock_authorization(locked uuid) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform from apps.grants g
    where g.id = (select a.grant_id from oauth.authorizations a where a.id = locked) for no key update;
  perform from oauth.authorizations a where a.id = locked for no key update;
end $$;

grant execute on function oauth.lock_authorization(uuid) to obol_app;

-- Notes that a proof was used. Whether this is the first time, as long as it could be used: of two that come at once,
-- one is.
create function oauth.use_proof(used bytea, usable_until timestamptz, at_time timestamptz) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  insert into oauth.used_proofs as p (proof_hash, expires_at) values (used, usable_until)
    on conflict (proof_hash) do update set expires_at = excluded.expires_at where p.expires_at <= at_time;
  return found;
end $$;

grant execute on function oauth.use_proof(bytea, timestamptz, timestamptz) to obol_app;

-- Whoever ends a session, and however: the applications that were signed in with it are told, if they want to be. The
-- notices and their jobs are part of what ended it.
create function oauth.announce_sign_out() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  told record;
  notice_id uuid;
begin
  for told in
    select a.id as authorization_id, a.application_id, a.user_id
      from oauth.authorizations a join apps.applications p on p.id = a.application_id
     where a.session_id = new.id and p.backchannel_logout_uri is not null and p.is_active
     order by a.id
  loop
    notice_id := gen_random_uuid();
    insert into oauth.logout_notices (id, application_id, user_id, authorization_id, created_at)
    values (notice_id, told.application_id, told.user_id, told.authorization_id, new.revoked_at);
    perform obol.enqueue_job('send-logout-notice', jsonb_build_object('noticeId', notice_id));
  end loop;
  return null;
end $$;

create trigger sessions_announce_sign_out
  after update of revoked_at on auth.sessions
  for each row when (new.revoked_at is not null and old.revoked_at is null)
  execute function oauth.announce_sign_out();

-- A password that was reset may have been in somebody else's hands, and so may what they let in with it. Every
-- application at work for the person stops, also those that go on without a session.
create function oauth.end_after_reset() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform from apps.grants g
    where g.id in (select a.grant_id from oauth.authorizations a where a.user_id = new.user_id and a.revoked_at is null)
    order by g.id for no key update;
  perform from oauth.authorizations a
    where a.user_id = new.user_id and a.revoked_at is null order by a.id for no key update;
  update oauth.authorizations a set revoked_at = new.created_at, revoked_reason = 'password_reset'
   where a.user_id = new.user_id and a.revoked_at is null;
  return null;
end $$;

create trigger security_events_end_after_reset
  after insert on auth.security_events
  for each row when (new.type = 'password.reset')
  execute function oauth.end_after_reset();
