-- Spending. One call takes a batch of spends and answers each on its own: a refused neighbour changes nothing for the
-- others, and a batch of n does what n calls would. It locks the wallets in sorted order, decides in memory, one
-- spend after the other in the order given, and then writes each table once. Nothing that two wallets share is
-- locked.

-- One spend, as the service hands it in. `transaction_id` is used if it goes through.
create type credits.spend_request as (
  wallet_id uuid, user_id uuid, session_id uuid, app_id text, amount bigint, description text, metadata jsonb,
  idempotency_key text, request_hash bytea, transaction_id uuid
);

-- The answer to one spend. `code` is null for a success; balances are those right after the decision, `sequence` and
-- `hash` those of the transaction: the head of the wallet's chain.
create type credits.spend_outcome as (
  ordinal integer, code text, is_replay boolean, transaction_id uuid, balance_before bigint,
  free bigint, paid bigint, held bigint, total_spent bigint, created_at timestamptz, sequence bigint, hash bytea
);

-- What a batch comes to, before anything is written.
create type credits.spend_plan as (
  wallets credits.balances[], lot_ids uuid[], lot_taken bigint[], transactions credits.transactions[],
  entries credits.entries[], keys credits.idempotency_keys[], outcomes credits.spend_outcome[]
);

-- The open lots of some wallets, each wallet's in the order of consumption: free before paid, then priority, earliest
-- expiry, oldest. `wallet_at` is the wallet's place in the array; `spendable` leaves out what is held. What has
-- expired is no longer there: the wallets have been brought up to the moment.
create function credits.spendable_lots(wallets credits.balances[])
  returns table (wallet_at integer, lot_id uuid, kind text, spendable bigint)
  language sql stable
as $$
  select w.ordinality::integer, l.id, l.kind, l.remaining - l.held
    from pg_catalog.unnest(wallets) with ordinality as w
    cross join lateral (
      select o.* from credits.lots o
       where o.wallet_id = w.wallet_id and o.closed_at is null and o.remaining > o.held
       offset 0) l
   order by w.ordinality, l.kind, l.priority, l.expires_at, l.created_at, l.id
$$;

-- Reads a batch: each spend with its place, its wallet's place, the answer that its idempotency key has been given
-- before, and the first spend of the batch that bears the same key. `is_same_session` says that the session is that of
-- the spend before, so that a hot wallet's is looked up once; else `signed_in` is who is signed in with it, if anybody.
create function credits.read_spends(batch credits.spend_request[], wallets credits.balances[], at_time timestamptz)
  returns table (ordinal integer, wallet_at integer, is_same_session boolean, signed_in uuid, user_id uuid, app_id text,
    amount bigint, description text, metadata jsonb, idempotency_key text, request_hash bytea, transaction_id uuid,
    first_of_key integer, remembered credits.idempotency_keys)
  language sql stable
as $$
  select b.ordinality::integer, w.ordinality::integer, b.is_same_session, s.user_id, b.user_id, b.app_id, b.amount,
         b.description, b.metadata, b.idempotency_key, b.request_hash, b.transaction_id,
         min(b.ordinality) over (partition by b.wallet_id, b.app_id, b.idempotency_key)::integer, k.remembered
    from (select r.*, coalesce(r.session_id = lag(r.session_id) over (order by r.ordinality), false) as is_same_session
            from pg_catalog.unnest(batch) with ordinality as r) b
    left join pg_catalog.unnest(wallets) with ordinality as w on w.wallet_id = b.wallet_id
    left join lateral (
      select l.user_id from auth.live_sessions l
       where not b.is_same_session and l.session_id = b.session_id and l.expires_at > at_time
       offset 0) s on true
    left join lateral (
      select i as remembered from credits.idempotency_keys i
       where i.wallet_id = b.wallet_id and i.app_id = b.app_id and i.key = b.idempotency_key
       offset 0) k on true
   order by b.ordinality
$$;

-- The answer to a spend that is refused before the ledger is asked; nothing remembers it.
create function credits.refused(request_ordinal integer, refusal_code text) returns credits.spend_outcome
  language sql immutable
as $$
  select row(request_ordinal, refusal_code, false, null, null, null, null, null, null, null, null, null
         )::credits.spend_outcome
$$;

-- The first answer to a key, given again; or idempotency.mismatch when the request is another one.
create function credits.replay(first_answer credits.idempotency_keys, request_ordinal integer, given_hash bytea)
  returns credits.spend_outcome
  language sql immutable
as $$
  select case when first_answer.request_hash = given_hash
    then row(request_ordinal, first_answer.code, true, first_answer.transaction_id, first_answer.balance_before,
           first_answer.free, first_answer.paid, first_answer.held, first_answer.total_spent, first_answer.created_at,
           null, null)::credits.spend_outcome
    else credits.refused(request_ordinal, 'idempotency.mismatch')
  end
$$;

