-- Proves the ledger from its journal, a range of wallets at a time, so that memory stays bounded and a run can go on
-- where it stopped. Every function here is stable, so one call sees one snapshot, also while spending goes on; wallets
-- share nothing, so ranges may be seen at different moments. Each returns the rows that are off; none means all is
-- well. What a feature adds to the ledger it adds here: to verify_heads what the present state alone can show, to
-- verify_sums what only the whole history of a wallet can.

create type credits.finding as (wallet_id uuid, place bigint, row_id text, problem text);

-- The journal of some wallets, of each from behind `after_sequences` on (up to `up_to`, null for all): gaps, broken
-- seals, balances that do not follow from each other, entries that do not sum to zero. One row and its entries at a
-- time, by index, whatever the size of the wallet.
create function credits.verify_journal(wallets uuid[], after_sequences bigint[], up_to bigint)
  returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with checked as (
    select t.*, s.total, s.is_own, s.is_complete, s.wallet_change,
           credits.transaction_hash(t, s.sides) = t.hash as is_sealed,
           lag(t.sequence, 1, w.after) over wallet as sequence_before,
           lag(t.hash, 1, case w.after when 0 then decode(repeat('00', 32), 'hex') else b.hash end) over wallet
             as hash_before,
           lag(t.balance_after, 1, case w.after when 0 then 0 else b.balance_after end) over wallet
             as balance_before_it,
           lag(t.created_at, 1, b.created_at) over wallet as time_before
      from unnest(wallets, after_sequences) as w (wallet_id, after)
      left join credits.transactions b on b.wallet_id = w.wallet_id and b.sequence = w.after
      join credits.transactions t on t.wallet_id = w.wallet_id and t.sequence > w.after
       and t.sequence <= coalesce(up_to, 9223372036854775807)
     cross join lateral (
        select jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal) as sides,
               sum(e.amount) as total, bool_and(e.wallet_id = t.wallet_id) as is_own,
               min(e.ordinal) = 1 and max(e.ordinal) = count(*) as is_complete,
               sum(e.amount) filter (where e.account like 'wallet:%') as wallet_change
          from credits.entries e where e.transaction_id = t.id) s
    window wallet as (partition by t.wallet_id order by t.sequence)
  ), judged as (
    select c.wallet_id, c.sequence, c.id, case
        when c.sequence <> c.sequence_before + 1 then 'the transaction before it is missing'
        when c.is_sealed is not true then 'the transaction or its entries do not match its hash'
        when c.previous_hash is distinct from c.hash_before
          then 'previous_hash is not the hash of the transaction before it'
        when c.balance_before is distinct from c.balance_before_it
          then 'balance_before is not the balance after the one before it'
        when c.created_at < c.time_before then 'it is older than the transaction before it'
        when c.created_at <> date_trunc('milliseconds', c.created_at) then 'its time is finer than its hash says'
        when c.total <> 0 then 'its entries do not sum to zero'
        when not c.is_own or not c.is_complete then 'its entries are numbered or owned wrongly'
        when c.balance_after - c.balance_before <> coalesce(c.wallet_change, 0)
          then 'its entries do not make its change of balance'
      end as problem
      from checked c
  )
  select j.wallet_id, j.sequence, 'transaction ' || j.id, j.problem from judged j where j.problem is not null
   order by j.wallet_id, j.sequence
$$;

