-- The provider's two calls find every row by its own index, however few rows there were when their plans were made:
-- plans are kept, and by the index of another column they would read all codes and tokens that an authorization ever
-- had, or all authorizations that live.

-- An index that also holds what has no session serves no search for one: it would only be read as a whole.
drop index oauth.authorizations_session_application_key;
create unique index authorizations_session_application_key on oauth.authorizations (session_id, application_id)
  where revoked_at is null and session_id is not null;

-- The authorization of an application in a session, opened when there is none: only if the person has granted it
-- something that they have not taken back, for which whoever ends the grant waits. As oauth.read_authorization.
create or replace function oauth.open_authorization(
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
    on conflict (session_id, application_id) where revoked_at is null and session_id is not null
      do update set expires_at = excluded.expires_at
    returning a.id into opened;
  return oauth.read_authorization(opened, false, at_time);
end $$;

-- Authorizations that have not ended, of active people at active applications, and until when they live: no longer than
-- their session, unless they outlive it. Whether that time has come is for the statement to ask.
create or replace view oauth.live_authorizations with (security_invoker = true) as
  select a.id as authorization_id, a.user_id, a.application_id, a.grant_id, a.session_id, a.outlives_session,
         p.client_id, g.scopes, g.claims, g.authorization_details, to_jsonb(u) as person,
         case when a.outlives_session then a.expires_at else least(a.expires_at, s.expires_at) end as expires_at,
         a.expires_at as lives_until, g.last_used_at as grant_used_at,
         case when p.access = 'open' then p.default_role end as default_role
    from oauth.authorizations a
   cross join lateral (select t.* from apps.grants t where t.id = a.grant_id and t.revoked_at is null offset 0) g
    join apps.applications p on p.id = a.application_id and p.is_active
    join auth.users u on u.id = a.user_id and u.is_active
    left join auth.sessions s on s.id = a.session_id and s.revoked_at is null
   where a.revoked_at is null and (a.outlives_session or s.id is not null);

-- Those of these authorizations that live, each found by itself. Without settings of its own, so that PostgreSQL
-- inlines it.
create function oauth.living_of(authorizations uuid[], at_time timestamptz) returns setof oauth.live_authorizations
  language sql stable
as $$
  select l.*
    from (select distinct u.id from unnest(authorizations) as u (id)) w
   cross join lateral (select v.* from oauth.live_authorizations v where v.authorization_id = w.id offset 0) l
   where l.expires_at > at_time
$$;

-- All that requests ask before they are answered. Of an application, by its client id: the secrets that it may show,
-- and its row unless that is of the version given. Of a cookie: who is signed in, what their browser is in the middle
-- of, and their authorization at the application of the same place. Of a code or refresh token: its row; `isFollowed`
-- says that it has a successor that was not used yet. Of all authorizations among these that live: what tokens made of
-- them depend on, see oauth.read_authorization; their mandates, which few have, stand beside them. Many small lookups:
-- what the planner takes for few rows it would rather read as a whole.
create or replace function oauth.open_requests(
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
             'state', (
               select row_to_json(b)
                 from (select t.* from oauth.browser_states t where u.id is not null and t.session_uid = s.id::text
                       union all
                       select t.* from oauth.browser_states t where u.id is null and t.cookie_hash = w.cookie
                       offset 0) b
                where b.expires_at > at_time))),
           coalesce(array_agg(a.id) filter (where a.id is not null), '{}')
      into browsers, wanted
      from unnest(cookies, cookie_clients) as w (cookie, client_id)
      left join lateral (select t.* from auth.sessions t where t.cookie_hash = w.cookie offset 0) s
        on s.revoked_at is null and s.expires_at > at_time
      left join lateral (select t.* from auth.users t where t.id = s.user_id offset 0) u on u.is_active
      left join apps.applications p on p.client_id = w.client_id and p.is_active
      left join lateral (
        select t.* from oauth.authorizations t where t.session_id = s.id and t.revoked_at is null offset 0) a
        on a.application_id = p.id and a.user_id = u.id;
  end if;
  if cardinality(codes) > 0 then
    select json_agg(row_to_json(c)), coalesce(array_agg(c.authorization_id), '{}') into code_rows, found_ids
      from oauth.authorization_codes c where c.code_hash = any (codes);
    wanted := wanted || found_ids;
  end if;
  if cardinality(tokens) > 0 then
    select json_agg(json_build_object('row', row_to_json(t), 'isFollowed', t.consumed_at is not null and exists (
             select from oauth.refresh_tokens n where n.previous_hash = t.token_hash and n.consumed_at is null))),
           coalesce(array_agg(t.authorization_id), '{}')
      into token_rows, found_ids
      from oauth.refresh_tokens t where t.token_hash = any (tokens);
    wanted := wanted || found_ids;
  end if;
  if cardinality(wanted) > 0 then
    select json_agg(json_build_object(
             'id', l.authorization_id, 'userId', l.user_id, 'applicationId', l.application_id, 'clientId', l.client_id,
             'grantId', l.grant_id, 'sessionId', l.session_id, 'outlivesSession', l.outlives_session,
             'expiresAt', l.expires_at, 'livesUntil', l.lives_until, 'grantUsedAt', l.grant_used_at,
             'scopes', l.scopes, 'claims', l.claims, 'details', l.authorization_details,
             'resources', coalesce((select json_object_agg(r.resource, r.scopes) from oauth.grant_resources r
                                     where r.grant_id = l.grant_id), '{}'),
             'user', l.person, 'role', coalesce(m.role, l.default_role))),
           array_agg(l.authorization_id) filter (where exists (
             select from (select t.* from credits.mandates t where t.wallet_id = l.user_id offset 0) d
              where d.app_id = l.client_id and d.member_id is null and d.status <> 'revoked'))
      into living, mandated
      from oauth.living_of(wanted, at_time) l
      left join apps.memberships m on m.application_id = l.application_id and m.user_id = l.user_id;
  end if;
  if mandated is not null then
    select json_agg(json_build_object('authorizationId', a.id, 'view', credits.mandate_view(d, at_time))) into mandates
      from oauth.authorizations a
      join apps.applications p on p.id = a.application_id
     cross join lateral (select t.* from credits.mandates t where t.wallet_id = a.user_id offset 0) d
     where a.id = any (mandated) and d.app_id = p.client_id and d.member_id is null and d.status <> 'revoked';
  end if;
  return json_build_object('clients', clients, 'browsers', browsers, 'codes', code_rows, 'tokens', token_rows,
    'authorizations', living, 'mandates', mandates);
