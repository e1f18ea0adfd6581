-- Payments in floods: a batch of deliveries is applied by statements over all of it, each table written once. Which
-- facts count, what they are worth and in which order wallets are booked is as before.
--
-- Plans are kept, and one made while a table was nearly empty is used until the table is analyzed: a minute of a flood.
-- So functions that look rows up for a batch leave no choice: they scan no table and join by loops alone, and where two
-- indexes would do on a table without rows, a subquery with `offset 0` lets only the right one fit.

create index checkouts_of_payment_idx on payments.checkouts (payment_id) where payment_id is not null;
drop index payments.checkouts_payment_idx;
create index refunds_of_payment_idx on payments.refunds (payment_id);
drop index payments.refunds_payment_idx;
create index disputes_of_payment_idx on payments.disputes (payment_id);
drop index payments.disputes_payment_idx;
create index events_awaiting_idx on payments.events (waits_for) where waits_for is not null;
drop index payments.events_waits_idx;

-- The ledger ----------------------------------------------------------------------------------------------------------

-- A version 7 UUID of the given time, so that indexes grow at one end. Without settings of its own, so that PostgreSQL
-- inlines it.
create or replace function credits.new_id(at_time timestamptz) returns uuid
  language sql volatile
as $$
  select pg_catalog.encode(pg_catalog.set_bit(pg_catalog.set_bit(
    overlay(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
      placing substring(pg_catalog.int8send((extract(epoch from at_time) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- What the next transaction of a wallet is, when it changes the balance by so much: sequence, balances, time and hash.
-- `made` brings the rest.
create function credits.next_transaction(
  wallet credits.balances, made credits.transactions, change bigint, sides jsonb
) returns credits.transactions
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  made.wallet_id := wallet.wallet_id;
  made.sequence := wallet.sequence + 1;
  made.status := 'completed';
  made.balance_before := wallet.free + wallet.paid;
  made.balance_after := wallet.free + wallet.paid + change;
  -- Time never goes back within a wallet, even when the clocks of two services differ by a little.
  made.created_at := greatest(made.created_at, wallet.last_transaction_at);
  made.previous_hash := wallet.chain_head;
  made.hash := credits.transaction_hash(made, sides);
  return made;
end $$;

-- Appends a transaction that changes the wallet by free_change and paid_change, and returns the wallet as it is then;
-- the caller saves it. Gives sequence, balances and hash; `made` brings the rest. The wallet is locked.
create or replace function credits.append_transaction(
  wallet credits.balances, made credits.transactions, free_change bigint, paid_change bigint, sides jsonb
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  made := credits.next_transaction(wallet, made, free_change + paid_change, sides);
  insert into credits.transactions select made.*;
  insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount, lot_id)
    select made.id, side.ordinal, made.wallet_id, side.parts->>0, (side.parts->>1)::bigint, (side.parts->>2)::uuid
      from jsonb_array_elements(sides) with ordinality as side (parts, ordinal);
  wallet.free := wallet.free + free_change;
  wallet.paid := wallet.paid + paid_change;
  wallet.sequence := made.sequence;
  wallet.chain_head := made.hash;
  wallet.last_transaction_at := made.created_at;
  return wallet;
end $$;

-- Brings lots in, one into each wallet: `lots`, `made` and `from_accounts` as bring_in takes them, each in the order of
-- the wallets. Returns the wallets as they are then, for the caller to save. They are locked.
create function credits.bring_in_together(
  wallets credits.balances[], lots credits.lots[], made credits.transactions[], from_accounts text[]
) returns credits.balances[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallet credits.balances;
  lot credits.lots;
  one credits.transactions;
  account text;
  entries credits.entries[] := '{}';
begin
  for i in 1 .. cardinality(wallets) loop
    wallet := wallets[i];
    lot := lots[i];
    one := made[i];
    one.amount := lot.amount;
    one.created_at := lot.created_at;
    lot.id := credits.new_id(lot.created_at);
    lot.wallet_id := wallet.wallet_id;
    lot.remaining := lot.amount;
    lot.held := 0;
    lot.transaction_id := one.id;
    account := 'wallet:' || wallet.wallet_id || ':' || lot.kind;
    one := credits.next_transaction(wallet, one, lot.amount, jsonb_build_array(
      jsonb_build_array(account, lot.amount, lot.id), jsonb_build_array(from_accounts[i], -lot.amount, null)));
    entries := entries || row(one.id, 1, wallet.wallet_id, account, lot.amount, lot.id)::credits.entries
      || row(one.id, 2, wallet.wallet_id, from_accounts[i], -lot.amount, null)::credits.entries;
    if lot.kind = 'free' then wallet.free := wallet.free + lot.amount;
    else wallet.paid := wallet.paid + lot.amount;
    end if;
    wallet.total_earned := wallet.total_earned + lot.amount;
    wallet.next_expiry_at := least(wallet.next_expiry_at, lot.expires_at);
    wallet.sequence := one.sequence;
    wallet.chain_head := one.hash;
    wallet.last_transaction_at := one.created_at;
    wallets[i] := wallet;
    lots[i] := lot;
    made[i] := one;
  end loop;
  insert into credits.lots select l.* from unnest(lots) l;
  insert into credits.transactions select t.* from unnest(made) t;
  insert into credits.entries select e.* from unnest(entries) e;
  for i in 1 .. cardinality(wallets) loop
    if wallets[i].debt > 0 then
      wallets[i] := credits.repay_debt(wallets[i], array[lots[i].id], lots[i].created_at);
    end if;
  end loop;
  return wallets;
end $$;

-- Brings a lot in (source, kind, amount, priority, expires_at, daily_window_at, created_at are given) by the
-- transaction `made` (id, type and description are given, and what else it shall say) from `from_account`. What comes
-- in repays the wallet's debt first. Returns the wallet as it is then, for the caller to save.
create or replace function credits.bring_in(
  wallet credits.balances, lot credits.lots, made credits.transactions, from_account text
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallets credits.balances[] := credits.bring_in_together(array[wallet], array[lot], array[made], array[from_account]);
begin
  return wallets[1];
end $$;

-- Writes wallets back after steps that only computed them.
create function credits.save_wallets(wallets credits.balances[]) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
begin
  update credits.balances b
     set (free, paid, held, debt, total_earned, total_spent, next_daily_at, next_expiry_at, sequence, chain_head,
          last_transaction_at)
       = (w.free, w.paid, w.held, w.debt, w.total_earned, w.total_spent, w.next_daily_at, w.next_expiry_at, w.sequence,
          w.chain_head, w.last_transaction_at)
    from unnest(wallets) w where b.wallet_id = w.wallet_id;
end $$;

-- What comes in is told to applications, once per statement: most services have nobody to tell.
drop trigger lots_note_grant on credits.lots;
drop function webhooks.note_grant();
create function webhooks.note_grants() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if not exists (select from webhooks.endpoints e where e.is_enabled) then return null; end if;
  perform webhooks.emit_event('credits.granted', n.created_at, jsonb_build_object('userId', b.owner_id,
      'walletId', n.wallet_id, 'lotId', n.id, 'transactionId', n.transaction_id, 'amount', n.amount,
      'source', n.source, 'kind', n.kind, 'expiresAt', credits.iso_time(n.expires_at)), b.owner_id, n.wallet_id)
     from new_lots n join credits.balances b on b.wallet_id = n.wallet_id;
  return null;
end $$;
create trigger lots_note_grants after insert on credits.lots
  referencing new table as new_lots for each statement execute function webhooks.note_grants();

-- Facts ---------------------------------------------------------------------------------------------------------------

-- A fact of a batch: what it is about (`key`), and its turn among the facts of the batch about the same.
create type payments.told_fact as (
  provider text, is_live boolean, is_own boolean, kind text, key text, turn bigint, fact jsonb
);

-- The facts of what was told, in the order in which they take locks.
create function payments.facts_in(told jsonb) returns payments.told_fact[]
  language plpgsql immutable set search_path = pg_catalog
as $$
begin
  return array(
    select row(k.provider, k.is_live, k.is_own, k.kind, k.key,
             row_number() over (partition by k.kind, k.provider, k.key), k.fact)::payments.told_fact
      from (
        select t.value->>'provider' as provider, coalesce((t.value->>'isLive')::boolean, false) as is_live,
               coalesce((t.value->>'isOwn')::boolean, false) as is_own, f.value->>'kind' as kind, f.value as fact,
               coalesce(f.value->>'providerSubscriptionId', f.value->>'checkoutId', f.value->>'refundId',
                 f.value->>'disputeId', f.value->>'warningId') collate "C" as key
          from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f) k
     order by array_position(array['subscription', 'invoice', 'checkout', 'refund', 'dispute', 'fraud_warning'],
                k.kind), k.provider, k.key);
end $$;

-- Keeps what the facts of one turn say about checkouts. Those of checkouts that we have just opened ourselves
-- (`is_own`) say for whom they are, whatever else is claimed.
create function payments.keep_checkouts(told payments.told_fact[], of_turn bigint, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into payments.checkouts as c (provider, checkout_id, opened_for, claimed_by, payment_id, status, amount_cents,
      total_cents, currency, customer_id, is_live, updated_at)
    select f.provider, f.fact->>'checkoutId', case when f.is_own then payments.to_uuid(f.fact->>'purchaseId') end,
           case when not f.is_own then payments.to_uuid(f.fact->>'purchaseId') end, f.fact->>'paymentId',
           f.fact->>'status', (f.fact->>'amountCents')::bigint,
           coalesce(f.fact->>'totalCents', f.fact->>'amountCents')::bigint, f.fact->>'currency',
           f.fact->>'customerId', f.is_live, at_time
      from unnest(told) f where f.kind = 'checkout' and f.turn = of_turn
    on conflict (provider, checkout_id) do update
      set opened_for = coalesce(c.opened_for, excluded.opened_for),
          claimed_by = coalesce(c.claimed_by, excluded.claimed_by),
          payment_id = case when payments.rank_of(excluded.status) < payments.rank_of(c.status)
            then coalesce(c.payment_id, excluded.payment_id) else coalesce(excluded.payment_id, c.payment_id) end,
          customer_id = coalesce(excluded.customer_id, c.customer_id),
          (status, amount_cents, total_cents, currency, is_live) = (
            select k.status, k.amount_cents, k.total_cents, k.currency, k.is_live
              from (values
                (c.status, c.amount_cents, c.total_cents, c.currency, c.is_live),
                (excluded.status, excluded.amount_cents, excluded.total_cents, excluded.currency, excluded.is_live)
              ) as k (status, amount_cents, total_cents, currency, is_live)
             order by payments.rank_of(k.status) desc, k.total_cents desc, k.amount_cents desc, k.currency limit 1),
          updated_at = excluded.updated_at;
end $$;

-- Keeps what one fact says about a checkout, see keep_checkouts.
create or replace function payments.keep_checkout(
  from_provider text, fact jsonb, live boolean, is_own boolean, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  perform payments.keep_checkouts(array[row(from_provider, live, is_own, 'checkout', fact->>'checkoutId', 1, fact
    )::payments.told_fact], 1, at_time);
end $$;

-- Of two words about money on its way back the one further on, and of two as far on the one about more.
create function payments.further_of(status text, cents bigint, other_status text, other_cents bigint)
  returns table (further_status text, further_cents bigint)
  language sql immutable
as $$
  select k.status, k.cents from (values (status, cents), (other_status, other_cents)) as k (status, cents)
   order by payments.rank_of(k.status) desc, k.cents desc limit 1
$$;

-- Keeps what the facts of one turn say about refunds and disputes.
create function payments.keep_reversals(told payments.told_fact[], of_turn bigint, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into payments.refunds as r (provider, refund_id, payment_id, refund_request_id, status, amount_cents, currency,
      is_live, updated_at)
    select f.provider, f.fact->>'refundId', f.fact->>'paymentId', payments.to_uuid(f.fact->>'refundRequestId'),
           f.fact->>'status', (f.fact->>'amountCents')::bigint, f.fact->>'currency', f.is_live, at_time
      from unnest(told) f where f.kind = 'refund' and f.turn = of_turn
    on conflict (provider, refund_id) do update
      set refund_request_id = coalesce(r.refund_request_id, excluded.refund_request_id),
          (status, amount_cents) = (select k.further_status, k.further_cents
            from payments.further_of(r.status, r.amount_cents, excluded.status, excluded.amount_cents) k),
          updated_at = excluded.updated_at;
  insert into payments.disputes as d (provider, dispute_id, payment_id, status, amount_cents, currency, is_live,
      updated_at)
    select f.provider, f.fact->>'disputeId', f.fact->>'paymentId', f.fact->>'status',
           (f.fact->>'amountCents')::bigint, f.fact->>'currency', f.is_live, at_time
      from unnest(told) f where f.kind = 'dispute' and f.turn = of_turn
    on conflict (provider, dispute_id) do update
      set (status, amount_cents) = (select k.further_status, k.further_cents
            from payments.further_of(d.status, d.amount_cents, excluded.status, excluded.amount_cents) k),
          updated_at = excluded.updated_at;
end $$;
drop function payments.keep_refund(text, jsonb, boolean, timestamptz);
drop function payments.keep_dispute(text, jsonb, boolean, timestamptz);

-- Keeps what facts say about subscriptions and their bills, each by itself. Returns the purchases that they concern.
create function payments.keep_subscriptions(told payments.told_fact[], at_time timestamptz) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  one payments.told_fact;
  touched uuid[] := '{}';
begin
  foreach one in array told loop
    if one.kind = 'subscription' then
      touched := touched || payments.keep_subscription(one.provider, one.fact, one.is_live, at_time);
    elsif one.kind = 'invoice' then
      touched := touched || payments.keep_invoice(one.provider, one.fact, one.is_live, at_time);
    end if;
  end loop;
  return touched;
end $$;

-- The checkouts of a payment. Without settings of its own, so that PostgreSQL inlines it.
create function payments.checkouts_of(from_provider text, of_payment text) returns setof payments.checkouts
  language sql stable
as $$
  select o.* from (select c.* from payments.checkouts c where c.payment_id = of_payment offset 0) o
   where o.provider = from_provider
$$;

-- The purchases that facts are about, as far as is known. Inlined like checkouts_of.
create or replace function payments.purchases_of(from_provider text, fact jsonb) returns setof uuid
  language sql stable
as $$
  select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
   where c.provider = from_provider and c.checkout_id = fact->>'checkoutId'
  union
  select coalesce(c.opened_for, c.claimed_by) from payments.checkouts_of(from_provider, fact->>'paymentId') c
$$;

-- Keeps facts and settles what they are about. `told` is [{provider, isLive, isOwn, facts}].
create or replace function payments.apply_facts(
  told jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  facts payments.told_fact[] := payments.facts_in(told);
  has_reversals boolean := exists (select from unnest(facts) f where f.kind in ('refund', 'dispute'));
  touched uuid[];
begin
  if cardinality(facts) = 0 then return; end if;
  touched := payments.keep_subscriptions(facts, at_time);
  -- Whose a checkout was until now may change with what we say about it.
  touched := touched || array(
    select u.id from unnest(facts) f cross join lateral payments.purchases_of(f.provider, f.fact) as u (id)
     where f.kind = 'checkout' and f.is_own);
  for this_turn in 1 .. (select max(f.turn) from unnest(facts) f) loop
    perform payments.keep_checkouts(facts, this_turn, at_time);
    if has_reversals then perform payments.keep_reversals(facts, this_turn, at_time); end if;
  end loop;
  perform payments.keep_fraud_warning(f.provider, f.fact, f.is_live, at_time)
     from unnest(facts) f where f.kind = 'fraud_warning';
  -- Who says something about a payment waits for who else does, so that one of them sees both: a row that is there is
  -- locked, and left as it is.
  insert into payments.payments as p (provider, payment_id, created_at)
    select distinct f.provider, f.fact->>'paymentId' collate "C", at_time
      from unnest(facts) f where f.fact->>'paymentId' is not null
     order by 1, 2
    on conflict (provider, payment_id) do update set created_at = p.created_at where false;
  touched := touched || array(
    select u.id from unnest(facts) f cross join lateral payments.purchases_of(f.provider, f.fact) as u (id));
  perform payments.settle(touched, at_time, daily_amount, daily_cap);
  if facts[1].kind in ('subscription', 'invoice') then
    perform payments.follow_subscriptions(told, at_time, daily_amount, daily_cap);
  end if;
end $$;

-- Purchases, settled --------------------------------------------------------------------------------------------------

-- How purchases stand by all that is known of them, in the order of their ids.
create function payments.standings_of(purchases credits.purchases[]) returns payments.standing[]
  language plpgsql stable set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
begin
  return array(
    select row(
             case when paid.checkout_id is null then 0
               else payments.worth_of(p.credits, paid.total_cents, refunded.cents + disputed.cents + asked.cents) end,
             case when paid.checkout_id is null then
                 case when known.furthest in (3, 4) or (known.furthest is null and p.status = 'failed') then 'failed'
                   else 'pending' end
               when disputed.is_any then 'disputed'
               when refunded.cents > 0
                 and payments.worth_of(p.credits, paid.total_cents, refunded.cents + disputed.cents + asked.cents) = 0
                 then 'refunded'
               else 'completed' end,
             paid.payment_id, refunded.cents, disputed.cents,
             case when paid.checkout_id is null then known.problem when known.paid_times > 1 then 'paid_twice' end,
             paid.checkout_id is not null or coalesce(known.is_over, false)
           )::payments.standing
      from unnest(purchases) p
     cross join lateral (
       select count(*) filter (where c.status = 'paid') as paid_times, max(payments.rank_of(c.status)) as furthest,
              max(payments.mismatch_of(p, c.provider, c.status, c.amount_cents, c.currency, c.is_live)) as problem,
              bool_and(payments.rank_of(c.status) > 2) as is_over
         from payments.checkouts c
        where c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)) known
      left join lateral (
       select c.*
         from payments.checkouts c
        where (c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)) and c.status = 'paid'
          and payments.mismatch_of(p, c.provider, c.status, c.amount_cents, c.currency, c.is_live) is null
          -- A payment pays for one purchase, whoever claims it.
          and not exists (
            select from payments.checkouts_of(c.provider, c.payment_id) o
             where o.checkout_id < c.checkout_id and coalesce(o.opened_for, o.claimed_by) <> p.id)
        order by c.checkout_id limit 1) paid on true
     cross join lateral (
       select coalesce(sum(b.amount_cents), 0)::bigint as cents
         from (select r.* from payments.refunds r where r.payment_id = paid.payment_id offset 0) b
        where b.provider = paid.provider and b.currency = paid.currency and b.is_live = paid.is_live
          and b.status <> 'failed') refunded
     cross join lateral (
       select coalesce(sum(b.amount_cents), 0)::bigint as cents, count(*) > 0 as is_any
         from (select d.* from payments.disputes d where d.payment_id = paid.payment_id offset 0) b
        where b.provider = paid.provider and b.currency = paid.currency and b.is_live = paid.is_live
          and b.status <> 'won') disputed
     cross join lateral (
       -- What we have asked for counts from then on, until the provider's own word about it is here.
       select coalesce(sum(b.amount_cents), 0)::bigint as cents
         from (select q.* from payments.refund_requests q where q.purchase_id = p.id offset 0) b
        where b.status in ('open', 'sent')
          and not exists (select from payments.refunds r where r.refund_request_id = b.id)) asked
     order by p.id);
end $$;

-- How one purchase stands, see standings_of.
create or replace function payments.standing_of(purchase credits.purchases) returns payments.standing
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  standings payments.standing[] := payments.standings_of(array[purchase]);
begin
  return standings[1];
end $$;

-- Posts what purchases bring, each of another wallet and in the order of the wallets: as a lot of its own, or as
-- several where payments.lots_of says so, since periods of subscriptions have rules of their own. Returns for each
-- whether its wallet could take it. The wallets are locked.
create function payments.post_up_together(
  purchases credits.purchases[], amounts bigint[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns boolean[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallets credits.balances[] := credits.lock_wallets(
    array(select p.wallet_id from unnest(purchases) p), at_time, daily_amount, daily_cap);
  changed credits.balances[];
  taken boolean[] := '{}';
  part record;
  lot credits.lots;
  lots credits.lots[];
  one credits.transactions;
  made credits.transactions[];
  accounts text[];
begin
  for i in 1 .. cardinality(purchases) loop
    taken[i] := wallets[i].status <> 'closed' and credits.has_room(wallets[i], amounts[i]);
  end loop;
  lot.kind := 'paid';
  lot.priority := 100;
  lot.created_at := at_time;
  one.type := 'purchase';
  for part in
    select array_agg(i order by i) as places, array_agg(l.lot_amount order by i) as amounts,
           array_agg(l.lot_expires_at order by i) as ends
      from generate_subscripts(purchases, 1) i
     cross join lateral payments.lots_of(purchases[i], amounts[i], at_time)
                          with ordinality as l (lot_amount, lot_expires_at, number)
     where taken[i] group by l.number order by l.number
  loop
    changed := '{}';
    lots := '{}';
    made := '{}';
    accounts := '{}';
    for j in 1 .. cardinality(part.places) loop
      lot.source := case purchases[part.places[j]].kind when 'period' then 'subscription' else 'purchase' end;
      lot.amount := part.amounts[j];
      lot.expires_at := part.ends[j];
      one.id := credits.new_id(at_time);
      one.description := purchases[part.places[j]].title;
      changed[j] := wallets[part.places[j]];
      lots[j] := lot;
      made[j] := one;
      accounts[j] := 'sales:' || purchases[part.places[j]].provider;
    end loop;
    changed := credits.bring_in_together(changed, lots, made, accounts);
    for j in 1 .. cardinality(part.places) loop
      wallets[part.places[j]] := changed[j];
    end loop;
    insert into payments.postings (id, purchase_id, transaction_id, amount, created_at)
      select credits.new_id(at_time), purchases[p.place].id, made[p.number].id, p.amount, at_time
        from unnest(part.places, part.amounts) with ordinality as p (place, amount, number);
  end loop;
  perform credits.save_wallets(array(select wallets[i] from generate_subscripts(taken, 1) i where taken[i]));
  return taken;
end $$;
drop function payments.post_up(credits.purchases, bigint, timestamptz, bigint, bigint);

-- Posts to the ledger what brings purchases to their targets, in their order within each wallet. Returns what each has
-- brought then: less than its target where the wallet could not take it. The wallets are locked.
create function payments.post_differences(
  purchases credits.purchases[], targets bigint[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns bigint[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  posted bigint[] := array(select p.posted_credits from unnest(purchases) p);
  turn record;
  place integer;
  is_taken boolean[];
begin
  for turn in
    select array_agg(t.place order by t.wallet_id) filter (where t.change > 0) as rising,
           array_agg(t.place order by t.wallet_id) filter (where t.change < 0) as falling
      from (
        select i as place, purchases[i].wallet_id, targets[i] - posted[i] as change,
               row_number() over (partition by purchases[i].wallet_id order by i) as number
          from generate_subscripts(purchases, 1) i where targets[i] <> posted[i]) t
     group by t.number order by t.number
  loop
    if turn.rising is not null then
      is_taken := payments.post_up_together(
        array(select purchases[r.place] from unnest(turn.rising) with ordinality as r (place, n) order by r.n),
        array(select targets[r.place] - posted[r.place]
                from unnest(turn.rising) with ordinality as r (place, n) order by r.n),
        at_time, daily_amount, daily_cap);
      for i in 1 .. cardinality(turn.rising) loop
        if is_taken[i] then posted[turn.rising[i]] := targets[turn.rising[i]]; end if;
      end loop;
    end if;
    foreach place in array coalesce(turn.falling, '{}') loop
      perform payments.post_down(purchases[place], posted[place] - targets[place], at_time, daily_amount, daily_cap);
      posted[place] := targets[place];
    end loop;
  end loop;
  return posted;
end $$;

-- Brings purchases up to what is known of them, and posts to the ledger what that changes.
create or replace function payments.settle(
  purchase_ids uuid[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  locked credits.purchases[];
  standings payments.standing[];
  targets bigint[];
  lost uuid[];
  posted bigint[];
begin
  select array_agg(l.purchase order by (l.purchase).id) into locked
    from (select p as purchase from credits.purchases p
           where p.id = any (purchase_ids) order by p.id for no key update) l;
  if locked is null then return; end if;
  standings := payments.standings_of(locked);
  targets := array(select s.target from unnest(standings) s);
  perform credits.lock_wallets(
    array(select distinct locked[i].wallet_id from generate_subscripts(locked, 1) i
           where targets[i] <> locked[i].posted_credits), at_time, daily_amount, daily_cap);
  -- Whose payment it is may have changed hands: nobody has it before somebody else gets it.
  lost := array(
    select locked[i].id from generate_subscripts(locked, 1) i
     where locked[i].provider_payment_id <> coalesce(standings[i].payment_id, ''));
  if cardinality(lost) > 0 then
    update credits.purchases p set provider_payment_id = null where p.id = any (lost);
  end if;
  posted := payments.post_differences(locked, targets, at_time, daily_amount, daily_cap);
  perform payments.note_standings(array(select l.id from unnest(locked) l), standings, posted, at_time);
end $$;

-- Writes down how purchases stand. `transaction_id` is the first that brought the credits in.
create function payments.note_standings(
  purchase_ids uuid[], standings payments.standing[], posted bigint[], at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
begin
  update credits.purchases p
     set status = s.status,
         posted_credits = s.posted,
         refunded_cents = s.refunded_cents,
         disputed_cents = s.disputed_cents,
         problem = case when s.posted < s.target then 'wallet_closed' else s.problem end,
         provider_payment_id = s.payment_id,
         transaction_id = coalesce(p.transaction_id, (
           select b.transaction_id
             from (select o.* from payments.postings o where o.purchase_id = p.id offset 0) b
            where b.amount > 0 order by b.id limit 1)),
         completed_at = coalesce(p.completed_at, case when s.status not in ('pending', 'failed') then at_time end),
         next_check_at = case when not s.is_final then p.next_check_at end,
         updated_at = at_time
    from unnest(purchase_ids, standings, posted) as s (id, target, status, payment_id, refunded_cents, disputed_cents,
      problem, is_final, posted)
   where p.id = s.id;
end $$;
drop function payments.note_standing(credits.purchases, payments.standing, bigint, timestamptz);

-- Mails about payments ------------------------------------------------------------------------------------------------

-- Enqueues jobs, as enqueue_job does one.
create function obol.enqueue_jobs(queue_name text, payloads jsonb[]) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  insert into pgboss.job
    (name, data, retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds, deletion_seconds,
     start_after, keep_until, policy, dead_letter)
  select q.name, p.payload, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max, q.expire_seconds,
         q.deletion_seconds, now(), now() + make_interval(secs => q.retention_seconds), q.policy, q.dead_letter
    from pgboss.queue q cross join unnest(payloads) as p (payload) where q.name = queue_name;
  if not found and cardinality(payloads) > 0 then raise exception 'there is no queue %', queue_name; end if;
end $$;
grant execute on function obol.enqueue_jobs(text, jsonb[]) to obol_app;

-- Enqueues the mails that purchases have come to. A checkout that was merely left does not count as a failed payment.
drop trigger purchases_announced on credits.purchases;
drop function payments.announce_purchase();
create function payments.announce_purchases() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  changed credits.purchases[] := array(
    select n from new_purchases n join old_purchases o on o.id = n.id
     where n.transaction_id is distinct from o.transaction_id or n.status <> o.status or n.refunded_cents > 0);
  told jsonb[];
begin
  if cardinality(changed) = 0 then return null; end if;
  with noted as (
    insert into payments.purchase_mails as m (purchase_id, kind, subject, created_at)
      select p.id, due.kind, due.subject, coalesce(p.updated_at, p.created_at)
        from unnest(changed) p
       cross join lateral (
         select 'receipt' as kind, '' as subject where p.transaction_id is not null
         union all
         select 'failed', '' where p.status = 'failed' and exists (
           select from payments.checkouts c
            where (c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)) and c.status = 'failed')
         union all
         select 'refund', r.refund_id from payments.refunds r
          where p.refunded_cents > 0 and r.provider = p.provider and r.payment_id = p.provider_payment_id
            and r.status = 'succeeded' and r.is_live = p.is_live and r.currency = p.currency
       ) due
       order by p.id, due.kind, due.subject
      on conflict do nothing
      returning m.purchase_id, m.kind, m.subject)
  select array_agg(jsonb_build_object('purchaseId', n.purchase_id, 'kind', n.kind, 'refundId', n.subject)) into told
    from noted n;
  if told is not null then perform obol.enqueue_jobs('send-purchase-mail', told); end if;
  return null;
end $$;
create trigger purchases_announced after update on credits.purchases
  referencing old table as old_purchases new table as new_purchases
  for each statement execute function payments.announce_purchases();

-- Events --------------------------------------------------------------------------------------------------------------

-- Looks anew at events that have waited for what these facts are about.
create or replace function payments.wake_events(told jsonb, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  waiting record;
begin
  for waiting in
    select w.id, j.outcome, j.reason, j.waits_for
      from (
        select distinct t.value->>'provider' as provider, k.waits_for
          from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
         cross join lateral (values ('checkout:' || (f.value->>'checkoutId')),
           ('payment:' || (f.value->>'paymentId')),
           ('subscription:' || (f.value->>'providerSubscriptionId'))) as k (waits_for)
         where k.waits_for is not null) a
     cross join lateral (select e.* from payments.events e where e.waits_for = a.waits_for offset 0) w
     cross join lateral payments.judge(w.provider, w.facts, w.is_live) j
     where w.provider = a.provider and j.outcome <> 'waiting'
     order by w.id
  loop
    update payments.events e
       set outcome = waiting.outcome, reason = waiting.reason, waits_for = waiting.waits_for,
           applied_at = case when waiting.outcome = 'applied' then at_time end
     where e.id = waiting.id;
  end loop;
end $$;

-- Takes a batch of deliveries, each with what it says: [{provider, isLive, isOwn, facts, event: {id, providerEventId,
-- type, happenedAt, payload}, failure}]. Without `event` the facts come from an answer of the provider. The events,
-- their facts and all that follows are there together or not at all; an event that is there already changes nothing.
-- With `failure` the event could not be applied: it is stored, for somebody to look at. Returns for each delivery, in
-- order, what was said of it.
create or replace function payments.receive_events(
  batch jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns table (outcome text, reason text, is_repeat boolean)
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  deliveries jsonb[] := array(
    select b.value from jsonb_array_elements(batch) with ordinality as b (value, ordinal) order by b.ordinal);
  told jsonb;
begin
  select coalesce(jsonb_agg(d.delivery - 'event'), '[]') into told
    from unnest(deliveries) as d (delivery)
   where d.delivery->>'failure' is null
     and not exists (
       select from payments.events e
        where e.provider = d.delivery->>'provider'
          and e.provider_event_id = d.delivery->'event'->>'providerEventId' offset 0)
     and (payments.judge(d.delivery->>'provider', d.delivery->'facts',
       coalesce((d.delivery->>'isLive')::boolean, false))).outcome <> 'refused';
  perform payments.apply_facts(told, at_time, daily_amount, daily_cap);
  return query
    with judged as materialized (
      select d.ordinal, d.delivery->>'provider' as provider, coalesce((d.delivery->>'isLive')::boolean, false) as live,
             d.delivery->'facts' as facts, d.delivery->'event' as event, v.outcome, v.reason, v.waits_for
        from unnest(deliveries) with ordinality as d (delivery, ordinal)
       cross join lateral (
         select j.* from payments.judge(d.delivery->>'provider', d.delivery->'facts',
                  coalesce((d.delivery->>'isLive')::boolean, false)) j
          where d.delivery->>'failure' is null
         union all
         select 'failed', d.delivery->>'failure', null where d.delivery->>'failure' is not null) v
    ), stored as (
      insert into payments.events as e (id, provider, provider_event_id, type, payload, received_at, applied_at,
          outcome, facts, is_live, reason, waits_for, happened_at)
        select (j.event->>'id')::uuid, j.provider, j.event->>'providerEventId', j.event->>'type', j.event->'payload',
               at_time, case when j.outcome = 'applied' then at_time end, j.outcome, j.facts, j.live, j.reason,
               j.waits_for, (j.event->>'happenedAt')::timestamptz
          from judged j where j.event is not null
         order by j.provider, j.event->>'providerEventId' collate "C"
        on conflict (provider, provider_event_id) do nothing
        returning e.id
    )
    select coalesce(e.outcome, j.outcome), case when e.id is null then j.reason else e.reason end,
           j.event is not null and s.id is null
      from judged j
      left join stored s on s.id = (j.event->>'id')::uuid
      left join lateral (
        select x.* from payments.events x
         where x.provider = j.provider and x.provider_event_id = j.event->>'providerEventId' offset 0) e on true
     order by j.ordinal;
  perform payments.wake_events(told, at_time);
end $$;
