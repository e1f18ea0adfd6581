-- Sessions, and the check that opens every transaction made for a signed-in person.

-- Refuses with auth.session_ended unless the session lives and its user is active. Returns the user's role as
-- it is now, whatever the token said. One index look-up each on sessions and users.
create function auth.assert_session(caller_user uuid, caller_session uuid, at_time timestamptz) returns text
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  current_role_name text;
begin
  select u.role into current_role_name
    from auth.sessions s join auth.users u on u.id = s.user_id
   where s.id = caller_session and s.user_id = caller_user
     and s.revoked_at is null and s.expires_at > at_time and u.is_active;
  if not found then perform obol.refuse('auth.session_ended'); end if;
  return current_role_name;
end $$;

-- Sessions that have not been revoked, of active people: for statements that answer many callers at once. Whether
-- they have expired by then is theirs to ask. Reads as the owner of the schema, so nobody else gets to see it.
create view auth.live_sessions with (security_invoker = true) as
  select s.id as session_id, s.user_id, s.expires_at
    from auth.sessions s join auth.users u on u.id = s.user_id
   where s.revoked_at is null and u.is_active;

-- Sets the context of the running transaction to a signed-in person, or refuses. See Database.asCaller.
create function auth.enter(caller_user uuid, caller_session uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  current_role_name text := auth.assert_session(caller_user, caller_session, at_time);
begin
  perform set_config('obol.user_id', caller_user::text, true), set_config('obol.role', current_role_name, true);
end $$;

grant execute on function auth.assert_session(uuid, uuid, timestamptz), auth.enter(uuid, uuid, timestamptz) to obol_app;

select obol.protect('auth.sessions', 'user_id');
select obol.protect('auth.refresh_tokens', null);
select obol.protect('auth.passwords', null);
select obol.protect('auth.accounts', 'user_id');
select obol.protect('auth.verification_tokens', null);
select obol.protect('auth.two_factor_auth', null);
select obol.protect('auth.backup_codes', null);
select obol.protect('auth.security_events', 'user_id', 'select, insert');
select obol.protect('auth.signing_keys', null);

-- What a sign-in must know of an address: always one row, empty when nobody has the address, so that both cost
-- the same.
create function auth.find_credentials(given_email text)
  returns table (user_id uuid, is_active boolean, hash text)
  language sql stable security definer set search_path = pg_catalog
as $$
  select u.id, u.is_active, p.hash
    from (values (given_email)) as asked (email)
    left join auth.users u on u.email = asked.email
    left join auth.passwords p on p.user_id = u.id
$$;

grant execute on function auth.find_credentials(text) to obol_app;

-- Spends a refresh token and puts the next one in its place, or says why not:
--   rotated     the next token is stored; the session was used at at_time
--   invalid     unknown or expired, or the session has ended
--   superseded  spent less than reuse_window ago: another request won the race, and the family lives
--   reused      spent earlier: taken for theft, the session and with it every token of the family has ended
-- The session is locked before its tokens are looked at. Parallel refreshes and a sign-out wait for each
-- other there, so one refresh wins, and none succeeds once the sign-out has committed.
create function auth.rotate_refresh_token(
  given_hash bytea, next_id uuid, next_hash bytea, at_time timestamptz, reuse_window interval,
  out outcome text, out user_id uuid, out session_id uuid, out session_expires_at timestamptz
)
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  token auth.refresh_tokens;
begin
  outcome := 'invalid';
  select * into token from auth.refresh_tokens t where t.token_hash = given_hash;
  if not found then return; end if;

  select s.user_id, s.id, s.expires_at into user_id, session_id, session_expires_at
    from auth.sessions s
   where s.id = token.session_id and s.revoked_at is null and s.expires_at > at_time
     and exists (select from auth.users u where u.id = s.user_id and u.is_active)
     for no key update;
  if not found then return; end if;

  update auth.refresh_tokens t set consumed_at = at_time
   where t.id = token.id and t.consumed_at is null and t.expires_at > at_time;
  if found then
    insert into auth.refresh_tokens (id, session_id, user_id, token_hash, created_at, expires_at)
    values (next_id, session_id, user_id, next_hash, at_time, session_expires_at);
    update auth.sessions s set last_used_at = at_time where s.id = session_id;
    outcome := 'rotated';
    return;
  end if;

  select * into token from auth.refresh_tokens t where t.id = token.id;
  if token.consumed_at is null then return; end if;
  if reuse_window > interval '0' and at_time - token.consumed_at < reuse_window then
    outcome := 'superseded';
    return;
  end if;
  update auth.sessions s set revoked_at = at_time, revoked_reason = 'refresh_reused' where s.id = session_id;
  outcome := 'reused';
end $$;

grant execute on function auth.rotate_refresh_token(bytea, uuid, bytea, timestamptz, interval) to obol_app;
