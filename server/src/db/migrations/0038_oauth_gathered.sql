-- Requests to the provider, many at once: what they ask before the library works is one read, and what the library has
-- decided is one write, which first looks whether it may still happen. Nothing is locked in between. Answers hold rows
-- by the names of their columns.

-- Counts sign-ins of persons to applications, pair by pair. Ordered, so that nobody waits in a circle. The first of a
-- day removes the days that are too old.
create function apps.count_sign_ins(applications uuid[], persons uuid[], today date, oldest date) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  is_first boolean;
begin
  with counted as (
    insert into apps.sign_ins as s (application_id, user_id, day, count)
      select w.application, w.person, today, count(*)
        from unnest(applications, persons) as w (application, person)
       group by w.application, w.person order by w.application, w.person
      on conflict (application_id, day, user_id) do update set count = s.count + excluded.count
      returning count)
  select bool_or(c.count = 1) into is_first from counted c;
  if is_first then
    delete from apps.sign_ins s using unnest(applications, persons) as w (application, person)
     where s.application_id = w.application and s.user_id = w.person and s.day < oldest;
  end if;
end $$;

-- All that requests ask before they are answered. Of an application, by its client id: the secrets that it may show,
-- and its row unless that is of the version given. Of a cookie: who is signed in, what their browser is in the middle
-- of, and their authorization at the application of the same place. Of a code or refresh token: its row; `isFollowed`
-- says that it has a successor that was not used yet. Of all authorizations among these that live: what tokens made of
-- them depend on, see oauth.read_authorization; their mandates, which few have, stand beside them. Many small lookups:
-- what the planner takes for few rows it would rather read as a whole.
create function oauth.open_requests(
  client_ids text[], client_versions text[], cookies bytea[], cookie_clients text[], codes bytea[], tokens bytea[],
  at_time timestamptz
) returns json
  language plpgsql stable security definer set search_path = pg_catalog set enable_seqscan = off
  set enable_mergejoin = off set enable_hashjoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  clients json;
  browsers json;
  code_rows json;
  token_rows json;
  living json;
  mandates json;
  mandated uuid[];
  wanted uuid[] := '{}';
  found_ids uuid[];
