-- Proves the ledger from its journal. Every function here is stable and is called by one statement, so all of them
-- see one snapshot, also while spending goes on. Each returns the rows that are off; no row means that all is well.

-- The journal itself: gaps, broken seals, balances that do not follow from each other, entries that do not sum to
-- zero.
create function credits.verify_journal(only_wallet uuid)
  returns table (wallet_id uuid, place bigint, row_id text, problem text)
  language sql stable set search_path = pg_catalog
as $$
  with sides as (
    select e.transaction_id, jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal) as sides,
           sum(e.amount) as total, bool_and(e.wallet_id = t.wallet_id) as is_own,
           min(e.ordinal) = 1 and max(e.ordinal) = count(*) as is_complete,
           sum(e.amount) filter (where e.account like 'wallet:%') as wallet_change
      from credits.entries e join credits.transactions t on t.id = e.transaction_id
     where only_wallet is null or t.wallet_id = only_wallet
     group by e.transaction_id
  ), checked as (
    select t.*, s.total, s.is_own, s.is_complete, s.wallet_change,
           credits.transaction_hash(t, s.sides) = t.hash as is_sealed,
           lag(t.sequence, 1, 0::bigint) over wallet as sequence_before,
           lag(t.hash, 1, decode(repeat('00', 32), 'hex')) over wallet as hash_before,
           lag(t.balance_after, 1, 0::bigint) over wallet as balance_before_it,
           lag(t.created_at) over wallet as time_before
      from credits.transactions t left join sides s on s.transaction_id = t.id
     where only_wallet is null or t.wallet_id = only_wallet
    window wallet as (partition by t.wallet_id order by t.sequence)
  ), judged as (
    select c.wallet_id, c.sequence, c.id, case
        when c.sequence <> c.sequence_before + 1 then 'the transaction before it is missing'
        when c.is_sealed is not true then 'the transaction or its entries do not match its hash'
        when c.previous_hash <> c.hash_before then 'previous_hash is not the hash of the transaction before it'
        when c.balance_before <> c.balance_before_it then 'balance_before is not the balance after the one before it'
        when c.created_at < c.time_before then 'it is older than the transaction before it'
        when c.total <> 0 then 'its entries do not sum to zero'
        when not c.is_own or not c.is_complete then 'its entries are numbered or owned wrongly'
        when c.balance_after - c.balance_before <> c.wallet_change then 'its entries do not make its change of balance'
      end as problem
      from checked c
  )
  select j.wallet_id, j.sequence, 'transaction ' || j.id, j.problem from judged j where j.problem is not null
  union all
  select e.wallet_id, 0, 'entry ' || e.transaction_id || '/' || e.ordinal, 'it belongs to no transaction'
    from credits.entries e
   where (only_wallet is null or e.wallet_id = only_wallet)
     and not exists (select from credits.transactions t where t.id = e.transaction_id)
$$;

-- Lots: what is left of each is the sum of its entries; what is held is what open holds say.
create function credits.verify_lots(only_wallet uuid)
  returns table (wallet_id uuid, place bigint, row_id text, problem text)
  language sql stable set search_path = pg_catalog
as $$
  with moved as (
    select e.lot_id, sum(e.amount) as remaining,
           max(e.amount) filter (where e.transaction_id = l.transaction_id) as amount,
           bool_and(e.account in ('wallet:' || l.wallet_id || ':' || l.kind, 'wallet:' || l.wallet_id || ':held'))
             as is_own
      from credits.entries e join credits.lots l on l.id = e.lot_id
     where only_wallet is null or l.wallet_id = only_wallet
     group by e.lot_id
  ), set_aside as (
    select h.lot_id, sum(h.amount) as held
      from credits.hold_lots h join credits.holds o on o.id = h.hold_id and o.status = 'open'
     group by h.lot_id
  ), judged as (
    select l.wallet_id, l.id, case
        when l.amount is distinct from m.amount then 'amount is not what its transaction brought in'
        when l.remaining is distinct from m.remaining then 'remaining is not the sum of its entries'
        when not m.is_own then 'entries of other accounts name it'
        when l.held <> coalesce(s.held, 0) then 'held is not what open holds have set aside'
      end as problem
      from credits.lots l left join moved m on m.lot_id = l.id left join set_aside s on s.lot_id = l.id
     where only_wallet is null or l.wallet_id = only_wallet
  )
  select j.wallet_id, 0::bigint, 'lot ' || j.id, j.problem from judged j where j.problem is not null
  union all
  select e.wallet_id, 0, 'entry ' || e.transaction_id || '/' || e.ordinal, 'its lot does not exist'
    from credits.entries e
   where (only_wallet is null or e.wallet_id = only_wallet) and e.lot_id is not null
     and not exists (select from credits.lots l where l.id = e.lot_id)
