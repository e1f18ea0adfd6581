-- API keys. A key speaks for a person or an application; each of its secrets is asked about where sessions and client
-- secrets are, by the statement that does the work: what ends a key counts at once in every process.

create table auth.api_keys (
  id uuid primary key,
  user_id uuid,
  application_id uuid,
  created_by uuid,
  name text not null,
  scopes text[] not null,
  rate_limit integer,
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint api_keys_user_id_users_id_fk foreign key (user_id) references auth.users (id) on delete cascade,
  constraint api_keys_application_id_applications_id_fk
    foreign key (application_id) references apps.applications (id) on delete cascade,
  constraint api_keys_created_by_users_id_fk foreign key (created_by) references auth.users (id) on delete set null,
  constraint api_keys_owner_check check ((user_id is null) <> (application_id is null)),
  constraint api_keys_rate_limit_check check (rate_limit > 0)
);
create index api_keys_user_idx on auth.api_keys (user_id, created_at);
create index api_keys_application_idx on auth.api_keys (application_id, created_at);
create index api_keys_created_by_idx on auth.api_keys (created_by);

create table auth.api_key_secrets (
  id uuid primary key,
  key_id uuid not null,
  digest bytea not null,
  start text not null,
  last_four text not null,
  expires_at timestamptz(3),
  created_at timestamptz(3) not null,
  constraint api_key_secrets_key_id_api_keys_id_fk
    foreign key (key_id) references auth.api_keys (id) on delete cascade
);
create unique index api_key_secrets_digest_key on auth.api_key_secrets (digest);
create index api_key_secrets_key_idx on auth.api_key_secrets (key_id, created_at);

select obol.protect('auth.api_keys', 'user_id');
select obol.protect('auth.api_key_secrets', null);

-- Secrets of keys that have not been revoked, of active owners, and until when they count. Whether that time has come
-- is for the statement to ask.
create view auth.live_api_keys with (security_invoker = true) as
  select s.id as secret_id, s.digest, k.id as key_id, k.user_id, k.application_id,
         coalesce(least(k.expires_at, s.expires_at), 'infinity')::timestamptz(3) as expires_at
    from auth.api_key_secrets s join auth.api_keys k on k.id = s.key_id
   where k.revoked_at is null;

-- Who asks with the key of a person is asked about it at the same place and in the same statement as a session.
create or replace view auth.live_sessions with (security_invoker = true) as
  select s.id as session_id, s.user_id, s.expires_at
    from auth.sessions s join auth.users u on u.id = s.user_id
   where s.revoked_at is null and u.is_active
  union all
  select l.authorization_id, l.user_id, l.expires_at from oauth.live_authorizations l
  union all
  select k.secret_id, k.user_id, k.expires_at
    from auth.live_api_keys k join auth.users u on u.id = k.user_id
   where u.is_active;

-- Refuses with auth.session_ended unless the session lives and its user is active, or the authorization by which an
-- application asks for them, or their API key. Returns the user's role as it is now, whatever the token said; an
-- application or a key never acts as an administrator.
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
  perform from auth.live_sessions l
    where l.session_id = caller_session and l.user_id = caller_user and l.expires_at > at_time;
  if not found then perform obol.refuse('auth.session_ended'); end if;
  return 'user';
end $$;

-- The same for applications: a key of theirs stands where a client secret does, but identifies no client at the token
-- endpoint (see apps.find_secrets).
create or replace view apps.live_secrets with (security_invoker = true) as
  select s.id as secret_id, s.application_id, a.client_id, s.expires_at
    from apps.application_secrets s join apps.applications a on a.id = s.application_id
   where a.is_active
  union all
  select k.secret_id, k.application_id, a.client_id, k.expires_at
    from auth.live_api_keys k join apps.applications a on a.id = k.application_id
   where a.is_active;

-- What presented keys are, as a JSON array of an object each, in the order given: `code` is null for a key that
-- counts, or says why it does not. `callers` are the secrets with which applications ask about them (null: whoever
-- holds the key itself), and `callerLives` whether they may. Writes nothing, so any number of verifications are one
-- call. The JSON is put together from texts, which is the quickest way, for the service to read at once.
create function auth.verify_api_keys(digests bytea[], callers uuid[], at_time timestamptz) returns text
  language plpgsql stable security definer
  set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  live_callers uuid[] := array(
    select l.secret_id from apps.live_secrets l
     where l.secret_id = any (callers) and (l.expires_at is null or l.expires_at > at_time));
