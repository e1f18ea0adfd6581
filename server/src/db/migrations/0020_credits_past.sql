-- What a wallet held at a past instant, from its journal.

-- The wallet right after everything that had happened at `instant`, the instant included: how much was free, paid and
-- held, and the head of its chain. Sequence 0 before its first transaction. Finds the place by halving; free and held
-- are then summed up from the beginning or from the end of the journal, whichever is nearer. Reads as the caller.
create function credits.balance_at(of_wallet uuid, instant timestamptz)
  returns table (sequence bigint, hash bytea, free bigint, paid bigint, held bigint)
  language plpgsql stable set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
as $$
declare
  wallet credits.balances;
  place bigint := credits.sequence_before(of_wallet, instant + interval '1 microsecond');
  is_late boolean;
  changed record;
begin
  select b.* into wallet from credits.balances b where b.wallet_id = of_wallet;
  if place = 0 then
    return query select 0::bigint, decode(repeat('00', 32), 'hex'), 0::bigint, 0::bigint, 0::bigint;
    return;
  end if;
  is_late := place * 2 > wallet.sequence;
  select coalesce(sum(e.amount) filter (where l.kind = 'free'), 0)::bigint as free,
         coalesce(sum(e.amount) filter (where e.account like '%:held'), 0)::bigint as held
    into changed
    from credits.transactions t
    join credits.entries e on e.transaction_id = t.id and e.account like 'wallet:%'
    join credits.lots l on l.id = e.lot_id
   where t.wallet_id = of_wallet and t.sequence > case when is_late then place else 0 end
     and t.sequence <= case when is_late then wallet.sequence else place end;
  if is_late then
    changed.free := wallet.free - changed.free;
    changed.held := wallet.held - changed.held;
  end if;
  return query select t.sequence, t.hash, changed.free, t.balance_after - changed.free, changed.held
    from credits.transactions t where t.wallet_id = of_wallet and t.sequence = place;
end $$;

-- A transaction of a wallet as it is sealed, for a receipt; see credits.sealed_text. Reads as the caller.
create function credits.sealed_transaction(of_wallet uuid, wanted uuid)
  returns table (sealed text, previous_hash text, hash text)
  language sql stable set search_path = pg_catalog
as $$
  select credits.sealed_text(t, (
           select jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal)
             from credits.entries e where e.transaction_id = t.id)),
         encode(t.previous_hash, 'hex'), encode(t.hash, 'hex')
    from credits.transactions t where t.id = wanted and t.wallet_id = of_wallet
$$;

grant execute on function credits.balance_at(uuid, timestamptz), credits.sealed_transaction(uuid, uuid),
  credits.sealed_text(credits.transactions, jsonb) to obol_app;
