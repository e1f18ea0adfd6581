-- An administrator looks at an account for as long as they are signed in: with any session of theirs that
-- ends, however, ends what they look at, for nobody knows by whom it was begun. The person reads it in their
-- trail.
create function auth.stop_impersonating() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  with ended as (
    update auth.sessions s set revoked_at = new.revoked_at, revoked_reason = 'impersonation_ended'
     where s.impersonator_id = new.user_id and s.revoked_at is null and s.expires_at > new.revoked_at
    returning s.id, s.user_id)
  insert into auth.security_events (id, user_id, type, session_id, details, created_at)
    select credits.new_id(new.revoked_at), e.user_id, 'session.ended', e.id, '{"reason": "impersonation_ended"}',
           new.revoked_at
      from ended e;
  return null;
end $$;

create trigger sessions_end_impersonations
  after update of revoked_at on auth.sessions
  for each row when (new.revoked_at is not null and old.revoked_at is null and new.impersonator_id is null)
  execute function auth.stop_impersonating();
