-- Asking without moving: what a spend would come to, and how much may be spent at all.

-- What limits a spender right now, the smallest first: the wallet's and the mandate's state (0 when not in force), the
-- funds of the kinds that may be spent, what is left of the allowance, the maximum per spend.
create function credits.limits_of(
  wallet credits.balances, mandate credits.mandates, is_mandated boolean, instant timestamptz
) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_agg(jsonb_build_object('limit', l.name, 'amount', l.amount, 'until', credits.iso_time(l.until))
           order by l.amount, l.place)
    from (
      select 1 as place, 'wallet' as name, 0 as amount, null::timestamptz as until where wallet.status <> 'active'
      union all
      select 2, 'mandate', 0, null
       where is_mandated and (mandate.id is null or mandate.status <> 'active' or mandate.expires_at <= instant)
      union all
      select 3, 'funds', coalesce(sum(l.remaining - l.held), 0)::bigint, null
        from credits.lots l
       where l.wallet_id = wallet.wallet_id and l.closed_at is null
         and (not is_mandated or l.kind = any (mandate.kinds))
      union all
      select 4, 'allowance', greatest(mandate.allowance - credits.used_of(mandate, instant), 0),
             credits.next_period_start(mandate.period, instant)
       where mandate.id is not null
      union all
      select 5, 'maxPerSpend', mandate.spend_max, null where mandate.spend_max is not null) l
$$;

-- What a wallet will become by itself: its lots, and the holds that will give back to them.
create function credits.prospect_of(wallet credits.balances) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('debt', wallet.debt, 'totalEarned', wallet.total_earned,
    'nextDailyAt', credits.iso_time(wallet.next_daily_at),
    'lots', coalesce((
      select jsonb_agg(jsonb_build_object('id', l.id, 'kind', l.kind, 'remaining', l.remaining, 'held', l.held,
               'isDaily', l.source = 'daily', 'expiresAt', credits.iso_time(l.expires_at))
               order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
        from credits.lots l where l.wallet_id = wallet.wallet_id and l.closed_at is null), '[]'),
    'holds', coalesce((
      select jsonb_agg(jsonb_build_object('mandateId', h.mandate_id, 'expiresAt', credits.iso_time(h.expires_at),
               'parts', (select coalesce(jsonb_agg(jsonb_build_object('lotId', p.lot_id, 'amount', p.amount,
                                  'chargedAt', credits.iso_time(p.charged_at)) order by p.ordinal), '[]')
                           from credits.hold_lots p where p.hold_id = h.id and p.amount > 0))
               order by h.expires_at, h.id)
        from credits.holds h where h.wallet_id = wallet.wallet_id and h.status = 'open'), '[]'))
$$;

-- A wallet and the mandate that a request is about, without locks but for what time has done to the wallet. Refuses
-- like credits.transact does before it asks the wallet.
create function credits.look_at(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.transact_scene
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := jsonb_populate_record(null::credits.transact_request, asked);
  scene credits.transact_scene;
  wallet credits.balances;
  mandate credits.mandates;
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
  scene.request := request;
  scene.wallet := wallet;
  scene.mandate := mandate;
  scene.at_time := at_time;
  scene.instant := greatest(at_time, wallet.last_transaction_at);
  return scene;
end $$;

-- What a spend would come to, decided by the function that decides spends: the refusal or the lots it would take, the
-- limits, and what the wallet and the mandate will become, from which the service tells when the spend would pass.
create function credits.quote(asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  scene credits.transact_scene := credits.look_at(asked, at_time, daily_amount, daily_cap);
  mandate credits.mandates := scene.mandate;
  amount bigint := (scene.request).amount;
  taking credits.taking := credits.decide_taking(scene.wallet, mandate, scene.is_mandated, amount, amount, false,
    scene.instant);
begin
  return jsonb_build_object(
    'refusal', taking.refusal,
    'lots', case when taking.refusal is null then (
      select jsonb_agg(jsonb_build_object('id', l.id, 'source', l.source, 'kind', l.kind, 'amount', p.amount,
               'expiresAt', credits.iso_time(l.expires_at)) order by p.ordinal)
        from unnest(taking.parts) p join credits.lots l on l.id = p.lot_id) else '[]' end,
    'limits', credits.limits_of(scene.wallet, mandate, scene.is_mandated, scene.instant),
    'mandate', case when mandate.id is not null then credits.mandate_view(mandate, scene.instant) end,
    'prospect', case when taking.refusal is not null then credits.prospect_of(scene.wallet) end);
end $$;

-- How much the holder of a mandate may spend with one spend right now: the minimum of all limits, which one that is,
-- and all of them. A person asks through a session for a mandate of their own, an application for one that it was
-- given. Refuses with auth.session_ended, auth.application_invalid, request.not_found.
create function credits.effective_balance(
  asked jsonb, wanted_mandate uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.transact_request := jsonb_populate_record(null::credits.transact_request, asked);
  mandate credits.mandates;
  wallet credits.balances;
  instant timestamptz;
begin
  if request.session_id is not null then
    perform auth.assert_session(request.user_id, request.session_id, at_time);
  else
    perform apps.assert_application(request.application_id, request.secret_id, at_time);
  end if;
  select m.* into mandate from credits.mandates m
   where m.id = wanted_mandate and m.member_id is null
     and (request.client_id is null or m.app_id = request.client_id)
     and (request.user_id is null or m.wallet_id = request.user_id);
  if not found then perform obol.refuse('request.not_found'); end if;
  select b.* into wallet from credits.balances b where b.wallet_id = mandate.wallet_id;
  if least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time then
    perform credits.lock_wallets(array[wallet.wallet_id], at_time, daily_amount, daily_cap);
    select b.* into wallet from credits.balances b where b.wallet_id = mandate.wallet_id;
    select m.* into mandate from credits.mandates m where m.id = wanted_mandate;
  end if;
  instant := greatest(at_time, wallet.last_transaction_at);
  return jsonb_build_object('mandateId', mandate.id,
    'limits', credits.limits_of(wallet, mandate, true, instant));
end $$;

-- Brings wallets up to at_time, so that what is read next is complete.
create function credits.refresh_wallets(
  wallet_ids uuid[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  due uuid[] := array(select b.wallet_id from credits.balances b
                       where b.wallet_id = any (wallet_ids)
                         and least(b.next_daily_at, b.next_expiry_at) <= at_time);
begin
  if cardinality(due) > 0 then perform credits.lock_wallets(due, at_time, daily_amount, daily_cap); end if;
end $$;

grant execute on function credits.quote(jsonb, timestamptz, bigint, bigint),
  credits.effective_balance(jsonb, uuid, timestamptz, bigint, bigint),
  credits.refresh_wallets(uuid[], timestamptz, bigint, bigint) to obol_app;
