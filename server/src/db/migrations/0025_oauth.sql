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
  select a.id as authorization_id, a.user_id, a.application_id, a.grant_id, a.session_id, a.outlives_session,
         p.client_id, g.scopes, g.claims, g.authorization_details, to_jsonb(u) as person,
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

-- What follows answers at once what a request to the provider would otherwise ask step by step. Only the service
-- may ask, and it runs as the owner: no policy is weighed again, and each plan is made once per connection.

create function oauth.assert_service() returns void
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  if auth.role() <> 'service' then raise exception 'only the service may ask this'; end if;
end $$;

-- An authorization that lives, with all that tokens made of it depend on: the consent, the person, their role in the
-- application as it is now, and its mandates. Null when it does not live. With `locks`, whoever spends or ends
-- something of it waits, and everything is read after that.
create function oauth.read_authorization(wanted uuid, locks boolean, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  if locks then perform oauth.lock_authorization(wanted); end if;
  return (
    select jsonb_build_object(
             'id', wanted, 'userId', l.user_id, 'applicationId', l.application_id, 'clientId', l.client_id,
             'grantId', l.grant_id, 'sessionId', l.session_id, 'outlivesSession', l.outlives_session,
             'expiresAt', l.expires_at, 'scopes', l.scopes, 'claims', l.claims, 'details', l.authorization_details,
             'resources', coalesce((select jsonb_object_agg(r.resource, r.scopes) from oauth.grant_resources r
                                     where r.grant_id = l.grant_id), '{}'),
             'user', l.person, 'role', oauth.role_of(l.application_id, l.user_id),
             'mandates', coalesce((select jsonb_agg(credits.mandate_view(m, at_time)) from credits.mandates m
                                    where m.wallet_id = l.user_id and m.app_id = l.client_id
                                      and m.member_id is null and m.status <> 'revoked'), '[]'))
      from oauth.live_authorizations l
     where l.authorization_id = wanted and l.expires_at > at_time);
end $$;

-- The role of a person in an application: their membership, or in an open one the role of whoever comes in. Null when
-- they have no access.
create function oauth.role_of(application uuid, person uuid) returns text
  language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  return (select coalesce(m.role, case when p.access = 'open' then p.default_role end)
            from apps.applications p
            left join apps.memberships m on m.application_id = p.id and m.user_id = person
           where p.id = application and p.is_active);
end $$;

-- The authorization of an application in a session, opened when there is none: only if the person has granted it
-- something that they have not taken back, for which whoever ends the grant waits. As oauth.read_authorization.
create function oauth.open_authorization(
  new_id uuid, person uuid, application uuid, session uuid, lives_until timestamptz, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  granted uuid;
  opened uuid;
begin
  perform oauth.assert_service();
  select g.id into granted from apps.grants g
   where g.application_id = application and g.user_id = person and g.revoked_at is null for no key update;
  if not found then return null; end if;
  insert into oauth.authorizations as a (id, grant_id, application_id, user_id, session_id, created_at, expires_at)
  values (new_id, granted, application, person, session, at_time, lives_until)
    on conflict (session_id, application_id) where revoked_at is null do update set expires_at = excluded.expires_at
    returning a.id into opened;
  return oauth.read_authorization(opened, false, at_time);
end $$;

-- A code or a refresh token with its authorization, if that lives. The row is read after the lock: another request may
-- have spent it meanwhile.
create function oauth.open_code(presented bytea, locks boolean, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  living jsonb := oauth.read_authorization(
    (select c.authorization_id from oauth.authorization_codes c where c.code_hash = presented), locks, at_time);
begin
  return (select jsonb_build_object('authorization', living, 'row', to_jsonb(c))
            from oauth.authorization_codes c where c.code_hash = presented and living is not null);
end $$;

-- The same of a refresh token. `isFollowed`: it has a successor that was not used yet.
create function oauth.open_refresh_token(presented bytea, locks boolean, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  living jsonb := oauth.read_authorization(
    (select t.authorization_id from oauth.refresh_tokens t where t.token_hash = presented), locks, at_time);
begin
  return (select jsonb_build_object('authorization', living, 'row', to_jsonb(t), 'isFollowed', exists (
             select from oauth.refresh_tokens n where n.previous_hash = t.token_hash and n.consumed_at is null))
            from oauth.refresh_tokens t where t.token_hash = presented and living is not null);
end $$;

-- Spends a code or refresh token that the same transaction has locked and found unspent; of anything else it is a
-- mistake of ours. A refresh token keeps its answer, for those that ask with the same one a moment later; once its
-- successor is used, it opens that no more.
create function oauth.spend_code(spent bytea, at_time timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  update oauth.authorization_codes c set consumed_at = at_time where c.code_hash = spent and c.consumed_at is null;
  if not found then raise exception 'the code was spent before'; end if;
end $$;

create function oauth.spend_refresh_token(spent bytea, answer bytea, at_time timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  before bytea;
begin
  perform oauth.assert_service();
  update oauth.refresh_tokens t set consumed_at = at_time, sealed_answer = answer
   where t.token_hash = spent and t.consumed_at is null
    returning t.previous_hash into before;
  if not found then raise exception 'the refresh token was spent before'; end if;
  update oauth.refresh_tokens t set sealed_answer = null
   where t.token_hash = before and t.sealed_answer is not null;
end $$;

-- Writes a code down, and an access or refresh token; `written` is a row by the names of its columns.
create function oauth.save_code(written jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  insert into oauth.authorization_codes
    select c.* from jsonb_populate_record(null::oauth.authorization_codes, written) c;
end $$;

create function oauth.save_access_token(written jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  insert into oauth.access_tokens select t.* from jsonb_populate_record(null::oauth.access_tokens, written) t;
end $$;

create function oauth.save_refresh_token(written jsonb) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  insert into oauth.refresh_tokens select t.* from jsonb_populate_record(null::oauth.refresh_tokens, written) t;
end $$;

-- An active application with the secrets that it may show.
create function oauth.read_client(wanted text, at_time timestamptz) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  return (
    select jsonb_build_object('application', to_jsonb(p), 'secrets', coalesce((
             select jsonb_agg(jsonb_build_object(
                      'application_id', p.id, 'secret_id', s.id, 'secret_hash', s.secret_hash))
               from apps.application_secrets s
              where s.application_id = p.id and (s.expires_at is null or s.expires_at > at_time)), '[]'))
      from apps.applications p where p.client_id = wanted and p.is_active);
end $$;

-- All that a token request asks for before it answers: its application, and the code or refresh token it brings.
create function oauth.open_token_request(client text, code bytea, refresh_token bytea, at_time timestamptz)
  returns jsonb language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  return jsonb_build_object(
    'client', oauth.read_client(client, at_time),
    'source', case when code is not null then oauth.open_code(code, true, at_time)
                   else oauth.open_refresh_token(refresh_token, true, at_time) end);
end $$;

-- The same of an authorization request: its application, and who is signed in to the browser that brings the cookie,
-- with what that is in the middle of.
create function oauth.open_authorization_request(client text, cookie bytea, at_time timestamptz) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  asking jsonb := oauth.read_client(client, at_time);
  signed_in auth.sessions;
  person auth.users;
begin
  select s.* into signed_in from auth.sessions s
   where s.cookie_hash = cookie and s.revoked_at is null and s.expires_at > at_time;
  select u.* into person from auth.users u where u.id = signed_in.user_id and u.is_active;
  return jsonb_build_object(
    'client', asking,
    'session', case when person.id is not null then to_jsonb(signed_in) end,
    'user', case when person.id is not null then to_jsonb(person) end,
    'state', (select to_jsonb(b) from oauth.browser_states b where b.expires_at > at_time
               and case when person.id is not null then b.session_uid = signed_in.id::text
                        else b.cookie_hash = cookie end),
    'role', oauth.role_of((asking -> 'application' ->> 'id')::uuid, person.id));
end $$;

grant execute on function
  oauth.read_authorization(uuid, boolean, timestamptz), oauth.role_of(uuid, uuid),
  oauth.open_authorization(uuid, uuid, uuid, uuid, timestamptz, timestamptz),
  oauth.open_code(bytea, boolean, timestamptz), oauth.open_refresh_token(bytea, boolean, timestamptz),
  oauth.save_code(jsonb), oauth.save_access_token(jsonb), oauth.save_refresh_token(jsonb),
 
  oauth.spend_code(bytea, timestamptz), oauth.spend_refresh_token(bytea, bytea, timestamptz),
  oauth.read_client(text, timestamptz), oauth.open_token_request(text, bytea, bytea, timestamptz),
  oauth.open_authorization_request(text, bytea, timestamptz)
  to obol_app;
