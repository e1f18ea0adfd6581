-- More of what verification proves: that a wallet belongs to its person, that its times and windows are its own, that
-- holds are their app's, that every key of the journal is remembered, and each line of the usage statistics.

-- Whether a window of daily credits of this wallet begins at this instant: a whole number of days after it was opened.
create function credits.is_window_of(wallet credits.balances, instant timestamptz) returns boolean
  language sql stable set search_path = pg_catalog
as $$ select instant > wallet.created_at and extract(epoch from instant - wallet.created_at) % 86400 = 0 $$;

-- Balances as they are: each is the sum of its lots and what its last transaction says, belongs to whom it should, and
-- knows in time what falls due. The cost does not grow with the history, but with the number of lots.
create or replace function credits.verify_heads(wallets uuid[]) returns setof credits.finding
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
        when b.owner_id <> b.wallet_id or b.kind = 'team' and b.owner_id is not null
          then 'it belongs to somebody else'
        when b.kind = 'personal' and b.owner_id is null and exists (select from auth.users u where u.id = b.wallet_id)
          then 'its person does not own it'
        when b.kind = 'team' and not exists (select from credits.teams m where m.wallet_id = b.wallet_id)
          then 'its team does not exist'
        when coalesce(b.next_expiry_at, 'infinity') > least(l.expires_at, h.expires_at)
          then 'next_expiry_at is later than the next expiry'
        when b.kind = 'personal' and (not credits.is_window_of(b, b.next_daily_at) or b.next_daily_at <= l.window_at)
          then 'next_daily_at is not the beginning of its next window'
      end as problem
      from credits.balances b
      left join lateral (
        select sum(l.remaining) filter (where l.kind = 'free') as free,
               sum(l.remaining) filter (where l.kind = 'paid') as paid, sum(l.amount) as earned, sum(l.held) as held,
               min(l.expires_at) filter (where l.remaining > l.held) as expires_at, max(l.daily_window_at) as window_at
          from credits.lots l where l.wallet_id = b.wallet_id) l on true
      left join lateral (
        select min(o.expires_at) as expires_at
          from credits.holds o where o.wallet_id = b.wallet_id and o.status = 'open') h on true
      left join lateral (
        select t.sequence, t.balance_after, t.hash, t.created_at from credits.transactions t
         where t.wallet_id = b.wallet_id order by t.sequence desc limit 1) t on true
     where b.wallet_id = any (wallets)
  )
  select j.wallet_id, 0::bigint, 'balance ' || j.wallet_id, j.problem from judged j where j.problem is not null
   order by j.wallet_id
$$;