begin
  select json_agg(json_build_object(
           'clientId', p.client_id, 'version', v.version,
           'application', case when v.version is distinct from w.version then row_to_json(p) end,
           'secrets', coalesce((
             select json_agg(json_build_object(
                      'application_id', p.id, 'secret_id', s.id, 'secret_hash', s.secret_hash))
               from apps.application_secrets s
              where s.application_id = p.id and (s.expires_at is null or s.expires_at > at_time)), '[]')))
    into clients
    from unnest(client_ids, client_versions) as w (client_id, version)
    join apps.applications p on p.client_id = w.client_id and p.is_active
   cross join lateral (select p.xmin::text || ' ' || p.ctid::text as version) v;
  if cardinality(cookies) > 0 then
    select json_agg(json_build_object(
             'cookieHash', w.cookie, 'clientId', w.client_id, 'authorizationId', a.id,
             'session', case when u.id is not null then row_to_json(s) end,
             'user', case when u.id is not null then row_to_json(u) end,
             'state', (select row_to_json(b) from oauth.browser_states b where b.expires_at > at_time
                        and case when u.id is not null then b.session_uid = s.id::text
                                 else b.cookie_hash = w.cookie end))),
           coalesce(array_agg(a.id) filter (where a.id is not null), '{}')
      into browsers, wanted
      from unnest(cookies, cookie_clients) as w (cookie, client_id)
      left join auth.sessions s on s.cookie_hash = w.cookie and s.revoked_at is null and s.expires_at > at_time
      left join auth.users u on u.id = s.user_id and u.is_active
      left join apps.applications p on p.client_id = w.client_id and p.is_active
      left join oauth.authorizations a
        on a.session_id = s.id and a.application_id = p.id and a.user_id = u.id and a.revoked_at is null;
  end if;
  if cardinality(codes) > 0 then
    select json_agg(row_to_json(c)), coalesce(array_agg(c.authorization_id), '{}') into code_rows, found_ids
      from unnest(codes) as w (hash) join oauth.authorization_codes c on c.code_hash = w.hash;
    wanted := wanted || found_ids;
  end if;
  if cardinality(tokens) > 0 then
    select json_agg(json_build_object('row', row_to_json(t), 'isFollowed', t.consumed_at is not null and exists (
             select from oauth.refresh_tokens n where n.previous_hash = t.token_hash and n.consumed_at is null))),
           coalesce(array_agg(t.authorization_id), '{}')
      into token_rows, found_ids
      from unnest(tokens) as w (hash) join oauth.refresh_tokens t on t.token_hash = w.hash;
    wanted := wanted || found_ids;
  end if;
  if cardinality(wanted) > 0 then
    select json_agg(json_build_object(
             'id', a.id, 'userId', l.user_id, 'applicationId', l.application_id, 'clientId', l.client_id,
             'grantId', l.grant_id, 'sessionId', l.session_id, 'outlivesSession', l.outlives_session,
             'expiresAt', l.expires_at, 'livesUntil', a.expires_at, 'grantUsedAt', g.last_used_at,
             'scopes', l.scopes, 'claims', l.claims, 'details', l.authorization_details,
             'resources', coalesce((select json_object_agg(r.resource, r.scopes) from oauth.grant_resources r
                                     where r.grant_id = l.grant_id), '{}'),
             'user', l.person, 'role', coalesce(m.role, case when p.access = 'open' then p.default_role end))),
           array_agg(a.id) filter (where exists (
             select from credits.mandates d
              where d.wallet_id = l.user_id and d.app_id = l.client_id
                and d.member_id is null and d.status <> 'revoked'))
      into living, mandated
      from (select distinct w.id from unnest(wanted) as w (id)) w
      join oauth.authorizations a on a.id = w.id
      join oauth.live_authorizations l on l.authorization_id = w.id and l.expires_at > at_time
      join apps.grants g on g.id = l.grant_id
      join apps.applications p on p.id = l.application_id
      left join apps.memberships m on m.application_id = l.application_id and m.user_id = l.user_id;
  end if;
  if mandated is not null then
    select json_agg(json_build_object('authorizationId', a.id, 'view', credits.mandate_view(d, at_time))) into mandates
      from oauth.authorizations a
      join apps.applications p on p.id = a.application_id
      join credits.mandates d on d.wallet_id = a.user_id and d.app_id = p.client_id
     where a.id = any (mandated) and d.member_id is null and d.status <> 'revoked';
  end if;
  return json_build_object('clients', clients, 'browsers', browsers, 'codes', code_rows, 'tokens', token_rows,
    'authorizations', living, 'mandates', mandates);
end $$;

-- Makes whoever spends the code or refresh token, or ends something of its authorization, wait for the others.
create function oauth.lock_source(code bytea, refresh_token bytea) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform oauth.lock_authorization(coalesce(
    (select c.authorization_id from oauth.authorization_codes c where c.code_hash = code),
    (select t.authorization_id from oauth.refresh_tokens t where t.token_hash = refresh_token)));
end $$;

-- Writes what requests have come to, each of another authorization: what they spend, make and note. Nothing of a
-- request happens whose authorization has ended or is held by somebody else at this moment, or whose code or refresh
-- token was spent before; returned are the authorizations of the others. `spenders` have brought one of code_hashes or
-- token_hashes. A spent refresh token keeps its answer, for those that ask with the same one a moment later; once its
-- successor is used, it opens that no more. New rows are named by their columns.
create function oauth.finish_requests(
  authorizations uuid[], spenders uuid[], code_hashes bytea[], token_hashes bytea[], token_answers bytea[],
  extended uuid[], lives_until timestamptz[], codes json, refresh_tokens json, access_tokens json,
  signed_in uuid[], used_grants uuid[], used_sessions uuid[], sign_ins_since date, at_time timestamptz
) returns uuid[]
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
  set enable_mergejoin = off set enable_hashjoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  living uuid[];
  spent uuid[] := '{}';
  spent_too uuid[];
  applications uuid[];
  persons uuid[];
