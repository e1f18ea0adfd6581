-- The ledger, mended: what comes back repays what is owed though it has expired, what comes back under a clock that is
-- behind still expires, a balance shows a hundred lots, who has left a team gets the first answer again, and the end of
-- a subscription leaves the past as it was.

-- What comes back repays ----------------------------------------------------------------------------------------------

-- The transaction by which these parts of lots repay what the wallet owes. Changes no lot.
create function credits.append_repayment(
  wallet credits.balances, parts credits.lot_part[], at_time timestamptz
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  made credits.transactions;
  free_change bigint;
  sides jsonb;
begin
  made.id := credits.new_id(at_time);
  made.type := 'repayment';
  made.description := 'Repayment of debt';
  made.created_at := at_time;
  select -sum(p.amount), coalesce(-sum(p.amount) filter (where p.kind = 'free'), 0),
         jsonb_agg(jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, p.kind), -p.amount, p.lot_id)
           order by p.place)
    into made.amount, free_change, sides
    from unnest(parts) with ordinality as p (lot_id, kind, amount, ordinal, charged_at, place);
  wallet.debt := wallet.debt + made.amount;
  return credits.append_transaction(wallet, made, free_change, made.amount - free_change,
    sides || jsonb_build_array(jsonb_build_array('receivable:' || wallet.wallet_id, -made.amount, null)));
end $$;

-- Repays what the wallet owes with what these lots have that is not held, in the order given: also with what has come
-- back to a lot that has expired, which is asked before the rest of it goes. Returns the wallet as it is then, for the
-- caller to save.
create or replace function credits.repay_debt(wallet credits.balances, lot_ids uuid[], at_time timestamptz)
  returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  part bigint;
  owed bigint := wallet.debt;
  parts credits.lot_part[] := '{}';
begin
  for lot in select l.* from credits.lots l
              where l.id = any (lot_ids) and l.wallet_id = wallet.wallet_id and l.remaining > l.held
              order by array_position(lot_ids, l.id) loop
    part := least(owed, lot.remaining - lot.held);
    exit when part = 0;
    owed := owed - part;
    parts := parts || row(lot.id, lot.kind, part, 0, null)::credits.lot_part;
    update credits.lots l
       set remaining = l.remaining - part, closed_at = case when l.remaining = part then at_time end
     where l.id = lot.id;
  end loop;
  if cardinality(parts) = 0 then return wallet; end if;
  return credits.append_repayment(wallet, parts, at_time);
end $$;