-- What credits.sealed_text says of a spend, letter for letter, put together from texts: a third of the time. Inlined.
create function credits.usage_text(
  id uuid, wallet_id uuid, sequence bigint, amount bigint, balance_before bigint, balance_after bigint, app_id text,
  description text, metadata jsonb, idempotency_key text, created_ms bigint, sides text
) returns text
  language sql stable
as $$
  select '["' || id::text || '", "' || wallet_id::text || '", ' || sequence::text || ', "usage", "completed", '
    || (-amount)::text || ', ' || balance_before::text || ', ' || balance_after::text || ', '
    || pg_catalog.to_json(app_id)::text || ', ' || pg_catalog.to_json(description)::text || ', '
    || coalesce(metadata::text, 'null') || ', ' || coalesce(pg_catalog.to_json(idempotency_key)::text, 'null')
    || ', null, null, null, ' || created_ms::text || ', [' || sides || ']]'
$$;

-- Decides a batch without writing anything; volatile, so that it sees what was committed before the locks were had.
-- For each spend in turn, in the fixed precedence of refusals: session, replay, wallet, funds. What is refused from
-- the wallet on is remembered under the key like a success.
create function credits.decide_spends(batch credits.spend_request[], wallets credits.balances[], at_time timestamptz)
  returns credits.spend_plan
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  plan credits.spend_plan;
  request record;
  wallet credits.balances;
  signed_in uuid;          -- who is signed in with the session of this spend
  first_answer credits.idempotency_keys;
  refusal text;            -- null, or why this spend is refused; then the next three are null
  made_id uuid;
  made_sequence bigint;
  made_hash bytea;
  before bigint;
  happened_at timestamptz(3);
  lot_wallets integer[];
  lot_ids uuid[];
  lot_kinds text[];
  lot_left bigint[];
  lot_taken bigint[];
  next_lot integer[];      -- by wallet: its first lot that may have something left
  key_at integer[];        -- by first_of_key: where in the plan's keys the first answer is
  keys credits.idempotency_keys[] := '{}';
  transactions credits.transactions[] := '{}';
  entries credits.entries[] := '{}';
  outcomes credits.spend_outcome[] := '{}';
  lot_at integer;
  part bigint;
  unpaid bigint;
  account text;
  sides text;
  side_count integer;
begin
  select array_agg(l.wallet_at), array_agg(l.lot_id), array_agg(l.kind), array_agg(l.spendable),
         array_agg(0::bigint)
    into lot_wallets, lot_ids, lot_kinds, lot_left, lot_taken
    from credits.spendable_lots(wallets) l;
  for i in reverse coalesce(cardinality(lot_wallets), 0) .. 1 loop
    next_lot[lot_wallets[i]] := i;
  end loop;

  for request in select * from credits.read_spends(batch, wallets, at_time) loop
    if not request.is_same_session then signed_in := request.signed_in; end if;
    if (signed_in = request.user_id) is not true then
      outcomes := outcomes || credits.refused(request.ordinal, 'auth.session_ended');
      continue;
    end if;
    wallet := wallets[request.wallet_at];
    if wallet.owner_id is distinct from request.user_id then
      outcomes := outcomes || credits.refused(request.ordinal, 'request.not_found');
      continue;
    end if;
    first_answer := coalesce(request.remembered, keys[key_at[request.first_of_key]]);
    if first_answer.key is not null then
      outcomes := outcomes || credits.replay(first_answer, request.ordinal, request.request_hash);
      continue;
    end if;

    before := wallet.free + wallet.paid;
    happened_at := greatest(at_time, wallet.last_transaction_at);
    refusal := null;
    made_id := null;
    made_sequence := null;
    made_hash := null;
    if wallet.status <> 'active' then
      refusal := 'credits.wallet_inactive';
    elsif before - wallet.held < request.amount then
      refusal := 'credits.insufficient';
    else
      made_id := request.transaction_id;
      made_sequence := wallet.sequence + 1;
      unpaid := request.amount;
      sides := '';
      side_count := 1;
      lot_at := next_lot[request.wallet_at];
      loop
        if lot_wallets[lot_at] is distinct from request.wallet_at then
          raise exception 'the lots of wallet % do not cover its balance', wallet.wallet_id;
        end if;
        part := least(unpaid, lot_left[lot_at]);
        if part > 0 then
          account := 'wallet:' || wallet.wallet_id || ':' || lot_kinds[lot_at];
          sides := sides || '["' || account || '", ' || -part || ', "' || lot_ids[lot_at] || '"], ';
          entries := entries || row(made_id, side_count, wallet.wallet_id, account, -part, lot_ids[lot_at]
            )::credits.entries;
          side_count := side_count + 1;
          lot_left[lot_at] := lot_left[lot_at] - part;
          lot_taken[lot_at] := lot_taken[lot_at] + part;
          if lot_kinds[lot_at] = 'free' then wallet.free := wallet.free - part;
          else wallet.paid := wallet.paid - part;
          end if;
          unpaid := unpaid - part;
        end if;
        exit when unpaid = 0;
        lot_at := lot_at + 1;
      end loop;
      next_lot[request.wallet_at] := lot_at;
      account := 'revenue:' || request.app_id;
      sides := sides || '[' || to_json(account) || ', ' || request.amount || ', null]';
      entries := entries || row(made_id, side_count, wallet.wallet_id, account, request.amount, null)::credits.entries;

      made_hash := sha256(wallet.chain_head || convert_to(credits.usage_text(made_id, wallet.wallet_id, made_sequence,
        request.amount, before, wallet.free + wallet.paid, request.app_id, request.description, request.metadata,
        request.idempotency_key, (extract(epoch from happened_at) * 1000)::bigint, sides), 'UTF8'));
      transactions := transactions || row(made_id, wallet.wallet_id, made_sequence, 'usage', 'completed',
        -request.amount, before, wallet.free + wallet.paid, request.app_id, request.description, request.metadata,
        request.idempotency_key, null, null, null, happened_at, wallet.chain_head, made_hash)::credits.transactions;
      wallet.sequence := made_sequence;
      wallet.chain_head := made_hash;
      wallet.total_spent := wallet.total_spent + request.amount;
      wallet.last_transaction_at := happened_at;
      wallets[request.wallet_at] := wallet;
    end if;
    outcomes := outcomes || row(request.ordinal, refusal, false, made_id, before, wallet.free, wallet.paid, wallet.held,
      wallet.total_spent, happened_at, made_sequence, made_hash)::credits.spend_outcome;
    if request.idempotency_key is not null then
      keys := keys || row(wallet.wallet_id, request.app_id, request.idempotency_key, request.request_hash, refusal,
        made_id, before, wallet.free, wallet.paid, wallet.held, wallet.total_spent, happened_at, null
        )::credits.idempotency_keys;
      key_at[request.first_of_key] := cardinality(keys);
    end if;
  end loop;
  plan.wallets := wallets;
  plan.lot_ids := lot_ids;
  plan.lot_taken := lot_taken;
  plan.transactions := transactions;
  plan.entries := entries;
  plan.keys := keys;
  plan.outcomes := outcomes;
  return plan;
