-- Sign-ins together: under load the code and data of a sign-in are out of the caches each time, for a hash goes through
-- 19 MB; what is done for several at once finds them there.

-- What sign-ins must know of their addresses, as auth.find_credentials says it of one: a row for each, in their order.
create function auth.find_credentials_of(given_emails text[])
  returns table (user_id uuid, is_active boolean, hash text)
  language sql stable security definer set search_path = pg_catalog
as $$
  select found.*
    from unnest(given_emails) with ordinality as asked (email, position),
         lateral auth.find_credentials(asked.email) found
   order by asked.position
$$;

-- Opens the sessions of several sign-ins by password, each as auth.sign_in_by_password does, as far as that is all that
-- there is to do. Returns the persons, in the order of the sign-ins. Null for whose password or account is held by
-- somebody else at this moment, who has another password by now, is deactivated or has a second factor, and of whose
-- sign-in there is something to tell: for them nothing is written. Nobody waits here for the lock of anybody.
create function auth.sign_in_together(sign_ins json) returns jsonb[]
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  persons jsonb[] := array_fill(null::jsonb, array[json_array_length(sign_ins)]);
  one record;
  opened record;
begin
  perform oauth.assert_service();
  for one in
    select position, given ->> 'hash' as hash, given -> 'session' as session, given -> 'token' as token,
           array(select decode(d, 'hex') from json_array_elements_text(given -> 'devices') d) as devices,
           (given ->> 'burstSince')::timestamptz as burst_since, given -> 'event' as event
      from json_array_elements(sign_ins) with ordinality as a (given, position)
  loop
    perform from auth.passwords p
      where p.user_id = (one.session ->> 'user_id')::uuid and p.hash = one.hash for update skip locked;
    continue when not found;
    -- With the person nobody else opens a session of theirs, which would hold the row of a device.
    perform from auth.users u where u.id = (one.session ->> 'user_id')::uuid for no key update skip locked;
    continue when not found
      or not exists (select from auth.known_devices k
                      where k.user_id = (one.session ->> 'user_id')::uuid and k.device_hash = any (one.devices));
    begin
      select s.person, s.noted into opened
        from auth.sign_in_by_password(one.hash, one.session, one.token, one.devices, one.burst_since, one.event) s;
      if opened.noted is null or opened.noted ->> 'device' <> 'known'
         or (select count(distinct a) from jsonb_array_elements_text(opened.noted -> 'addresses') a) > 4 then
        raise exception using errcode = 'OB002';
      end if;
      persons[one.position] := opened.person;
    exception when sqlstate 'OB002' then null;
    end;
  end loop;
  return persons;
end $$;

grant execute on function auth.find_credentials_of(text[]), auth.sign_in_together(json) to obol_app;