$$;

-- Balances: each is the sum of its lots and what the last transaction says, totals and holds included.
create function credits.verify_balances(only_wallet uuid)
  returns table (wallet_id uuid, place bigint, row_id text, problem text)
  language sql stable set search_path = pg_catalog
as $$
  with in_lots as (
    select l.wallet_id, sum(l.remaining) filter (where l.kind = 'free') as free,
           sum(l.remaining) filter (where l.kind = 'paid') as paid, sum(l.amount) as earned, sum(l.held) as held
      from credits.lots l group by l.wallet_id
  ), spent as (
    select t.wallet_id, -sum(t.amount) as spent, count(*) as spends
      from credits.transactions t where t.type in ('usage', 'capture') group by t.wallet_id
  ), counted as (
    select u.wallet_id, sum(u.amount) as spent, sum(u.count) as spends from credits.usage_stats u group by u.wallet_id
  ), judged as (
    select b.wallet_id, case
        when b.free <> coalesce(l.free, 0) then 'free is not the sum of its free lots'
        when b.paid <> coalesce(l.paid, 0) then 'paid is not the sum of its paid lots'
        when b.held <> coalesce(l.held, 0) then 'held is not the sum of its lots'
        when b.sequence <> coalesce(t.sequence, 0) then 'sequence is not that of its last transaction'
        when b.free + b.paid <> coalesce(t.balance_after, 0) then 'it is not the balance after its last transaction'
        when t.hash is not null and b.chain_head <> t.hash then 'chain_head is not the hash of its last transaction'
        when b.last_transaction_at <> t.created_at then 'last_transaction_at is not that of its last transaction'
        when b.total_earned <> coalesce(l.earned, 0) then 'total_earned is not the sum of its lots'
        when b.total_spent <> coalesce(s.spent, 0) then 'total_spent is not the sum of its spends'
        when (coalesce(c.spent, 0), coalesce(c.spends, 0)) <> (coalesce(s.spent, 0), coalesce(s.spends, 0))
          then 'its usage statistics do not sum to its spends'
      end as problem
      from credits.balances b
      left join in_lots l on l.wallet_id = b.wallet_id
      left join spent s on s.wallet_id = b.wallet_id
      left join counted c on c.wallet_id = b.wallet_id
      left join lateral (select t.sequence, t.balance_after, t.hash, t.created_at from credits.transactions t
                          where t.wallet_id = b.wallet_id order by t.sequence desc limit 1) t on true
     where only_wallet is null or b.wallet_id = only_wallet
  )
  select j.wallet_id, 0::bigint, 'balance ' || j.wallet_id, j.problem from judged j where j.problem is not null
  union all
  select t.wallet_id, t.sequence, 'transaction ' || t.id, 'its wallet does not exist'
    from credits.transactions t
   where (only_wallet is null or t.wallet_id = only_wallet)
     and not exists (select from credits.balances b where b.wallet_id = t.wallet_id)
  union all
  select k.wallet_id, 0, 'idempotency key ' || k.key, 'the transaction that it answers with is another one or missing'
    from credits.idempotency_keys k
   where (only_wallet is null or k.wallet_id = only_wallet) and k.transaction_id is not null
     and not exists (select from credits.transactions t where t.id = k.transaction_id and t.wallet_id = k.wallet_id
                        and t.app_id = k.app_id and t.idempotency_key = k.key)
$$;

-- Everything that is off, what explains the rest first: the journal by wallet and sequence, then lots, then balances.
create function credits.verify_ledger(only_wallet uuid, findings_max integer)
  returns table (wallet_id uuid, row_id text, problem text)
  language sql stable security definer set search_path = pg_catalog
as $$
  select f.wallet_id, f.row_id, f.problem
    from (select 1 as part, j.* from credits.verify_journal(only_wallet) j
          union all select 2, l.* from credits.verify_lots(only_wallet) l
          union all select 3, b.* from credits.verify_balances(only_wallet) b) f
   order by f.part, f.wallet_id, f.place, f.row_id
   limit findings_max
$$;

grant execute on function credits.verify_ledger(uuid, integer) to obol_app;

-- How much there is to verify.
create function credits.count_ledger(only_wallet uuid) returns table (wallets bigint, transactions bigint)
  language sql stable security definer set search_path = pg_catalog
as $$
  select count(*), coalesce(sum(b.sequence), 0)::bigint
    from credits.balances b where only_wallet is null or b.wallet_id = only_wallet
$$;

grant execute on function credits.count_ledger(uuid) to obol_app;
