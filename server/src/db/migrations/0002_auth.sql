-- Sessions, and the check that opens every transaction made for a signed-in person.

-- Refuses with auth.session_ended unless the session lives and its user is active. Returns the user's role as it is
-- now, whatever the token said. One index look-up each on sessions and users.
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