end $$;

-- Writes what a batch comes to: each table once.
create function credits.write_spends(plan credits.spend_plan, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into credits.transactions select t.* from unnest(plan.transactions) t;
  insert into credits.entries select e.* from unnest(plan.entries) e;
  insert into credits.idempotency_keys select k.* from unnest(plan.keys) k;
  update credits.lots l
     set remaining = l.remaining - s.taken, closed_at = case when l.remaining = s.taken then at_time end
    from unnest(plan.lot_ids, plan.lot_taken) as s (id, taken)
   where l.id = s.id and s.taken > 0;
  insert into credits.usage_stats as u (wallet_id, day, app_id, model, count, amount)
    select t.wallet_id, (t.created_at at time zone 'UTC')::date, t.app_id,
           coalesce(left(t.metadata->>'model', 100), ''), count(*), -sum(t.amount)
      from unnest(plan.transactions) t
     group by 1, 2, 3, 4
    on conflict (wallet_id, day, app_id, model)
    do update set count = u.count + excluded.count, amount = u.amount + excluded.amount;
  update credits.balances b
     set (free, paid, total_spent, sequence, chain_head, last_transaction_at)
       = (w.free, w.paid, w.total_spent, w.sequence, w.chain_head, w.last_transaction_at)
    from unnest(plan.wallets) w
   where b.wallet_id = w.wallet_id and b.sequence < w.sequence;
end $$;

-- Spends from wallets: `requests` is an array of objects with the fields of spend_request. One outcome each. A merge
-- join would read an index from end to end, so that the cost would grow with the number of wallets.
create function credits.spend(requests json, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns setof credits.spend_outcome
  language plpgsql volatile security definer
  set search_path = pg_catalog set enable_seqscan = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  batch credits.spend_request[] := array(
    select r from json_populate_recordset(null::credits.spend_request, requests) r);
  wallets credits.balances[];
  plan credits.spend_plan;
begin
  wallets := credits.lock_wallets(
    array(select distinct b.wallet_id from unnest(batch) b), at_time, daily_amount, daily_cap);
  plan := credits.decide_spends(batch, wallets, at_time);
  if cardinality(plan.transactions) > 0 or cardinality(plan.keys) > 0 then
    perform credits.write_spends(plan, at_time);
  end if;
  -- A replay's transaction may be of this batch or of long ago; only replays look it up.
  return query
    select o.ordinal, o.code, o.is_replay, o.transaction_id, o.balance_before, o.free, o.paid, o.held, o.total_spent,
           o.created_at, coalesce(o.sequence, t.sequence), coalesce(o.hash, t.hash)
      from unnest(plan.outcomes) o
      left join lateral (select * from credits.transactions t where o.is_replay and t.id = o.transaction_id) t on true;
end $$;

grant execute on function credits.spend(json, timestamptz, bigint, bigint) to obol_app;