-- Daily lots are for windows of their wallet; those that a team has were transferred.
create function credits.verify_windows(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  select l.wallet_id, 0::bigint, 'lot ' || l.id, 'it is for no window of its wallet'
    from credits.balances b join credits.lots l on l.wallet_id = b.wallet_id and l.source = 'daily'
   where b.wallet_id = any (wallets) and b.kind = 'personal'
     and credits.is_window_of(b, l.daily_window_at) is not true
$$;

-- Every key that the journals of some wallets name is remembered with that transaction, whatever its scope. No nested
-- loop: that would go through all keys of a wallet for each of its transactions.
create function credits.verify_keys(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off set enable_nestloop = off
as $$
  select t.wallet_id, t.sequence, 'transaction ' || t.id, 'its idempotency key is not remembered'
    from (select o.* from credits.transactions o
           where o.wallet_id = any (wallets) and o.idempotency_key is not null) t
    left join (select i.wallet_id, i.key, i.transaction_id from credits.idempotency_keys i
                where i.wallet_id = any (wallets) and i.transaction_id is not null) k
      on k.wallet_id = t.wallet_id and k.key = t.idempotency_key and k.transaction_id = t.id
   where k.key is null
$$;

-- Each line of the usage statistics of some wallets is what their journals say of that day, app and model: spends count
-- on their own day, and so does what is given back of them.
create function credits.verify_usage(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with moved as (
    select t.wallet_id, (coalesce(o.created_at, t.created_at) at time zone 'UTC')::date as day, t.app_id,
           coalesce(left(coalesce(o.metadata, t.metadata)->>'model', 100), '') as model,
           count(*) filter (where t.type <> 'refund') as count, sum(e.amount) as amount
      from credits.transactions t
      join credits.entries e on e.transaction_id = t.id and e.lot_id is null and e.account like 'revenue:%'
      left join credits.transactions o on o.id = t.reverses_id
     where t.wallet_id = any (wallets)
     group by 1, 2, 3, 4
  )
  select coalesce(u.wallet_id, m.wallet_id), 0::bigint,
         'usage of ' || coalesce(u.day, m.day) || ', ' || coalesce(u.app_id, m.app_id),
         'the usage statistics are not what its journal says'
    from (select s.* from credits.usage_stats s where s.wallet_id = any (wallets)) u
    full join moved m on m.wallet_id = u.wallet_id and m.day = u.day and m.app_id = u.app_id and m.model = u.model
   where (u.count, u.amount) is distinct from (m.count, m.amount)
$$;

-- What holds say of themselves is what their transactions have moved, for whom and under which mandate; see
-- verify_wallets.
create or replace function credits.verify_holds(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with moved as (
    select t.wallet_id, t.hold_id, -sum(t.amount) filter (where t.type = 'hold') as amount, sum(e.held) as remaining,
           coalesce(sum(e.revenue) filter (where t.type = 'capture'), 0) as captured,
           array_agg(distinct t.app_id) as app_ids, array_agg(distinct t.mandate_id) as mandate_ids
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
        when m.app_ids <> array[h.app_id] then 'its transactions are of another app'
        when m.mandate_ids <> array[h.mandate_id] then 'its transactions are under another mandate'
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

-- What ties transactions to each other, to codes and to teams: no more is given back than was charged and no more taken
-- back than came in, both sides of a transfer agree, codes count their redemptions, and members have one mandate each.
create or replace function credits.verify_movements(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with reversals as (
    select t.wallet_id, t.id, t.sequence, t.type, t.app_id, t.reverses_id,
           sum(abs(e.amount)) filter (where e.account ~ credits.origin_of(t.type)) as amount
      from credits.transactions t join credits.entries e on e.transaction_id = t.id
     where t.wallet_id = any (wallets) and t.type in ('refund', 'clawback')
     group by t.wallet_id, t.id
  ), reversed as (
    select r.*, sum(r.amount) over (partition by r.reverses_id, r.type order by r.sequence) as amount_in_all,
           o.wallet_id = r.wallet_id and case r.type
             when 'refund' then o.type in ('usage', 'capture') and o.app_id = r.app_id
             else o.type in ('purchase', 'bonus', 'adjustment') end as is_apt,
           (select sum(abs(e.amount)) from credits.entries e
             where e.transaction_id = o.id and e.account ~ credits.origin_of(r.type)) as amount_max
      from reversals r left join credits.transactions o on o.id = r.reverses_id
  ), transfers as (
    select t.wallet_id, t.sequence, t.id, t.amount,
           case when t.metadata->>'transactionId' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
             then (t.metadata->>'transactionId')::uuid end as other_id
      from credits.transactions t where t.wallet_id = any (wallets) and t.type = 'transfer'
  )
  select r.wallet_id, r.sequence, 'transaction ' || r.id, case
      when r.is_apt is not true then 'it reverses a transaction that it cannot reverse'
      else 'it reverses more than there was' end
    from reversed r where r.is_apt is not true or r.amount_in_all > r.amount_max
  union all
  select t.wallet_id, t.sequence, 'transaction ' || t.id, 'the other side of the transfer is missing or another one'
    from transfers t
   where not exists (select from credits.transactions o
                      where o.id = t.other_id and o.type = 'transfer' and o.amount = -t.amount
                        and o.metadata->>'transactionId' = t.id::text)
  union all
  select r.wallet_id, 0, 'redemption ' || r.code_id || '/' || r.ordinal, case
      when t.id is null then 'its transaction is missing or another one'
      else 'its code counts redemptions wrongly' end
    from credits.redemptions r
    join credits.codes c on c.id = r.code_id
    left join credits.transactions t on t.id = r.transaction_id and t.wallet_id = r.wallet_id and t.type = 'bonus'
   where r.wallet_id = any (wallets)
     and (t.id is null or c.redeemed <> (select count(*) from credits.redemptions o where o.code_id = c.id))
  union all
  select coalesce(w.wallet_id, m.wallet_id), 0, 'member ' || coalesce(w.user_id, m.member_id),
         'membership and mandate do not belong together'
    from (select * from credits.team_members w where w.wallet_id = any (wallets)) w
    full join (select * from credits.mandates m where m.wallet_id = any (wallets) and m.member_id is not null
                  and m.status <> 'revoked') m
      on m.wallet_id = w.wallet_id and m.member_id = w.user_id
   where w.user_id is null or m.id is null
$$;

-- What belongs to no wallet, among the ids behind `after_wallet` and up to `up_to_wallet`: journals, remembered answers
-- and usage statistics, by one look per wallet each; and people without a wallet.
create or replace function credits.verify_owners(after_wallet uuid, up_to_wallet uuid) returns setof credits.finding
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  with recursive journals as (
    (select t.wallet_id from credits.transactions t where t.wallet_id > after_wallet order by t.wallet_id limit 1)
    union all
    select (select t.wallet_id from credits.transactions t
             where t.wallet_id > j.wallet_id and t.wallet_id <= up_to_wallet order by t.wallet_id limit 1)
      from journals j where j.wallet_id is not null
  ), keys as (
    (select k.wallet_id from credits.idempotency_keys k where k.wallet_id > after_wallet order by k.wallet_id limit 1)
    union all
    select (select k.wallet_id from credits.idempotency_keys k
             where k.wallet_id > o.wallet_id and k.wallet_id <= up_to_wallet order by k.wallet_id limit 1)
      from keys o where o.wallet_id is not null
  ), usage as (
    (select u.wallet_id from credits.usage_stats u where u.wallet_id > after_wallet order by u.wallet_id limit 1)
    union all
    select (select u.wallet_id from credits.usage_stats u
             where u.wallet_id > o.wallet_id and u.wallet_id <= up_to_wallet order by u.wallet_id limit 1)
      from usage o where o.wallet_id is not null
  )
  select s.wallet_id, 0::bigint, s.name || ' of ' || s.wallet_id, 'their wallet does not exist'
    from (select 'transactions' as name, j.wallet_id from journals j
          union all select 'idempotency keys', k.wallet_id from keys k
          union all select 'usage statistics', u.wallet_id from usage u) s
   where s.wallet_id <= up_to_wallet
     and not exists (select from credits.balances b where b.wallet_id = s.wallet_id)
  union all
  select u.id, 0, 'wallet of ' || u.id, 'it does not exist'
    from auth.users u
   where u.id > after_wallet and u.id <= up_to_wallet
     and not exists (select from credits.balances b where b.wallet_id = u.id)
$$;

-- Everything that is off in some wallets, what explains the rest first; see verify_journal for the arguments. Without
-- `is_whole` only the journal: of a long one all parts but the last are verified so. With `has_history` also what needs
-- the journal from its beginning.
create or replace function credits.verify_wallets(
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
            union all select 7, m.* from credits.verify_movements(wallets) m where is_whole and has_history
            union all select 8, w.* from credits.verify_windows(wallets) w where is_whole and has_history
            union all select 9, k.* from credits.verify_keys(wallets) k where is_whole and has_history
            union all select 10, u.* from credits.verify_usage(wallets) u where is_whole and has_history) f
     order by f.part, f.wallet_id, f.place, f.row_id
     limit findings_max;
end $$;
