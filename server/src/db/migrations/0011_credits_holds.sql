-- Holds: credits set aside for work whose cost is not known yet. They stay in their lots (`remaining`, and of it
-- `held`), so a hold changes no balance, only what is available, and giving back exactly is lowering `held`. A hold
-- ends once, by whichever of capture, void and expiry has the wallet's lock first. Everything here runs under that
-- lock.

-- A part of a lot; `ordinal` and `charged_at` are those of the hold that has set it aside.
create type credits.lot_part as (
  lot_id uuid, kind text, amount bigint, ordinal integer, charged_at timestamptz
);

create function credits.sum_of(parts credits.lot_part[]) returns bigint
  language sql immutable
as $$ select coalesce(pg_catalog.sum(p.amount), 0)::bigint from pg_catalog.unnest(parts) p $$;

create function credits.sum_of_kind(parts credits.lot_part[], wanted_kind text) returns bigint
  language sql immutable
as $$
  select coalesce(pg_catalog.sum(p.amount), 0)::bigint from pg_catalog.unnest(parts) p where p.kind = wanted_kind
$$;

-- What a spend or hold of `amount` takes of which lots of these kinds, in the order of consumption; less than `amount`
-- in all when there is not more. The wallet has been brought up to the moment.
create function credits.choose_lots(of_wallet uuid, kinds text[], amount bigint) returns credits.lot_part[]
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(array_agg(row(t.id, t.kind, least(t.spendable, amount - t.before), t.place, null)::credits.lot_part
           order by t.place), '{}')
    from (select l.id, l.kind, l.remaining - l.held as spendable, (row_number() over consumption)::integer as place,
                 (sum(l.remaining - l.held) over consumption)::bigint - (l.remaining - l.held) as before
            from credits.lots l
           where l.wallet_id = of_wallet and l.closed_at is null and l.remaining > l.held and l.kind = any (kinds)
          window consumption as (order by l.kind, l.priority, l.expires_at, l.created_at, l.id)) t
   where t.before < amount
$$;

-- The entries that move parts of lots between the wallet and what is held of it: -1 sets aside, 1 gives back.
create function credits.held_sides(of_wallet uuid, parts credits.lot_part[], direction integer) returns jsonb
  language sql immutable set search_path = pg_catalog
as $$
  select coalesce(jsonb_agg(side.parts order by p.place, side.ordinal), '[]')
    from unnest(parts) with ordinality as p (lot_id, kind, amount, ordinal, charged_at, place)
   cross join lateral (values
     (1, jsonb_build_array(format('wallet:%s:%s', of_wallet, p.kind), direction * p.amount, p.lot_id)),
     (2, jsonb_build_array(format('wallet:%s:held', of_wallet), -direction * p.amount, p.lot_id)))
       as side (ordinal, parts)
$$;

