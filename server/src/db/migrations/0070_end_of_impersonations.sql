-- Ends what an administrator looks at, but for one session where `spared` names it. The persons read it in their
-- trails, without the administrator's address. Returns whose accounts it was, in the order of the sessions, in which
-- they are locked, too: nobody who ends several of them at once waits in a circle.
create function auth.end_impersonations_by(administrator uuid, spared uuid, at_time timestamptz) returns setof uuid
  language sql volatile security definer set search_path = pg_catalog
as $$
  with living as (
    select s.id from auth.sessions s
     where s.impersonator_id = administrator and s.revoked_at is null and s.expires_at > at_time
       and s.id is distinct from spared
     order by s.id for no key update),
  ended as (
    update auth.sessions s set revoked_at = at_time, revoked_reason = 'impersonation_ended'
      from living l where s.id = l.id
    returning s.id, s.user_id),
  told as (
    insert into auth.security_events (id, user_id, type, session_id, details, created_at)
      select credits.new_id(at_time), e.user_id, 'session.ended', e.id, '{"reason": "impersonation_ended"}', at_time
        from ended e)
  select e.user_id from ended e order by e.id
$$;

-- An administrator looks at an account for as long as they are signed in: with any session of theirs that ends,
-- however, ends what they look at, for nobody knows by whom it was begun.
create or replace function auth.stop_impersonating() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform auth.end_impersonations_by(new.user_id, null, new.revoked_at);
  return null;
end $$;

grant execute on function auth.end_impersonations_by(uuid, uuid, timestamptz) to obol_app;
