-- How many decimal places the amounts of this ledger have: one row, from the first start on. Amounts are counted in
-- their last place, so with another number of places every wallet would be worth another sum.
create table credits.scale (
  is_only boolean primary key default true,
  decimals smallint not null,
  constraint scale_is_only_check check (is_only),
  constraint scale_decimals_check check (decimals between 0 and 6)
);
select obol.protect('credits.scale', null, 'select');

-- Notes how many decimal places amounts are to have, while nobody has a wallet, and returns how many they have.
create function credits.agree_on_scale(wanted integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  known integer := (select s.decimals from credits.scale s);
begin
  if known = wanted or (known is not null and exists (select from credits.balances)) then return known; end if;
  insert into credits.scale as s (decimals) values (wanted)
    on conflict (is_only) do update set decimals = excluded.decimals
    returning s.decimals into known;
  return known;
end $$;
grant execute on function credits.agree_on_scale(integer) to obol_app;