-- Lowers lots by what a spend takes: `from_hold` was held, `parts` was not.
create function credits.consume_lots(
  from_hold credits.lot_part[], parts credits.lot_part[], at_time timestamptz
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  update credits.lots l
     set remaining = l.remaining - s.taken, held = l.held - s.unheld,
         closed_at = case when l.remaining = s.taken then at_time end
    from (select p.lot_id, sum(p.amount)::bigint as taken, (sum(p.amount) filter (where p.was_held))::bigint as held
            from (select h.lot_id, h.amount, true as was_held from unnest(from_hold) h
                  union all select f.lot_id, f.amount, false from unnest(parts) f) p
           group by p.lot_id) g
   cross join lateral (select g.taken, coalesce(g.held, 0) as unheld) s
   where l.id = g.lot_id
$$;

-- Sets parts of lots aside for a hold, by the transaction `made` (id and what it shall say are given), and charges the
-- hold's mandate. Returns the wallet as it is then, for the caller to save.
create function credits.set_aside(
  wallet credits.balances, hold credits.holds, made credits.transactions, parts credits.lot_part[],
  charged_at timestamptz
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  amount bigint := credits.sum_of(parts);
begin
  made.type := 'hold';
  made.amount := -amount;
  made.app_id := hold.app_id;
  made.hold_id := hold.id;
  made.mandate_id := hold.mandate_id;
  wallet.held := wallet.held + amount;
  wallet := credits.append_transaction(wallet, made, 0, 0, credits.held_sides(wallet.wallet_id, parts, -1));
  update credits.lots l set held = l.held + p.amount from unnest(parts) p where l.id = p.lot_id;
  insert into credits.hold_lots (hold_id, ordinal, lot_id, wallet_id, amount, charged_at)
    select hold.id, p.ordinal + coalesce(o.last, 0), p.lot_id, wallet.wallet_id, p.amount, set_aside.charged_at
      from unnest(parts) p
     cross join (select max(h.ordinal) as last from credits.hold_lots h where h.hold_id = hold.id) o;
  if hold.mandate_id is not null then
    perform credits.charge_mandate(hold.mandate_id, made.id, charged_at, amount, 0);
  end if;
  return wallet;
end $$;

-- Takes the next `amount` of what a hold has set aside, in the order in which it was, and returns the parts.
create function credits.drain_hold(drained_hold uuid, amount bigint) returns credits.lot_part[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  parts credits.lot_part[];
begin
  select coalesce(array_agg(row(t.lot_id, l.kind, least(t.amount, drain_hold.amount - t.before), t.ordinal,
           t.charged_at)::credits.lot_part order by t.ordinal), '{}')
    into parts
    from (select h.*, (sum(h.amount) over (order by h.ordinal))::bigint - h.amount as before
            from credits.hold_lots h where h.hold_id = drained_hold and h.amount > 0) t
    join credits.lots l on l.id = t.lot_id
   where t.before < drain_hold.amount;
  update credits.hold_lots h set amount = h.amount - p.amount
    from unnest(parts) p where h.hold_id = drained_hold and h.ordinal = p.ordinal;
  return parts;
end $$;

-- Ends an open hold and gives what it still has set aside back to its lots and its mandate. What of such a lot has
-- expired by at_time expires now; what has not repays a debt. `made` says when and why. Returns the wallet as it is
-- then, for the caller to save.
create function credits.end_hold(
  wallet credits.balances, hold credits.holds, new_status text, made credits.transactions, at_time timestamptz
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  parts credits.lot_part[];
  charge record;
begin
  update credits.holds h set status = new_status, remaining = 0, closed_at = at_time where h.id = hold.id;
  if hold.remaining = 0 then return wallet; end if;
  parts := credits.drain_hold(hold.id, hold.remaining);
  made.type := 'void';
  made.amount := hold.remaining;
  made.app_id := hold.app_id;
  made.hold_id := hold.id;
  made.mandate_id := hold.mandate_id;
  wallet.held := wallet.held - hold.remaining;
  wallet := credits.append_transaction(wallet, made, 0, 0, credits.held_sides(wallet.wallet_id, parts, 1));
  update credits.lots l set held = l.held - p.amount
    from (select lot_id, sum(amount)::bigint as amount from unnest(parts) group by lot_id) p where l.id = p.lot_id;
  if hold.mandate_id is not null then
    for charge in select p.charged_at, sum(p.amount)::bigint as amount from unnest(parts) p group by 1 loop
      perform credits.charge_mandate(hold.mandate_id, made.id, charge.charged_at, -charge.amount, 0);
    end loop;
  end if;
  if exists (select from unnest(parts) p join credits.lots l on l.id = p.lot_id where l.expires_at <= at_time) then
    wallet := credits.expire_lots(wallet, at_time);
  end if;
  if wallet.debt > 0 then
    wallet := credits.repay_debt(wallet, array(select p.lot_id from unnest(parts) p), at_time);
  end if;
  return wallet;
end $$;

-- Ends the holds of a wallet that expire at or before at_time, each at its own time. The caller saves the wallet.
create function credits.expire_holds(wallet credits.balances, at_time timestamptz) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  hold credits.holds;
  made credits.transactions;
begin
  for hold in select h.* from credits.holds h
               where h.wallet_id = wallet.wallet_id and h.status = 'open' and h.expires_at <= at_time
               order by h.expires_at, h.id loop
    made.id := credits.new_id(hold.expires_at);
    made.description := 'Expired hold';
    made.created_at := hold.expires_at;
    wallet := credits.end_hold(wallet, hold, 'expired', made, hold.expires_at);
  end loop;
  return wallet;
end $$;

-- Counts a spend in the usage statistics.
create function credits.count_usage(made credits.transactions, amount bigint) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into credits.usage_stats as u (wallet_id, day, app_id, model, count, amount)
    values (made.wallet_id, (made.created_at at time zone 'UTC')::date, made.app_id,
            coalesce(left(made.metadata->>'model', 100), ''), 1, count_usage.amount)
    on conflict (wallet_id, day, app_id, model)
    do update set count = u.count + 1, amount = u.amount + excluded.amount
$$;

-- Books a spend by the transaction `made` (id, type and what it shall say are given): `from_hold` of what a hold has
-- set aside, `parts` of other lots, `debt` as a claim on whatever comes in next. Returns the wallet as it is then, for
-- the caller to save.
create function credits.book_spend(
  wallet credits.balances, made credits.transactions, from_hold credits.lot_part[], parts credits.lot_part[],
  debt bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  held_amount bigint := credits.sum_of(from_hold);
  amount bigint := held_amount + credits.sum_of(parts);
  sides jsonb;
begin
  select coalesce(jsonb_agg(jsonb_build_array(s.account, -s.amount, s.lot_id) order by s.part, s.ordinal), '[]')
    into sides
    from (select 1 as part, h.ordinal, format('wallet:%s:held', wallet.wallet_id) as account, h.amount, h.lot_id
            from unnest(from_hold) h
          union all
          select 2, p.ordinal, format('wallet:%s:%s', wallet.wallet_id, p.kind), p.amount, p.lot_id
            from unnest(parts) p) s;
  perform credits.consume_lots(from_hold, parts, made.created_at);
  made.amount := -amount;
  wallet.held := wallet.held - held_amount;
  wallet.debt := wallet.debt + debt;
  wallet.total_spent := wallet.total_spent + amount + debt;
  made.wallet_id := wallet.wallet_id;
  perform credits.count_usage(made, amount + debt);
  return credits.append_transaction(wallet, made,
    -credits.sum_of_kind(from_hold, 'free') - credits.sum_of_kind(parts, 'free'),
    -credits.sum_of_kind(from_hold, 'paid') - credits.sum_of_kind(parts, 'paid'),
    sides || credits.side('receivable:' || wallet.wallet_id, -debt)
      || credits.side('revenue:' || made.app_id, amount + debt));
end $$;

-- A hold as the API shows it.
create function credits.hold_view(hold credits.holds) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object(
    'id', hold.id, 'walletId', hold.wallet_id, 'appId', hold.app_id, 'mandateId', hold.mandate_id,
    'amount', hold.amount, 'captured', hold.captured, 'remaining', hold.remaining, 'status', hold.status,
    'description', hold.description, 'metadata', hold.metadata, 'expiresAt', credits.iso_time(hold.expires_at),
    'createdAt', credits.iso_time(hold.created_at), 'closedAt', credits.iso_time(hold.closed_at))
$$;
grant execute on function credits.hold_view(credits.holds) to obol_app;

-- Ends holds that have expired, in the wallets of the `holds_max` oldest of them, as whoever looks at these wallets
-- next would; returns how many wallets that were. Only tidies: nothing waits for it.
create function credits.end_expired_holds(
  holds_max integer, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  due uuid[] := array(
    select distinct h.wallet_id
      from (select o.wallet_id from credits.holds o
             where o.status = 'open' and o.expires_at <= at_time order by o.expires_at limit holds_max) h);
begin
  perform credits.lock_wallets(due, at_time, daily_amount, daily_cap);
  return cardinality(due);
end $$;
grant execute on function credits.end_expired_holds(integer, timestamptz, bigint, bigint) to obol_app;

-- What holds say of themselves is what their transactions have moved; see verify_wallets.
create function credits.verify_holds(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with moved as (
    select t.wallet_id, t.hold_id, -sum(t.amount) filter (where t.type = 'hold') as amount, sum(e.held) as remaining,
           coalesce(sum(e.revenue) filter (where t.type = 'capture'), 0) as captured
      from credits.transactions t
     cross join lateral (
       select coalesce(sum(s.amount) filter (where s.account = 'wallet:' || t.wallet_id || ':held'), 0) as held,
              coalesce(sum(s.amount) filter (where s.account like 'revenue:%'), 0) as revenue
         from credits.entries s where s.transaction_id = t.id) e
     where t.wallet_id = any (wallets) and t.hold_id is not null
     group by t.wallet_id, t.hold_id
  ), judged as (
    select coalesce(h.wallet_id, m.wallet_id) as wallet_id, coalesce(h.id, m.hold_id) as id, case
        when h.id is null then 'transactions name it, but it does not exist'
        when h.amount is distinct from m.amount then 'amount is not what was set aside'
        when h.captured is distinct from m.captured then 'captured is not the sum of its captures'
        when h.remaining is distinct from m.remaining then 'remaining is not the sum of its entries'
        when h.remaining <> coalesce(l.amount, 0) then 'remaining is not the sum of its lots'
        when h.status <> 'open' and h.remaining <> 0 then 'it has ended and still holds credits'
      end as problem
      from (select h.* from credits.holds h where h.wallet_id = any (wallets)) h
      full join moved m on m.hold_id = h.id and m.wallet_id = h.wallet_id
      left join lateral (select sum(l.amount) as amount from credits.hold_lots l where l.hold_id = h.id) l on true
  )
  select j.wallet_id, 0::bigint, 'hold ' || j.id, j.problem from judged j where j.problem is not null
   order by j.wallet_id, j.id
$$;
