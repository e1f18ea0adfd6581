-- What time does to a wallet: expiry and the daily grant. Both are lazy and exact. Whoever reads or spends first
-- brings the wallet up to the moment, event by event in the order of their times, so no sweeper is needed and none
-- can be late.

-- Lets go of everything in the wallet that expires at or before at_time, except what holds have set aside: that is
-- given to its hold's end. One transaction per lot. The wallet is locked; the caller saves it.
create function credits.expire_lots(wallet credits.balances, at_time timestamptz) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  made credits.transactions;
begin
  for lot in select l.* from credits.lots l
              where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.expires_at <= at_time
                and l.remaining > l.held
              order by l.expires_at, l.id loop
    made.id := credits.new_id(lot.expires_at);
    made.type := 'expire';
    made.amount := lot.held - lot.remaining;
    made.description := 'Expired credits';
    made.created_at := lot.expires_at;
    wallet := credits.append_transaction(wallet, made,
      case when lot.kind = 'free' then made.amount else 0 end, case when lot.kind = 'paid' then made.amount else 0 end,
      jsonb_build_array(
        jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), made.amount, lot.id),
        jsonb_build_array('expired', -made.amount, null)));
    update credits.lots l
       set remaining = lot.held, closed_at = case when lot.held = 0 then at_time end
     where l.id = lot.id;
  end loop;
  select min(due.expires_at) into wallet.next_expiry_at
    from (select l.expires_at from credits.lots l
           where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.expires_at > at_time
          union all
          select h.expires_at from credits.holds h
           where h.wallet_id = wallet.wallet_id and h.status = 'open' and h.expires_at > at_time) due;
  return wallet;
end $$;

-- Gives the daily credits of the window that is due, as far as the unspent daily credits stay within the cap. When
-- nothing may be added, all windows up to at_time pass without a grant, or up to the next expiry: only the end of a
-- hold whose credits repay a debt can make room between them. The wallet is locked; the caller saves it.
create function credits.grant_daily(
  wallet credits.balances, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  unspent bigint;
begin
  select coalesce(sum(l.remaining), 0) into unspent
    from credits.lots l
   where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.source = 'daily';
  lot.amount := least(daily_amount, daily_cap - unspent);
  if lot.amount <= 0 then
    wallet.next_daily_at := wallet.next_daily_at + interval '24 hours' * case
      when wallet.next_expiry_at <= at_time
        then ceil(extract(epoch from wallet.next_expiry_at - wallet.next_daily_at) / 86400)
      else 1 + floor(extract(epoch from at_time - wallet.next_daily_at) / 86400) end;
    return wallet;
  end if;
  lot.source := 'daily';
  lot.kind := 'free';
  lot.priority := 100;
  lot.daily_window_at := wallet.next_daily_at;
  lot.created_at := wallet.next_daily_at;
  wallet.next_daily_at := wallet.next_daily_at + interval '24 hours';
  return credits.add_lot(wallet, lot, 'daily', 'Daily free credits', 'issued:bonus');
end $$;

-- Brings a locked wallet up to at_time and saves it: expiries and daily grants in the order in which they fell due. Of
-- what expires at one instant, holds go first, so that what they give back to a lot expires with it.
create function credits.refresh_wallet(
  wallet credits.balances, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  due_at timestamptz;
begin
  while least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time loop
    if wallet.next_expiry_at <= wallet.next_daily_at then
      due_at := wallet.next_expiry_at;
      wallet := credits.expire_lots(credits.expire_holds(wallet, due_at), due_at);
    else
      wallet := credits.grant_daily(wallet, at_time, daily_amount, daily_cap);
    end if;
  end loop;
  perform credits.save_wallet(wallet);
  return wallet;
end $$;

-- Locks wallets in the order of their ids, so that two callers never wait for each other in a circle, and brings each
-- up to at_time. Returns those that exist, in that order.
create function credits.lock_wallets(
  wallet_ids uuid[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallets credits.balances[];
begin
  select coalesce(array_agg(locked.wallet), '{}') into wallets
    from (select b as wallet from credits.balances b
           where b.wallet_id = any (wallet_ids) order by b.wallet_id for no key update) locked;
  for i in 1 .. cardinality(wallets) loop
    if least(wallets[i].next_daily_at, wallets[i].next_expiry_at) <= at_time then
      wallets[i] := credits.refresh_wallet(wallets[i], at_time, daily_amount, daily_cap);
    end if;
  end loop;
  return wallets;
end $$;

-- The wallet with its open lots in the order of consumption, as of one snapshot. Without settings of its own, so that
-- PostgreSQL inlines it and keeps the plan.
create function credits.wallet_with_lots(wanted_wallet uuid, wanted_owner uuid)
  returns table (wallet credits.balances, lots jsonb)
  language sql stable
as $$
  select b, coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', l.id, 'source', l.source, 'kind', l.kind,
               'remaining', l.remaining, 'expiresAt', l.expires_at)
               order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
        from credits.lots l
       where l.wallet_id = b.wallet_id and l.closed_at is null), '[]')
    from credits.balances b
   where b.wallet_id = wanted_wallet and b.owner_id = wanted_owner
$$;

-- The balance of a wallet for its owner, with the daily grant that is due and without what has expired. Checks the
-- session first. Takes no lock unless something is due. Refuses with auth.session_ended, request.not_found.
create function credits.read_balance(
  caller_user uuid, caller_session uuid, wanted_wallet uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns table (status text, free bigint, paid bigint, held bigint, debt bigint, total_earned bigint,
    total_spent bigint, next_daily_at timestamptz, lots jsonb)
  language plpgsql volatile security definer
  set search_path = pg_catalog set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  seen record;
  wallet credits.balances;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  select w.wallet, w.lots into seen from credits.wallet_with_lots(wanted_wallet, caller_user) w;
  if not found then perform obol.refuse('request.not_found'); end if;
  wallet := seen.wallet;
  if least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time then
    perform credits.lock_wallets(array[wanted_wallet], at_time, daily_amount, daily_cap);
    select w.wallet, w.lots into seen from credits.wallet_with_lots(wanted_wallet, caller_user) w;
    wallet := seen.wallet;
  end if;
  return query select wallet.status, wallet.free, wallet.paid, wallet.held, wallet.debt, wallet.total_earned,
    wallet.total_spent, wallet.next_daily_at, seen.lots;
end $$;

grant execute on function credits.read_balance(uuid, uuid, uuid, timestamptz, bigint, bigint) to obol_app;
