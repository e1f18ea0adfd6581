-- Budgets of API keys: mandates of a key. A person's key is limited by its budget like an app by its mandate. Where
-- both count (the key of an application, which spends under a person's mandate; a key in a team's wallet; an
-- application that charges by a person's key), the lower one does, and a spend is charged to both: transactions name
-- the mandate, and mandate_usage has a row for the budget besides. Holds name one mandate, so where both count there
-- are none.

alter table credits.mandates add column key_id uuid;
alter table credits.mandates alter column wallet_id drop not null;
alter table credits.mandates drop constraint mandates_spender_check;
alter table credits.mandates add constraint mandates_spender_check
  check (app_id is not null or member_id is not null or key_id is not null);
alter table credits.mandates add constraint mandates_wallet_check check (wallet_id is not null or key_id is not null);
create unique index mandates_key_key on credits.mandates (key_id) where key_id is not null;

alter table credits.mandate_usage drop constraint mandate_usage_pkey;
alter table credits.mandate_usage
  add constraint mandate_usage_pkey primary key (transaction_id, charged_at, mandate_id);

-- `by_key`: an application charges by a person's key, which stands for a mandate.
alter type credits.transact_request add attribute by_key boolean;
alter type credits.transact_scene add attribute budget credits.mandates;

-- A mandate as the API shows it at an instant.
create or replace function credits.mandate_view(mandate credits.mandates, instant timestamptz) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object(
    'id', mandate.id, 'walletId', mandate.wallet_id, 'appId', mandate.app_id, 'keyId', mandate.key_id,
    'allowance', mandate.allowance, 'period', mandate.period, 'kinds', to_jsonb(mandate.kinds),
    'maxPerSpend', mandate.spend_max, 'overrun', mandate.overrun, 'overrunMax', mandate.overrun_max,
    'used', credits.used_of(mandate, instant),
    'remaining', greatest(mandate.allowance - credits.used_of(mandate, instant), 0),
    'periodStartedAt', credits.iso_time(
      greatest(credits.period_start(mandate.period, instant, mandate.period_started_at), mandate.period_started_at)),
    'resetsAt', credits.iso_time(credits.next_period_start(mandate.period, instant)),
    'status', case when mandate.status <> 'revoked' and mandate.expires_at <= instant then 'expired'
                   else mandate.status end,
    'expiresAt', credits.iso_time(mandate.expires_at), 'createdAt', credits.iso_time(mandate.created_at),
    'updatedAt', credits.iso_time(mandate.updated_at))
$$;

-- Gives a key its budget: over its owner's wallet, or for the key of an application over nobody's in particular (null).
-- Runs in the transaction of the service that makes the key.
create function credits.create_budget(
  of_key uuid, of_wallet uuid, new_id uuid, terms jsonb, at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  budget credits.mandates := jsonb_populate_record(null::credits.mandates, terms);
begin
  perform oauth.assert_service();
  insert into credits.mandates (id, wallet_id, key_id, allowance, period, kinds, spend_max, overrun, overrun_max, spent,
      period_started_at, status, created_at, updated_at)
    values (new_id, of_wallet, of_key, budget.allowance, budget.period, budget.kinds, budget.spend_max, 'refuse', 0, 0,
      credits.period_start(budget.period, at_time, at_time), 'active', at_time, at_time);
end $$;

-- Changes the budget of a key, see credits.change_terms; one that was revoked stays so. Returns whether there is one.
-- Runs in the transaction of the service that changes or revokes the key.
create function credits.change_budget(of_key uuid, changes jsonb, at_time timestamptz) returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  budget credits.mandates;
begin
  perform oauth.assert_service();
  select m.* into budget from credits.mandates m
   where m.key_id = of_key and m.status <> 'revoked' for no key update;
  if not found then return false; end if;
  perform credits.change_terms(budget, changes, at_time);
  return true;
end $$;

-- The budget of the key that asks, if it is a key and has one.
create function credits.budget_of(request credits.transact_request) returns uuid
  language sql stable set search_path = pg_catalog
as $$
  select m.id
    from auth.api_key_secrets s join credits.mandates m on m.key_id = s.key_id
   where s.id = coalesce(request.session_id, request.secret_id)
$$;

-- Charges a mandate with what a transaction set aside and spent at an instant, or gives it back to that instant
-- (negative). An instant of a later period begins that period; one of an earlier period changes only what is known of
-- it.
create or replace function credits.charge_mandate(
  charged_mandate uuid, by_transaction uuid, instant timestamptz, held_change bigint, spent_change bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into credits.mandate_usage as u (transaction_id, charged_at, mandate_id, wallet_id, held, spent)
    select by_transaction, instant, m.id, coalesce(m.wallet_id, t.wallet_id), held_change, spent_change
      from credits.mandates m
      left join credits.transactions t on t.id = by_transaction and m.wallet_id is null
     where m.id = charged_mandate
    on conflict (transaction_id, charged_at, mandate_id)
    do update set held = u.held + excluded.held, spent = u.spent + excluded.spent;
  if held_change + spent_change = 0 then return; end if;
  update credits.mandates m
     set spent = case when p.started_at > m.period_started_at then held_change + spent_change
                      when instant >= m.period_started_at then m.spent + held_change + spent_change
                      else m.spent end,
         period_started_at = greatest(p.started_at, m.period_started_at)
    from credits.mandates o
   cross join lateral (select credits.period_start(o.period, instant, o.period_started_at) as started_at) p
   where m.id = charged_mandate and o.id = m.id;
end $$;

-- Gives each mandate that was charged back what a refund returns of a spend or capture, what was charged last first:
-- exactly to the periods that it was taken from. Without a mandate nothing happens.
create or replace function credits.give_back_allowance(refunded uuid, by_refund uuid, amount bigint) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  charge record;
  last_mandate uuid;
  unreturned bigint;
  part bigint;
begin
  for charge in
    select u.mandate_id, u.charged_at, sum(u.spent)::bigint as spent
      from credits.mandate_usage u
     where u.transaction_id = refunded
        or u.transaction_id in (select t.id from credits.transactions t
                                 where t.reverses_id = refunded and t.type = 'refund')
     group by u.mandate_id, u.charged_at
     order by u.mandate_id, u.charged_at desc
  loop
    if charge.mandate_id is distinct from last_mandate then unreturned := amount; end if;
    last_mandate := charge.mandate_id;
    part := least(unreturned, charge.spent);
    continue when part <= 0;
    perform credits.charge_mandate(charge.mandate_id, by_refund, charge.charged_at, 0, -part);
    unreturned := unreturned - part;
  end loop;
end $$;

-- Who asks, before anything else: null when they may, or the code to refuse with. An application learns nothing of a
-- person who never gave it a mandate: unknown people, people without a wallet, people who are gone and people who did
-- not consent are alike. Nothing new is charged by an application that is gone, nor to a person who is; what is held of
-- such a person's credits can still be captured. A key with a budget moves only what was set aside under it.
create or replace function credits.judge_caller(
  request credits.transact_request, wallet credits.balances, hold credits.holds, at_time timestamptz
) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  budget_id uuid := credits.budget_of(request);
begin
  if request.session_id is not null then
    if not exists (select from auth.live_sessions s
                    where s.session_id = request.session_id and s.user_id = request.user_id
                      and s.expires_at > at_time) then
      return 'auth.session_ended';
    elsif request.client_id is not null and not exists (
      select from apps.applications a where a.client_id = request.client_id and a.is_active) then
      return 'auth.application_invalid';
    elsif wallet.owner_id is distinct from request.user_id
      and not credits.may_spend_for_team(wallet, hold, request.user_id) then
      return 'request.not_found';
    end if;
  elsif not exists (select from apps.live_secrets s
                     where s.secret_id = request.secret_id and s.application_id = request.application_id
                       and s.client_id = request.client_id and (s.expires_at is null or s.expires_at > at_time)) then
    return 'auth.application_invalid';
  end if;
  if budget_id is not null and request.operation not in ('spend', 'hold') and hold.mandate_id is distinct from budget_id
  then
    return 'request.not_found';
  elsif budget_id is not null and request.operation = 'hold'
    and (request.client_id is not null or wallet.kind = 'team') then
    return 'api_keys.budget_holds';
  end if;
  if request.client_id is null or request.by_key then return null; end if;
  if request.operation not in ('spend', 'hold') then
    return case when hold.app_id is distinct from request.client_id then 'request.not_found' end;
  elsif not exists (select from credits.mandates m
                     where m.wallet_id = wallet.wallet_id and m.app_id = request.client_id and m.member_id is null)
    or not exists (select from auth.users u where u.id = wallet.owner_id and u.is_active) then
    return 'mandate.required';
  end if;
  return null;
end $$;

-- Puts mandate and budget into a scene that has the mandate of an app or a member, if one counts: a budget alone is the
-- mandate.
create function credits.add_budget(scene credits.transact_scene, budget credits.mandates)
  returns credits.transact_scene
  language plpgsql immutable set search_path = pg_catalog
as $$
begin
  if (scene.request).by_key and (scene.mandate).id is null then scene.is_mandated := false; end if;
  if budget.id is null then return scene; end if;
  if scene.is_mandated then
    scene.budget := budget;
  else
    scene.mandate := budget;
    scene.is_mandated := true;
  end if;
  return scene;
end $$;

-- Sees what a request is about. The wallet is locked and up to date; mandate and budget are locked here, in this order.
create or replace function credits.see_scene(request credits.transact_request, at_time timestamptz)
  returns credits.transact_scene
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  scene credits.transact_scene;
  wallet credits.balances;
  hold credits.holds;
  mandate credits.mandates;
  budget credits.mandates;
begin
  select b.* into wallet from credits.balances b where b.wallet_id = request.wallet_id;
  scene.at_time := at_time;
  scene.instant := greatest(at_time, wallet.last_transaction_at);
  scene.wallet := wallet;
  if request.operation in ('spend', 'hold') then
    scene.is_mandated := request.client_id is not null or wallet.kind = 'team';
    if scene.is_mandated then
      mandate := credits.lock_mandate(wallet.wallet_id, request.client_id,
        case when request.client_id is null then request.user_id end);
    end if;
    select m.* into budget from credits.mandates m where m.id = credits.budget_of(request) for no key update;
    scene.request := request;
    scene.mandate := mandate;
    return credits.add_budget(scene, budget);
  end if;
  select h.* into hold from credits.holds h where h.id = request.hold_id;
  request.app_id := hold.app_id;
  -- A hold under a mandate stays under it, whoever moves it.
  scene.is_mandated := request.client_id is not null or hold.mandate_id is not null;
  if hold.mandate_id is not null then
    select m.* into mandate from credits.mandates m where m.id = hold.mandate_id for no key update;
  end if;
  scene.request := request;
  scene.hold := hold;
  scene.mandate := mandate;
  return scene;
end $$;

-- Decides a spend of `amount` in a scene: the wallet's state, then the mandate, then the budget, then the funds that
-- both let it take. Writes nothing; a quote asks the same.
create function credits.decide_spend(scene credits.transact_scene, amount bigint) returns credits.taking
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  mandate credits.mandates := scene.mandate;
  taking credits.taking;
  refusal jsonb;
begin
  if (scene.budget).id is null then
    return credits.decide_taking(scene.wallet, mandate, scene.is_mandated, amount, amount, false, scene.instant);
  end if;
  mandate.kinds := array(select unnest(mandate.kinds) intersect select unnest((scene.budget).kinds));
  taking := credits.decide_taking(scene.wallet, mandate, scene.is_mandated, amount, amount, false, scene.instant);
  if taking.refusal is null or taking.refusal->>'code' = 'credits.insufficient' then
    refusal := credits.judge_mandate(scene.budget, amount, amount, scene.instant);
    taking.refusal := coalesce(refusal, taking.refusal);
  end if;
  return taking;
end $$;

create or replace function credits.transact_spend(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  taking credits.taking := credits.decide_spend(scene, request.amount);
  made credits.transactions := credits.requested_transaction(request, scene.instant);
  result credits.transact_result;
begin
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  made.type := 'usage';
  made.mandate_id := (scene.mandate).id;
  perform credits.save_wallet(credits.book_spend(scene.wallet, made, '{}', taking.parts, 0));
  if scene.is_mandated then
    perform credits.charge_mandate(made.mandate_id, made.id, credits.charging_instant(scene.mandate, scene.instant), 0,
      request.amount);
  end if;
  if (scene.budget).id is not null then
    perform credits.charge_mandate((scene.budget).id, made.id, credits.charging_instant(scene.budget, scene.instant), 0,
      request.amount);
  end if;
  result.transaction_id := made.id;
  return result;
end $$;

-- What is asked about, without a lock but where something is due.
create or replace function credits.look_at(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.transact_scene
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := jsonb_populate_record(null::credits.transact_request, asked);
  scene credits.transact_scene;
  wallet credits.balances;
  mandate credits.mandates;
  budget credits.mandates;
  refusal_code text;
begin
  select b.* into wallet from credits.balances b where b.wallet_id = request.wallet_id;
  refusal_code := credits.judge_caller(request, wallet, null, at_time);
  if refusal_code is not null then perform obol.refuse(refusal_code); end if;
  if least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time then
    perform credits.lock_wallets(array[wallet.wallet_id], at_time, daily_amount, daily_cap);
    select b.* into wallet from credits.balances b where b.wallet_id = request.wallet_id;
  end if;
  scene.is_mandated := request.client_id is not null or wallet.kind = 'team';
  if scene.is_mandated then
    select m.* into mandate from credits.mandates m
     where m.id = credits.find_mandate(wallet.wallet_id, request.client_id,
       case when request.client_id is null then request.user_id end);
  end if;
  select m.* into budget from credits.mandates m where m.id = credits.budget_of(request);
  scene.request := request;
  scene.wallet := wallet;
  scene.mandate := mandate;
  scene.at_time := at_time;
  scene.instant := greatest(at_time, wallet.last_transaction_at);
  return credits.add_budget(scene, budget);
end $$;

-- What limits a spender in a scene, by its mandate and its budget.
create function credits.limits_in(scene credits.transact_scene) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_agg(l.value order by (l.value->>'amount')::bigint, l.ordinality)
    from jsonb_array_elements(
      credits.limits_of(scene.wallet, scene.mandate, scene.is_mandated, scene.instant)
      || case when (scene.budget).id is null then '[]'
           else credits.limits_of(scene.wallet, scene.budget, true, scene.instant) end) with ordinality l
$$;

-- What a spend would come to, decided by the function that decides spends: the refusal or the lots it would take, the
-- limits, and what the wallet and the mandate will become, from which the service tells when the spend would pass.
create or replace function credits.quote(asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  scene credits.transact_scene := credits.look_at(asked, at_time, daily_amount, daily_cap);
  mandate credits.mandates := scene.mandate;
  taking credits.taking := credits.decide_spend(scene, (scene.request).amount);
begin
  return jsonb_build_object(
    'refusal', taking.refusal,
    'lots', case when taking.refusal is null then (
      select jsonb_agg(jsonb_build_object('id', l.id, 'source', l.source, 'kind', l.kind, 'amount', p.amount,
               'expiresAt', credits.iso_time(l.expires_at)) order by p.ordinal)
        from unnest(taking.parts) p join credits.lots l on l.id = p.lot_id) else '[]' end,
    'limits', credits.limits_in(scene),
    'mandate', case when mandate.id is not null then credits.mandate_view(mandate, scene.instant) end,
    'prospect', case when taking.refusal is not null and (scene.budget).id is null
                     then credits.prospect_of(scene.wallet) end);
end $$;

-- A mandate did not let its application spend: said once for each limit, period and wording of the terms, however often
-- it tries. Called where spends are answered, since a refusal changes no row. Of the budget of a key nothing is said.
create or replace function webhooks.note_exceeded_mandate(
  mandate credits.mandates, refusal jsonb, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  started_at timestamptz := greatest(
    credits.period_start(mandate.period, at_time, mandate.period_started_at), mandate.period_started_at);
  -- The same for the same limit, period and terms; a hash as an id, not as a secret.
  own_id uuid := md5(concat_ws(' ', 'mandate.exceeded', mandate.id, refusal->>'limit', started_at at time zone 'UTC',
    mandate.updated_at at time zone 'UTC'))::uuid;
begin
  if mandate.app_id is null or refusal->>'mandateId' <> mandate.id::text then return; end if;
  perform webhooks.write_event('mandate.exceeded', at_time, jsonb_build_object(
      'userId', (select b.owner_id from credits.balances b where b.wallet_id = mandate.wallet_id),
      'limit', refusal->'limit', 'required', refusal->'required', 'remaining', refusal->'remaining',
      'mandate', credits.mandate_view(mandate, at_time)),
    webhooks.receivers('mandate.exceeded', array(select a.id from apps.applications a
      where a.client_id = mandate.app_id)), own_id);
end $$;

-- What mandates have been charged is what their transactions have set aside and spent; see verify_wallets. A budget
-- that counts besides the mandate was charged with the same.
create or replace function credits.verify_mandates(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with own as materialized (
    select m.* from credits.mandates m where m.wallet_id = any (wallets)
  ), moved as materialized (
    select t.wallet_id, t.id, t.mandate_id, e.held, e.spent
      from credits.transactions t
     cross join lateral (
       select coalesce(sum(s.amount) filter (where s.account = 'wallet:' || t.wallet_id || ':held'), 0) as held,
              coalesce(sum(s.amount) filter (where s.account like 'revenue:%'), 0) as spent
         from credits.entries s where s.transaction_id = t.id) e
     where t.wallet_id = any (wallets) and t.mandate_id is not null
  ), budgeted as materialized (
    select t.wallet_id, t.id, u.mandate_id, t.held, t.spent, sum(u.held) as charged_held, sum(u.spent) as charged_spent
      from moved t
      join credits.mandate_usage u on u.transaction_id = t.id
      join credits.mandates m on m.id = u.mandate_id and m.key_id is not null and m.id <> t.mandate_id
     group by t.wallet_id, t.id, u.mandate_id, t.held, t.spent
  ), charged as (
    select m.wallet_id, u.transaction_id, m.id as mandate_id, sum(u.held) as held, sum(u.spent) as spent
      from own m join credits.mandate_usage u on u.mandate_id = m.id
     where not exists (select from budgeted b where b.id = u.transaction_id and b.mandate_id = m.id)
     group by m.wallet_id, u.transaction_id, m.id
  )
  select coalesce(t.wallet_id, c.wallet_id), 0::bigint, 'transaction ' || coalesce(t.id, c.transaction_id),
         'its mandate was not charged with what it set aside and spent'
    from moved t full join charged c on c.transaction_id = t.id and c.mandate_id = t.mandate_id
   where (t.held, t.spent) is distinct from (c.held, c.spent)
  union all
  select b.wallet_id, 0, 'transaction ' || b.id, 'the budget of its key was not charged with what it spent'
    from budgeted b
   where (b.held, b.spent) <> (b.charged_held, b.charged_spent)
  union all
  select coalesce(m.wallet_id, wallets[1]), 0, 'mandate ' || m.id,
         'spent is not what it has been charged since its period began'
    from (select o.* from own o
          union
          select k.* from credits.mandates k
           where k.wallet_id is null and k.id in (select b.mandate_id from budgeted b)) m
   where m.spent <> coalesce((select sum(u.held + u.spent) from credits.mandate_usage u
                               where u.mandate_id = m.id and u.charged_at >= m.period_started_at), 0)
$$;

grant execute on function credits.create_budget(uuid, uuid, uuid, jsonb, timestamptz),
  credits.change_budget(uuid, jsonb, timestamptz) to obol_app;
