-- Terms of mandates come as JSON, whose members became columns whatever they were: who named `id` in a limit of their
-- own changed the mandate of somebody else. Only terms are taken from it now.

-- The members of an object that have one of these names.
create function credits.only_members(given jsonb, names text[]) returns jsonb
  language sql immutable set search_path = pg_catalog
as $$
  select coalesce(jsonb_object_agg(m.key, m.value), '{}') from jsonb_each(given) m where m.key = any (names)
$$;

-- Changes the terms of a locked mandate: those named in `changes`, by column. Under another period, what has been
-- charged since the beginning of that period counts.
create or replace function credits.change_terms(mandate credits.mandates, changes jsonb, at_time timestamptz)
  returns credits.mandates
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  period_before text := mandate.period;
begin
  mandate := jsonb_populate_record(mandate, credits.only_members(changes, array['allowance', 'period', 'kinds',
    'spend_max', 'overrun', 'overrun_max', 'status', 'expires_at']));
  if mandate.period <> period_before then
    mandate.period_started_at := credits.period_start(
      mandate.period, credits.charging_instant(mandate, at_time), mandate.created_at);
    select coalesce(sum(u.held + u.spent), 0) into mandate.spent
      from credits.mandate_usage u
     where u.mandate_id = mandate.id and u.charged_at >= mandate.period_started_at;
  end if;
  mandate.updated_at := at_time;
  update credits.mandates m
     set (allowance, period, kinds, spend_max, overrun, overrun_max, spent, period_started_at, status, expires_at,
          updated_at)
       = (mandate.allowance, mandate.period, mandate.kinds, mandate.spend_max, mandate.overrun, mandate.overrun_max,
          mandate.spent, mandate.period_started_at, mandate.status, mandate.expires_at, mandate.updated_at)
   where m.id = mandate.id;
  return mandate;
end $$;

-- Gives an app leave to spend from the caller's wallet. Refuses with auth.session_ended, request.invalid when there is
-- no such application or the terms contradict each other, mandate.exists when it has a mandate already.
create or replace function credits.create_mandate(
  caller_user uuid, caller_session uuid, new_id uuid, terms jsonb, at_time timestamptz
) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  mandate credits.mandates := jsonb_populate_record(null::credits.mandates, credits.only_members(terms, array['app_id',
    'allowance', 'period', 'kinds', 'spend_max', 'overrun', 'overrun_max', 'expires_at']));
  existing uuid;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  if not exists (select from apps.applications a where a.client_id = mandate.app_id and a.is_active) then
    perform obol.refuse('request.invalid', jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
      'path', '/body/appId', 'message', 'is not the client id of an application'))));
  end if;
  perform credits.assert_terms(mandate);
  mandate.id := new_id;
  mandate.wallet_id := caller_user;
  mandate.member_id := null;
  mandate.spent := 0;
  mandate.period_started_at := credits.period_start(mandate.period, at_time, at_time);
  mandate.status := 'active';
  mandate.created_at := at_time;
  mandate.updated_at := at_time;
  insert into credits.mandates select mandate.*
    on conflict (wallet_id, app_id) where status <> 'revoked' and member_id is null do nothing;
  if not found then
    select m.id into existing from credits.mandates m
     where m.wallet_id = caller_user and m.app_id = mandate.app_id and m.member_id is null and m.status <> 'revoked';
    perform obol.refuse('mandate.exists', jsonb_build_object('mandateId', existing));
  end if;
  return credits.mandate_view(mandate, at_time);
end $$;

-- The terms under which a member spends, as columns of a mandate. Without a limit, owners and admins spend what there
-- is, and members nothing until they are given one.
create or replace function credits.member_terms(role text, spending_limit jsonb) returns jsonb
  language sql immutable set search_path = pg_catalog
as $$
  select jsonb_build_object('allowance', 9007199254740991, 'period', 'total', 'kinds', array['free', 'paid'],
      'spend_max', null)
    || case when role = 'member' and spending_limit is null then '{"allowance": 0}' else '{}'::jsonb end
    || credits.only_members(nullif(spending_limit, 'null'), array['allowance', 'period', 'kinds', 'spend_max'])
$$;
