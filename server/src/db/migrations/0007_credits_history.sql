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

grant execute on function credits.sequence_before(uuid, timestamptz) to obol_app;