begin
  living := array(
    select a.id from oauth.authorizations a
     where a.id = any (authorizations) and a.revoked_at is null
     order by a.id for no key update skip locked);
  living := array(
    select l.authorization_id from oauth.live_authorizations l
     where l.authorization_id = any (living) and l.expires_at > at_time);
  if code_hashes is not null then
    with changed as (
      update oauth.authorization_codes c set consumed_at = at_time
       where c.code_hash = any (code_hashes) and c.authorization_id = any (living) and c.consumed_at is null
       returning c.authorization_id)
    select array_agg(c.authorization_id) into spent_too from changed c;
    spent := spent || spent_too;
  end if;
  if token_hashes is not null then
    with changed as (
      update oauth.refresh_tokens t set consumed_at = at_time, sealed_answer = w.answer
        from unnest(token_hashes, token_answers) as w (hash, answer)
       where t.token_hash = w.hash and t.authorization_id = any (living) and t.consumed_at is null
       returning t.authorization_id, t.previous_hash),
    closed as (
      update oauth.refresh_tokens t set sealed_answer = null
        from changed c where t.token_hash = c.previous_hash and t.sealed_answer is not null)
    select array_agg(c.authorization_id) into spent_too from changed c;
    spent := spent || spent_too;
  end if;
  if spenders is not null then
    living := array(select l.id from unnest(living) as l (id) where l.id = any (spent) or l.id <> all (spenders));
  end if;
  if extended is not null then
    update oauth.authorizations a set expires_at = w.expires_at
      from unnest(extended, lives_until) as w (id, expires_at)
     where a.id = w.id and a.id = any (living);
  end if;
  if codes is not null then
    insert into oauth.authorization_codes
      select c.* from json_populate_recordset(null::oauth.authorization_codes, codes) c
       where c.authorization_id = any (living);
  end if;
  if refresh_tokens is not null then
    insert into oauth.refresh_tokens
      select t.* from json_populate_recordset(null::oauth.refresh_tokens, refresh_tokens) t
       where t.authorization_id = any (living);
  end if;
  if access_tokens is not null then
    insert into oauth.access_tokens
      select t.* from json_populate_recordset(null::oauth.access_tokens, access_tokens) t
       where t.authorization_id is null or t.authorization_id = any (living);
  end if;
  if signed_in is not null then
    select array_agg(a.application_id), array_agg(a.user_id) into applications, persons
      from oauth.authorizations a where a.id = any (signed_in) and a.id = any (living);
    perform apps.count_sign_ins(applications, persons, (at_time at time zone 'utc')::date, sign_ins_since);
  end if;
  -- That something was used is noted to the minute; who holds the row has more to say of it.
  if used_grants is not null then
    update apps.grants g set last_used_at = at_time
     where g.id in (select u.id from apps.grants u where u.id = any (used_grants)
                     order by u.id for no key update skip locked);
  end if;
  if used_sessions is not null then
    update auth.sessions s set last_used_at = at_time
     where s.id in (select u.id from auth.sessions u where u.id = any (used_sessions) and u.revoked_at is null
                     order by u.id for no key update skip locked);
  end if;
  return living;
end $$;

grant execute on function apps.count_sign_ins(uuid[], uuid[], date, date),
  oauth.open_requests(text[], text[], bytea[], text[], bytea[], bytea[], timestamptz),
  oauth.lock_source(bytea, bytea),
  oauth.finish_requests(
    uuid[], uuid[], bytea[], bytea[], bytea[], uuid[], timestamptz[], json, json, json, uuid[], uuid[], uuid[], date,
    timestamptz)
  to obol_app;

-- What these take the place of.
drop function oauth.open_token_request(text, bytea, bytea, timestamptz);
drop function oauth.open_authorization_request(text, bytea, timestamptz);
drop function oauth.save_code(jsonb);
drop function oauth.save_access_token(jsonb);
drop function oauth.save_refresh_token(jsonb);
drop function oauth.spend_code(bytea, timestamptz);
drop function oauth.spend_refresh_token(bytea, bytea, timestamptz);
drop function apps.count_sign_in(uuid, uuid, date, date);
drop function apps.touch_grant(uuid, timestamptz);

-- Refresh tokens go with their authorization; nobody looks for them by when they expire.
drop index oauth.refresh_tokens_expires_idx;