-- Writes a refund that has been decided. Refuses with credits.too_many, and then changes nothing, when a new lot for
-- what had been charged as debt could not be counted exactly.
create or replace function credits.write_refund(
  wallet credits.balances, charged credits.transactions, request credits.movement_request, scope text,
  given_back bigint, at_time timestamptz
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  returned credits.returned_lots := credits.return_to_lots(wallet, charged.id, given_back, request.amount);
  made credits.transactions;
  lot credits.lots;
begin
  made.id := credits.new_id(at_time);
  made.type := 'refund';
  made.app_id := charged.app_id;
  made.description := request.description;
  made.idempotency_key := request.idempotency_key;
  made.hold_id := charged.hold_id;
  made.mandate_id := charged.mandate_id;
  made.reverses_id := charged.id;
  made.created_at := at_time;
  if returned.new_lot > 0 then
    lot := credits.insert_refund_lot(wallet.wallet_id, returned.new_lot, made.id, at_time);
    returned.free_change := returned.free_change + lot.amount;
    returned.lot_ids := returned.lot_ids || lot.id;
    returned.sides := returned.sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:free', wallet.wallet_id), lot.amount, lot.id));
    wallet.total_earned := wallet.total_earned + lot.amount;
  end if;
  made.amount := returned.free_change + returned.paid_change;
  wallet.debt := wallet.debt + returned.debt_change;
  if not credits.can_owe(wallet, 0) and returned.new_lot > 0 then perform obol.refuse('credits.too_many'); end if;
  wallet.total_spent := wallet.total_spent - request.amount;
  wallet.next_expiry_at := least(wallet.next_expiry_at, returned.first_expiry_at);
  wallet := credits.append_transaction(wallet, made, returned.free_change, returned.paid_change,
    returned.sides || credits.side('receivable:' || wallet.wallet_id, -returned.debt_change)
      || credits.side('revenue:' || charged.app_id, -request.amount));
  insert into credits.usage_stats as u (wallet_id, day, app_id, model, count, amount)
    values (wallet.wallet_id, (charged.created_at at time zone 'UTC')::date, charged.app_id,
      coalesce(left(charged.metadata->>'model', 100), ''), 0, -request.amount)
    on conflict (wallet_id, day, app_id, model) do update set amount = u.amount + excluded.amount;
  perform credits.give_back_allowance(charged.id, made.id, request.amount);
  -- What is owed comes first, what was consumed last before the rest: it is rather of the lot that was clawed back. A
  -- lot that has expired meanwhile repays as well, or the debt would depend on which came first, refund or clawback.
  -- What is left of it goes where the rest of it went.
  if wallet.debt > 0 then wallet := credits.repay_debt(wallet, returned.lot_ids, at_time); end if;
  if wallet.next_expiry_at <= at_time then wallet := credits.expire_lots(wallet, at_time); end if;
  if scope = '' then
    perform audit.append('credits.refunded', case when request.user_id is null then 'system' else 'user' end,
      request.user_id::text, 'transaction', charged.id::text, request.description, request.ip_address,
      jsonb_build_object('transactionId', made.id, 'amount', request.amount), at_time);
  end if;
  return credits.conclude_movement(wallet, scope, request, made.id, null);
end $$;

-- Ends open holds of one wallet in the order given, and gives what they still have set aside back to their lots and
-- mandates: one transaction each, and then every row that they touch is written once, however many there are. In a
-- wallet that owes, what comes back repays first; what is left of it in a lot that has expired by then expires, too.
-- What has not expired yet counts for when the wallet is next due: another process, whose clock is ahead, may have
-- passed its lot already. `ended_at` and `at_time` say when, or else each ends at its own expiry. Returns the wallet as
-- it is then, for the caller to save.
create or replace function credits.end_holds(
  wallet credits.balances, ended credits.holds[], new_status text, reason text, ended_at timestamptz,
  at_time timestamptz
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  given record;
  hold credits.holds;
  made credits.transactions;
  moment timestamptz;
  lots credits.lots[] := array(
    select l from credits.lots l
     where l.id in (select a.lot_id from credits.hold_lots a
                      join unnest(ended) h on h.id = a.hold_id where a.amount > 0)
     order by l.id);
  lot_left bigint[] := array(select l.remaining from unnest(lots) with ordinality l order by l.ordinality);
  lot_held bigint[] := array(select l.held from unnest(lots) with ordinality l order by l.ordinality);
  lot_ends timestamptz[] := array(select l.expires_at from unnest(lots) with ordinality l order by l.ordinality);
  lot_closed timestamptz[] := array_fill(null::timestamptz, array[cardinality(lots)]);
  place integer;
  part credits.lot_part;
  hold_ids uuid[] := '{}';
  void_ids uuid[] := '{}';
  repaying credits.lot_part[];
begin
  for given in select * from credits.parts_of_holds(ended) loop
    hold := given.hold;
    moment := coalesce(at_time, hold.expires_at);
    made := null;
    made.id := credits.new_id(moment);
    made.type := 'void';
    made.amount := hold.remaining;
    made.description := reason;
    made.app_id := hold.app_id;
    made.hold_id := hold.id;
    made.mandate_id := hold.mandate_id;
    made.created_at := coalesce(ended_at, hold.expires_at);
    wallet.held := wallet.held - hold.remaining;
    wallet := credits.append_transaction(wallet, made, 0, 0, credits.held_sides(wallet.wallet_id, given.parts, 1));
    hold_ids := hold_ids || hold.id;
    void_ids := void_ids || made.id;
    for i in 1 .. cardinality(given.parts) loop
      place := given.lot_places[i];
      lot_held[place] := lot_held[place] - (given.parts[i]).amount;
    end loop;
    if wallet.debt > 0 then
      repaying := '{}';
      for i in 1 .. cardinality(given.parts) loop
        place := given.lot_places[i];
        part := given.parts[i];
        part.amount := least(wallet.debt - credits.sum_of(repaying), lot_left[place] - lot_held[place]);
        continue when part.amount = 0;
        repaying := repaying || part;
        lot_left[place] := lot_left[place] - part.amount;
        if lot_left[place] = 0 then lot_closed[place] := moment; end if;
      end loop;
      if cardinality(repaying) > 0 then wallet := credits.append_repayment(wallet, repaying, moment); end if;
    end if;
    for place in select p.lot from unnest(given.lot_places) p (lot)
                  where lot_ends[p.lot] <= moment and lot_left[p.lot] > lot_held[p.lot]
                  group by p.lot order by lot_ends[p.lot], p.lot loop
      wallet := credits.append_expiry(wallet, lots[place], lot_left[place] - lot_held[place]);
      lot_left[place] := lot_held[place];
      if lot_left[place] = 0 then lot_closed[place] := moment; end if;
    end loop;
  end loop;
  if cardinality(hold_ids) > 0 then perform credits.uncharge_holds(wallet.wallet_id, hold_ids, void_ids); end if;
  update credits.hold_lots a set amount = 0 where a.hold_id = any (hold_ids) and a.amount > 0;
  update credits.holds h set status = new_status, remaining = 0, closed_at = coalesce(at_time, h.expires_at)
   where h.id in (select e.id from unnest(ended) e);
  update credits.lots l set remaining = s.remaining, held = s.held, closed_at = s.closed_at
    from unnest(array(select o.id from unnest(lots) with ordinality o order by o.ordinality), lot_left, lot_held,
           lot_closed) as s (id, remaining, held, closed_at)
   where l.id = s.id;
  wallet.next_expiry_at := least(wallet.next_expiry_at, (
    select min(l.ends_at) from unnest(lot_ends, lot_left, lot_held) as l (ends_at, remaining, held)
     where l.remaining > l.held));
  return wallet;
end $$;

-- Lots that were passed so before: their wallets are due at once.
update credits.balances b set next_expiry_at = due.ends_at
  from (select l.wallet_id, min(l.expires_at) as ends_at
          from credits.lots l
         where l.closed_at is null and l.remaining > l.held
         group by l.wallet_id) due
 where b.wallet_id = due.wallet_id and (due.ends_at < b.next_expiry_at or b.next_expiry_at is null)
   and due.ends_at is not null;

-- Balances ------------------------------------------------------------------------------------------------------------

-- The own wallet of each of these callers with its first hundred open lots, as a JSON array of objects; or with a
-- `code` why not:
--   auth.session_ended   the caller may not ask any more
--   request.not_found    there is no such wallet
-- `isDue` says that time has done something to the wallet which is not in the journal yet: credits.read_balance
-- brings such a wallet up to the moment, under its lock. Amounts are whole numbers of any size. The JSON is put
-- together from texts, which takes two thirds of the time of building it from values; every text in it is one of a
-- fixed list.
create or replace function credits.read_balances(caller_users uuid[], caller_sessions uuid[], at_time timestamptz)
  returns text
  language plpgsql stable security definer
  set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  return (
    select '[' || string_agg(case
             when s.lives is null then '{"code":"auth.session_ended"}'
             when b.wallet_id is null then '{"code":"request.not_found"}'
             when least(b.next_daily_at, b.next_expiry_at) <= at_time then '{"isDue":true}'
             else '{"status":"' || b.status || '","free":' || b.free || ',"paid":' || b.paid || ',"held":' || b.held
               || ',"debt":' || b.debt || ',"totalEarned":' || b.total_earned || ',"totalSpent":' || b.total_spent
               || ',"nextDailyAt":' || to_json(b.next_daily_at) || ',"lots":[' || coalesce((
                 select string_agg('{"id":"' || l.id || '","source":"' || l.source || '","kind":"' || l.kind
                          || '","remaining":' || l.remaining || ',"expiresAt":'
                          || coalesce(to_json(l.expires_at)::text, 'null') || '}',
                          ',' order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
                   from (select o.* from credits.lots o
                          where o.wallet_id = b.wallet_id and o.closed_at is null
                          order by o.kind, o.priority, o.expires_at, o.created_at, o.id limit 100) l), '') || ']}'
             end, ',' order by asked.place) || ']'
      from unnest(caller_users, caller_sessions) with ordinality as asked (user_id, session_id, place)
      left join lateral (
        select true as lives from auth.live_sessions l
         where l.session_id = asked.session_id and l.user_id = asked.user_id and l.expires_at > at_time
         limit 1) s on true
      left join credits.balances b on b.wallet_id = asked.user_id and b.owner_id = asked.user_id);
end $$;

-- Transfers -----------------------------------------------------------------------------------------------------------

-- Moves credits (amount, description) from the caller's own wallet into a team's (wallet_id), in the order of
-- consumption, as far as they may be moved; they keep source, kind, priority, expiry and age. One transaction in each
-- journal, each naming the other; what both book on `transfers` sums to zero. Both wallets are locked in the order of
-- their ids. Refuses with auth.session_ended, request.not_found; returns idempotency.mismatch, credits.wallet_inactive,
-- credits.in_debt, credits.insufficient, credits.too_many.
create or replace function credits.transfer_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  wallets credits.balances[];
  source credits.balances;
  target credits.balances;
  outcome credits.movement_outcome;
  refusal text;
  available bigint;
begin
  perform auth.assert_session(request.user_id, request.session_id, at_time);
  if credits.team_role(request.wallet_id, request.user_id) is null then
    -- Who has left the team since hears what came of the call that they made before.
    outcome := credits.replay_movement(
      (credits.lock_wallet(request.user_id, at_time, daily_amount, daily_cap)).wallet_id, 'obol', request);
    if outcome.is_replay is null then perform obol.refuse('request.not_found'); end if;
    return outcome;
  end if;
  wallets := credits.lock_wallets(array[request.user_id, request.wallet_id], at_time, daily_amount, daily_cap);
  source := wallets[case when wallets[1].wallet_id = request.user_id then 1 else 2 end];
  target := wallets[case when wallets[1].wallet_id = request.user_id then 2 else 1 end];
  outcome := credits.replay_movement(source.wallet_id, 'obol', request);
  if outcome.is_replay is not null then return outcome; end if;
  select coalesce(sum(l.remaining - l.held), 0) into available
    from credits.lots l
   where l.wallet_id = source.wallet_id and l.closed_at is null
     and l.source <> all (credits.bound_sources(request.moves_bonus));
  refusal := case
    when source.status <> 'active' or target.status <> 'active' then 'credits.wallet_inactive'
    when source.debt > 0 then 'credits.in_debt'
    when available < request.amount then 'credits.insufficient'
    when not credits.has_room(target, request.amount) then 'credits.too_many'
  end;
  if refusal is not null then
    return credits.conclude_movement(source, 'obol', request, null, refusal,
      case when refusal = 'credits.insufficient'
        then jsonb_build_object('required', request.amount, 'available', available) end);
  end if;
  return credits.write_transfer(source, target, request, at_time);
end $$;

-- Subscriptions -------------------------------------------------------------------------------------------------------

-- Lets go of credits of a subscription that are not carried over: those that waited for the period behind theirs to be
-- paid for, since it is; and at its end all, but for what was paid for beyond that. They go now, however late this is
-- told: what the wallet held until now has been answered, and stands in statements. Lots that are empty count as well,
-- so that what a refund returns to them goes with the rest. The wallet is locked here.
create or replace function payments.let_go(
  of_subscription uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  wallet credits.balances;
  first_expiry_at timestamptz;
begin
  select s.* into subscription from payments.subscriptions s where s.id = of_subscription;
  wallet := (credits.lock_wallets(array[subscription.user_id], at_time, daily_amount, daily_cap))[1];
  with brought as (
    select l.id, l.expires_at,
           case when l.created_at >= p.ends_at then l.created_at + (p.ends_at - p.starts_at) else p.ends_at end
             as paid_ends_at,
           (select min(n.starts_at) from payments.periods n
             where n.subscription_id = p.subscription_id and n.purpose = 'period' and n.starts_at < l.expires_at
               and n.starts_at >= l.expires_at - payments.renewal_leeway() - interval '12 hours') as next_at
      from payments.periods p
      join payments.postings o on o.purchase_id = p.purchase_id and o.amount > 0
      join credits.entries e on e.transaction_id = o.transaction_id and e.amount > 0
      join credits.lots l on l.id = e.lot_id and l.wallet_id = wallet.wallet_id and l.transaction_id = o.transaction_id
     where p.subscription_id = of_subscription
  ), shortened as (
    update credits.lots l set expires_at = b.until
      from (select b.id, b.expires_at, greatest(b.paid_ends_at, at_time,
                     case when subscription.status = 'ended' then least(subscription.ended_at, b.next_at)
                       else b.next_at end) as until
              from brought b where subscription.status = 'ended' or b.next_at is not null) b
     where l.id = b.id and (b.expires_at is null or b.until < b.expires_at)
    returning l.expires_at
  )
  select min(h.expires_at) into first_expiry_at from shortened h;
  if first_expiry_at is null then return; end if;
  wallet.next_expiry_at := least(wallet.next_expiry_at, first_expiry_at);
  perform credits.refresh_wallet(wallet, at_time, daily_amount, daily_cap);
end $$;
