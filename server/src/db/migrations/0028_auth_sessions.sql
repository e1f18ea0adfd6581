-- Notes that a session was used, to the minute, and gives it another cookie; `authenticated` only where the person has
-- shown anew that it is them.
create function auth.touch_session(used uuid, cookie bytea, authenticated timestamptz, at_time timestamptz)
  returns void language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.assert_service();
  update auth.sessions s
     set last_used_at = at_time, cookie_hash = cookie, authenticated_at = coalesce(authenticated, s.authenticated_at)
   where s.id = used and s.revoked_at is null
     and (s.last_used_at <= at_time - interval '1 minute' or s.cookie_hash is distinct from cookie
          or authenticated is not null);
end $$;

grant execute on function auth.touch_session(uuid, bytea, timestamptz, timestamptz) to obol_app;
