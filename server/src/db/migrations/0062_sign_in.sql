-- A sign-in in as few statements as can be: what is the same for everybody is one call, whose plans are kept.

-- Its work is part of auth.open_session now.
drop function auth.note_sign_in(uuid, bytea[], timestamptz, timestamptz);

-- Opens a session with its first refresh token, both as their tables have them, and notes the devices by which
-- the sign-in is recognised when it comes again. `device` says whether the person has used one of these before:
-- 'known', 'new', or 'first' when nothing is known of them yet; of two at once with the same new device, one is
-- new. `failures` counts wrong passwords within the hour, to fifty; `addresses` are those of the sessions opened
-- since `burst_since`, to fifty. Only the index by person fits the comparison of rows: plans may be from when
-- there were few events.
create function auth.open_session(new_session json, first_token json, devices bytea[], burst_since timestamptz)
  returns table (email text, device text, failures bigint, addresses text[])
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  opened constant auth.sessions := json_populate_record(null::auth.sessions, new_session);
  had_any boolean;
  recognised boolean;
begin
  perform oauth.assert_service();
  insert into auth.sessions values (opened.*);
  insert into auth.refresh_tokens select t.* from json_populate_record(null::auth.refresh_tokens, first_token) t;
  had_any := exists (select from auth.known_devices k where k.user_id = opened.user_id);
  with noted as (
    insert into auth.known_devices as k (user_id, device_hash, first_seen_at, last_seen_at)
      select opened.user_id, given, opened.created_at, opened.created_at from unnest(devices) given order by given
      on conflict (user_id, device_hash) do update set last_seen_at = excluded.last_seen_at
      returning k.xmax <> 0 as was_there)
  select bool_or(n.was_there) into recognised from noted n;
  delete from auth.known_devices k
   where k.user_id = opened.user_id and k.last_seen_at < opened.created_at - interval '400 days';
  return query
    select u.email, case when recognised then 'known' when had_any then 'new' else 'first' end,
           (select count(*) from (
              select from auth.security_events e
               where e.user_id = u.id and (e.user_id, e.created_at) > (u.id, opened.created_at - interval '1 hour')
                 and e.type = 'login.failed'
               limit 50) failed),
           array(select s.ip_address from auth.sessions s
                  where s.user_id = u.id and s.created_at >= burst_since and s.last_used_at >= burst_since
                    and s.ip_address is not null
                  limit 50)
      from auth.users u where u.id = opened.user_id;
end $$;

-- The transaction of a sign-in by a password, as far as nothing stands in its way. Holds the password that was
-- verified, which is replaced when sessions are ended, and returns no row when it is no longer that one.
-- Otherwise the person, and what auth.open_session says if it opened the session: it does not for who is
-- deactivated or has a second factor. The statement after the lock sees what was committed while it was waited
-- for.
create function auth.sign_in_by_password(
  given_hash text, new_session json, first_token json, devices bytea[], burst_since timestamptz, event json
) returns table (person jsonb, noted jsonb)
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  owner_id constant uuid := new_session ->> 'user_id';
  needs_no_more boolean;
begin
  perform oauth.assert_service();
  perform from auth.passwords p where p.user_id = owner_id and p.hash = given_hash for update;
  select to_jsonb(u),
         u.is_active
           and not exists (
             select from auth.two_factor_auth t where t.user_id = u.id and t.enabled_at is not null)
           and not exists (select from auth.passkeys k where k.user_id = u.id)
    into person, needs_no_more
    from auth.passwords p join auth.users u on u.id = p.user_id
   where p.user_id = owner_id and p.hash = given_hash;
  if not found then return; end if;
  if needs_no_more then
    select to_jsonb(o) into strict noted
      from auth.open_session(new_session, first_token, devices, burst_since) o;
    insert into auth.security_events select e.* from json_populate_record(null::auth.security_events, event) e;
  end if;
  return next;
end $$;

grant execute on function auth.open_session(json, json, bytea[], timestamptz),
  auth.sign_in_by_password(text, json, json, bytea[], timestamptz, json) to obol_app;
