-- Reading the past of a wallet at a cost that does not grow with it: `sequence` has no gaps within a wallet and
-- `created_at` never goes back with it, so counting is subtraction and a point in time is found by halving.

-- The sequence of a wallet's last transaction before an instant, 0 when there is none. Reads as the caller.
create function credits.sequence_before(of_wallet uuid, instant timestamptz) returns bigint
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select coalesce(max(t.sequence), 0) into high from credits.transactions t where t.wallet_id = of_wallet;
  while low < high loop
    middle := (low + high + 1) / 2;
    if (select t.created_at < instant from credits.transactions t
         where t.wallet_id = of_wallet and t.sequence = middle) then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end $$;

-- Brings the wallets of the caller (see Database.asCaller) up to at_time, so that a history read next is complete.
create function credits.refresh_own_wallets(at_time timestamptz, daily_amount bigint, daily_cap bigint) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  due uuid[] := array(select b.wallet_id from credits.balances b
                       where b.owner_id = auth.uid() and least(b.next_daily_at, b.next_expiry_at) <= at_time);
begin
  if cardinality(due) > 0 then perform credits.lock_wallets(due, at_time, daily_amount, daily_cap); end if;
end $$;

grant execute on function credits.sequence_before(uuid, timestamptz),
  credits.refresh_own_wallets(timestamptz, bigint, bigint) to obol_app;