begin
  return (
    select '[' || string_agg('{"callerLives":'
             || case when d.caller is null or d.caller = any (live_callers) then 'true' else 'false' end
             || case when k.key_id is null then ',"code":"unknown"}' else
             ',"code":' || case when k.revoked_at is not null then '"revoked"'
                                when k.expires_at <= at_time then '"expired"'
                                when not coalesce(k.is_owner_active, false) then '"owner_inactive"' else 'null' end
             || ',"keyId":"' || k.key_id || '","secretId":"' || k.secret_id
             || '","userId":' || coalesce('"' || k.user_id || '"', 'null')
             || ',"applicationId":' || coalesce('"' || k.application_id || '"', 'null')
             || ',"clientId":' || coalesce(to_json(k.client_id)::text, 'null')
             || ',"name":' || to_json(k.name) || ',"scopes":' || to_json(k.scopes)
             || ',"rateLimit":' || coalesce(k.rate_limit::text, 'null')
             || ',"expiresAt":' || coalesce(to_json(k.expires_at)::text, 'null')
             || ',"budget":' || case when (k.budget).id is null then 'null' else
                  '{"allowance":' || (k.budget).allowance || ',"period":"' || (k.budget).period
                  || '","kinds":' || to_json((k.budget).kinds)
                  || ',"maxPerSpend":' || coalesce((k.budget).spend_max::text, 'null')
                  || ',"used":' || credits.used_of(k.budget, at_time)
                  || ',"remaining":' || greatest((k.budget).allowance - credits.used_of(k.budget, at_time), 0)
                  || ',"resetsAt":' || coalesce(
                    to_json(credits.next_period_start((k.budget).period, at_time))::text, 'null')
                  || ',"status":"' || (k.budget).status || '"}' end
             || '}' end, ',' order by d.ordinality) || ']'
      from unnest(digests, callers) with ordinality as d (digest, caller, ordinality)
      left join lateral (
        select s.id as secret_id, s.key_id, o.user_id, o.application_id, a.client_id, o.name, o.scopes, o.rate_limit,
               least(o.expires_at, s.expires_at) as expires_at, o.revoked_at,
               coalesce(u.is_active, a.is_active) as is_owner_active, m as budget
          from auth.api_key_secrets s
          join auth.api_keys o on o.id = s.key_id
          left join auth.users u on u.id = o.user_id
          left join apps.applications a on a.id = o.application_id
          left join credits.mandates m on m.key_id = o.id
         where s.digest = d.digest
        offset 0) k on true);
end $$;

-- Verifies one key and spends with it, in one call: what the key is as above, and the outcome of the spend. `uses` is
-- how often the key was used within its window, this time included; null where nobody counts. A person's key spends
-- from their own wallet; an application's from that of the person whom `charge` names (on_behalf_of), under their
-- mandate. Where an application asks with somebody's key, it charges in its own name, and a mandate that it was ever
-- given by that person limits it as well.
create function auth.charge_api_key(
  presented bytea, caller uuid, uses bigint, charge jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint,
  out verdict jsonb, out outcome jsonb
)
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request jsonb;
begin
  verdict := auth.verify_api_keys(array[presented], array[caller], at_time)::jsonb->0;
  if not (verdict->>'callerLives')::boolean or verdict->>'code' is not null then return; end if;
  verdict := verdict || jsonb_build_object('code', case
    when uses > (verdict->>'rateLimit')::bigint then 'rate_limited'
    when not verdict->'scopes' ? 'credits:spend' then 'insufficient_scope'
    when verdict->>'clientId' <> charge->>'app_id' then 'app_mismatch' end);
  if verdict->>'code' is not null then return; end if;

  request := charge - 'on_behalf_of' || case when verdict->>'userId' is not null
    then jsonb_build_object('wallet_id', verdict->'userId', 'user_id', verdict->'userId',
           'session_id', verdict->'secretId', 'by_key', caller is not null,
           'client_id', (select l.client_id from apps.live_secrets l where l.secret_id = caller))
    else jsonb_build_object('wallet_id', charge->'on_behalf_of', 'application_id', verdict->'applicationId',
           'secret_id', verdict->'secretId', 'client_id', verdict->'clientId') end;
  select to_jsonb(o) into outcome
    from credits.transact(jsonb_build_array(request), at_time, daily_amount, daily_cap) o;
  verdict := verdict || jsonb_build_object('code', outcome->'code', 'budget', (
    select credits.mandate_view(m, at_time) from credits.mandates m where m.key_id = (verdict->>'keyId')::uuid));
end $$;

-- Notes when keys were used last, for all that a process has seen since it noted last.
create function auth.touch_api_keys(used uuid[], used_at timestamptz[]) returns void
  language sql volatile security definer set search_path = pg_catalog
as $$
  update auth.api_keys k set last_used_at = t.used_at
    from (select u.id, max(u.used_at) as used_at from unnest(used, used_at) as u (id, used_at) group by u.id) t
   where k.id = t.id and (k.last_used_at is null or k.last_used_at < t.used_at)
$$;

grant execute on function auth.verify_api_keys(bytea[], uuid[], timestamptz),
  auth.charge_api_key(bytea, uuid, bigint, jsonb, timestamptz, bigint, bigint),
  auth.touch_api_keys(uuid[], timestamptz[]) to obol_app;
