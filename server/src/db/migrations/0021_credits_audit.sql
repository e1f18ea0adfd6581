-- What the auditor proves when its time comes: wallets drawn by lot, and those that changed last.

-- The first and the last id among all wallets, between which the auditor draws; null when there are none.
create function credits.wallet_id_range() returns table (first_id uuid, last_id uuid)
  language sql stable security definer set search_path = pg_catalog
as $$
  select (select b.wallet_id from credits.balances b order by b.wallet_id limit 1),
         (select b.wallet_id from credits.balances b order by b.wallet_id desc limit 1)
$$;

-- The wallets of one audit with their last sequence: of each id drawn the next run_length wallets, and up to
-- changed_max of those that transactions newer than the id `since_id` belong to. By index only, so that it costs the
-- same whatever their number.
create function credits.wallets_to_audit(draws uuid[], run_length integer, since_id uuid, changed_max integer)
  returns table (wallet_id uuid, sequence bigint)
  language sql stable security definer set search_path = pg_catalog set enable_seqscan = off
as $$
  select n.wallet_id, n.sequence
    from unnest(draws) as d (id)
   cross join lateral (
      select b.wallet_id, b.sequence from credits.balances b
       where b.wallet_id >= d.id order by b.wallet_id limit run_length) n
  union
  select b.wallet_id, b.sequence
    from (select distinct r.wallet_id
            from (select t.wallet_id from credits.transactions t
                   where t.id > since_id order by t.id desc limit 50 * changed_max) r
           limit changed_max) c
    join credits.balances b on b.wallet_id = c.wallet_id
$$;

grant execute on function credits.wallet_id_range(), credits.wallets_to_audit(uuid[], integer, uuid, integer)
  to obol_app;