end $$;

-- Writes what requests have come to, each of another authorization: what they spend, make and note. Nothing of a
-- request happens whose authorization has ended or is held by somebody else at this moment, or whose code or refresh
-- token was spent before; returned are the authorizations of the others. `spenders` have brought one of code_hashes or
-- token_hashes. A spent refresh token keeps its answer, for those that ask with the same one a moment later; once its
-- successor is used, it opens that no more. New rows are named by their columns.
create or replace function oauth.finish_requests(
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
  followed bytea[];
  applications uuid[];
  persons uuid[];
begin
  living := array(
    select a.id from oauth.authorizations a
     where a.id = any (authorizations)
     order by a.id for no key update skip locked);
  living := array(select l.authorization_id from oauth.living_of(living, at_time) l);
  if code_hashes is not null then
    with changed as (
      update oauth.authorization_codes c set consumed_at = at_time
       where c.code_hash = any (code_hashes) and array_position(living, c.authorization_id) is not null
         and c.consumed_at is null
       returning c.authorization_id)
    select array_agg(c.authorization_id) into spent_too from changed c;
    spent := spent || spent_too;
  end if;
  if token_hashes is not null then
    with changed as (
      update oauth.refresh_tokens t
         set consumed_at = at_time, sealed_answer = token_answers[array_position(token_hashes, t.token_hash)]
       where t.token_hash = any (token_hashes) and array_position(living, t.authorization_id) is not null
         and t.consumed_at is null
       returning t.authorization_id, t.previous_hash)
    select array_agg(c.authorization_id), array_agg(c.previous_hash) filter (where c.previous_hash is not null)
      into spent_too, followed from changed c;
    if followed is not null then
      update oauth.refresh_tokens t set sealed_answer = null
       where t.token_hash = any (followed) and coalesce(t.sealed_answer, '') <> '';
    end if;
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