-- Balances as they are: each is the sum of its lots and what its last transaction says. The cost does not grow with the
-- history, but with the number of lots.
create function credits.verify_heads(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with judged as (
    select b.wallet_id, case
        when b.free <> coalesce(l.free, 0) then 'free is not the sum of its free lots'
        when b.paid <> coalesce(l.paid, 0) then 'paid is not the sum of its paid lots'
        when b.held <> coalesce(l.held, 0) then 'held is not the sum of its lots'
        when b.sequence <> coalesce(t.sequence, 0) then 'sequence is not that of its last transaction'
        when b.free + b.paid <> coalesce(t.balance_after, 0) then 'it is not the balance after its last transaction'
        when b.chain_head <> coalesce(t.hash, decode(repeat('00', 32), 'hex'))
          then 'chain_head is not the hash of its last transaction'
        when b.last_transaction_at <> t.created_at then 'last_transaction_at is not that of its last transaction'
        when b.total_earned <> coalesce(l.earned, 0) then 'total_earned is not the sum of its lots'
      end as problem
      from credits.balances b
      left join lateral (
        select sum(l.remaining) filter (where l.kind = 'free') as free,
               sum(l.remaining) filter (where l.kind = 'paid') as paid, sum(l.amount) as earned, sum(l.held) as held
          from credits.lots l where l.wallet_id = b.wallet_id) l on true
      left join lateral (
        select t.sequence, t.balance_after, t.hash, t.created_at from credits.transactions t
         where t.wallet_id = b.wallet_id order by t.sequence desc limit 1) t on true
     where b.wallet_id = any (wallets)
  )
  select j.wallet_id, 0::bigint, 'balance ' || j.wallet_id, j.problem from judged j where j.problem is not null
   order by j.wallet_id
$$;

-- Lots: what is left of each is the sum of its entries; what is held is what open holds say.
create function credits.verify_lots(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with moved as (
    select t.wallet_id, e.lot_id, sum(e.amount) as remaining,
           sum(e.amount) filter (where e.transaction_id = l.transaction_id) as amount,
           l.id is not null as exists, bool_and(l.wallet_id = t.wallet_id
             and e.account in ('wallet:' || l.wallet_id || ':' || l.kind, 'wallet:' || l.wallet_id || ':held'))
             as is_own
      from credits.transactions t
      join credits.entries e on e.transaction_id = t.id and e.lot_id is not null
      left join credits.lots l on l.id = e.lot_id
     where t.wallet_id = any (wallets)
     group by t.wallet_id, e.lot_id, l.id
  ), judged as (
    select coalesce(l.wallet_id, m.wallet_id) as wallet_id, coalesce(l.id, m.lot_id) as id, case
        when l.id is null and not m.exists then 'entries name it, but it does not exist'
        when l.id is null or not m.is_own then 'entries of other accounts name it'
        when l.amount is distinct from m.amount then 'amount is not what its transaction brought in'
        when l.remaining is distinct from m.remaining then 'remaining is not the sum of its entries'
        when l.held <> coalesce(s.held, 0) then 'held is not what open holds have set aside'
      end as problem
      from (select l.* from credits.lots l where l.wallet_id = any (wallets)) l
      full join moved m on m.lot_id = l.id and m.wallet_id = l.wallet_id
      left join lateral (
        select sum(h.amount) as held
          from credits.hold_lots h join credits.holds o on o.id = h.hold_id and o.status = 'open'
         where h.lot_id = l.id) s on true
  )
  select j.wallet_id, 0::bigint, 'lot ' || j.id, j.problem from judged j where j.problem is not null
   order by j.wallet_id, j.id
$$;

-- What only the whole history of some wallets can show: totals, usage statistics, remembered answers.
create function credits.verify_sums(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with judged as (
    select b.wallet_id, case
        when b.total_spent <> coalesce(s.spent, 0) then 'total_spent is not the sum of its spends and refunds'
        when b.debt <> coalesce(s.debt, 0) then 'debt is not what its entries leave receivable'
        when (coalesce(c.spent, 0), coalesce(c.spends, 0)) <> (coalesce(s.spent, 0), coalesce(s.spends, 0))
          then 'its usage statistics do not sum to its spends'
      end as problem
      from credits.balances b
      left join lateral (
        select sum(e.amount) filter (where e.account like 'revenue:%') as spent,
               -sum(e.amount) filter (where e.account = 'receivable:' || b.wallet_id) as debt,
               count(*) filter (where e.account like 'revenue:%' and t.type in ('usage', 'capture')) as spends
          from credits.transactions t join credits.entries e on e.transaction_id = t.id and e.lot_id is null
         where t.wallet_id = b.wallet_id) s on true
      left join lateral (
        select sum(u.amount) as spent, sum(u.count) as spends
          from credits.usage_stats u where u.wallet_id = b.wallet_id) c on true
     where b.wallet_id = any (wallets)
  )
  select j.wallet_id, 0::bigint, 'balance ' || j.wallet_id, j.problem from judged j where j.problem is not null
  union all
  select k.wallet_id, 0, 'idempotency key ' || k.key, 'the transaction that it answers with is another one or missing'
    from credits.idempotency_keys k
   where k.wallet_id = any (wallets) and k.transaction_id is not null
     and not exists (select from credits.transactions t where t.id = k.transaction_id and t.wallet_id = k.wallet_id
                        and (k.app_id = '' or coalesce(t.app_id, k.app_id) = k.app_id) and t.idempotency_key = k.key)
$$;

-- Journals without a wallet, among the ids behind `after_wallet` and up to `up_to_wallet`: one look per wallet.
create function credits.verify_owners(after_wallet uuid, up_to_wallet uuid) returns setof credits.finding
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  with recursive journals as (
    (select t.wallet_id from credits.transactions t where t.wallet_id > after_wallet order by t.wallet_id limit 1)
    union all
    select (select t.wallet_id from credits.transactions t
             where t.wallet_id > j.wallet_id and t.wallet_id <= up_to_wallet order by t.wallet_id limit 1)
      from journals j where j.wallet_id is not null
  )
  select j.wallet_id, 0::bigint, 'transactions of ' || j.wallet_id, 'their wallet does not exist'
    from journals j
   where j.wallet_id <= up_to_wallet
     and not exists (select from credits.balances b where b.wallet_id = j.wallet_id)
$$;

-- Entries without a transaction, among the ids behind `after_id` and up to `up_to_id`. Entries know their wallet, but
-- no index leads from it to them: these are looked for by the order of transactions.
create function credits.verify_entries(after_id uuid, up_to_id uuid) returns setof credits.finding
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  select e.wallet_id, 0::bigint, 'entry ' || e.transaction_id || '/' || e.ordinal, 'it belongs to no transaction'
    from credits.entries e
   where e.transaction_id > after_id and e.transaction_id <= up_to_id
     and not exists (select from credits.transactions t where t.id = e.transaction_id)
$$;

-- The next wallets to verify, in the order of their ids, behind `after_wallet`: each with the sequence to begin behind
-- and its last one. Not more than wallets_max and, unless one alone has more, transactions_max transactions. `since`
-- leaves out wallets without a transaction since then, and of the others what was before; `since_sequence` leaves out
-- what every wallet has up to that sequence.
create function credits.wallets_to_verify(
  after_wallet uuid, only_wallet uuid, since timestamptz, since_sequence bigint, wallets_max integer,
  transactions_max bigint
) returns table (wallet_id uuid, after bigint, up_to bigint)
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  with next as (
    select b.wallet_id, b.sequence from credits.balances b
     where b.wallet_id > after_wallet and (only_wallet is null or b.wallet_id = only_wallet)
       and (since is null or b.last_transaction_at >= since)
     order by b.wallet_id limit wallets_max
  ), sized as (
    select n.wallet_id, a.after, n.sequence, sum(n.sequence - a.after) over (order by n.wallet_id) as transactions,
           row_number() over (order by n.wallet_id) as place
      from next n
     cross join lateral (
        select least(n.sequence, case when since is not null then credits.sequence_before(n.wallet_id, since)
                                      else coalesce(since_sequence, 0) end) as after) a
  )
  select s.wallet_id, s.after, s.sequence from sized s
   where s.place = 1 or s.transactions <= transactions_max
   order by s.wallet_id
$$;

-- Everything that is off in some wallets, what explains the rest first; see verify_journal for the arguments. Without
-- `is_whole` only the journal: of a long one all parts but the last are verified so. With `has_history` also what needs
-- the journal from its beginning.
create function credits.verify_wallets(
  wallets uuid[], after_sequences bigint[], up_to bigint, is_whole boolean, has_history boolean, findings_max integer
) returns table (wallet_id uuid, row_id text, problem text)
  language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  return query
    select f.wallet_id, f.row_id, f.problem
      from (select 1 as part, j.* from credits.verify_journal(wallets, after_sequences, up_to) j
            union all select 2, l.* from credits.verify_lots(wallets) l where is_whole and has_history
            union all select 3, h.* from credits.verify_heads(wallets) h where is_whole
            union all select 4, s.* from credits.verify_sums(wallets) s where is_whole and has_history
            union all select 5, o.* from credits.verify_holds(wallets) o where is_whole and has_history
            union all select 6, m.* from credits.verify_mandates(wallets) m where is_whole and has_history
            union all select 7, m.* from credits.verify_movements(wallets) m where is_whole and has_history) f
     order by f.part, f.wallet_id, f.place, f.row_id
     limit findings_max;
end $$;

-- Where the next `entries_max` entries behind a transaction's id end; null at the end of the journal.
create function credits.entries_to_verify(after_id uuid, entries_max integer) returns uuid
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  select e.transaction_id from credits.entries e
   where e.transaction_id > after_id order by e.transaction_id offset entries_max limit 1
$$;

-- How much there is to verify.
create function credits.count_ledger(only_wallet uuid) returns table (wallets bigint, transactions bigint)
  language sql stable security definer set search_path = pg_catalog
as $$
  select count(*), coalesce(sum(b.sequence), 0)::bigint
    from credits.balances b where only_wallet is null or b.wallet_id = only_wallet
$$;

grant execute on function
  credits.wallets_to_verify(uuid, uuid, timestamptz, bigint, integer, bigint),
  credits.verify_wallets(uuid[], bigint[], bigint, boolean, boolean, integer),
  credits.verify_owners(uuid, uuid), credits.entries_to_verify(uuid, integer), credits.verify_entries(uuid, uuid),
  credits.count_ledger(uuid) to obol_app;
