-- What 0055 noted could be noted anew while nobody had a wallet, by any process and under a running one. From now on
-- the first process notes it, and only the owner corrects it.

-- Notes how many decimal places amounts have where nothing is noted yet, and returns what is noted.
create or replace function credits.agree_on_scale(wanted integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  insert into credits.scale (decimals) values (wanted) on conflict (is_only) do nothing;
  return (select s.decimals from credits.scale s);
end $$;

-- How many decimal places amounts are noted to have; null when nothing is noted.
create function credits.noted_scale() returns integer
  language sql stable security definer set search_path = pg_catalog
as $$ select s.decimals from credits.scale s $$;
grant execute on function credits.noted_scale() to obol_app;

-- Corrects what is noted. Amounts stay the numbers that they are, so once there are wallets this is refused, and
-- answered with false, unless `keeps_amounts` says that it is meant.
create function credits.correct_scale(corrected integer, keeps_amounts boolean) returns boolean
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  lock table credits.balances in share mode;
  if not keeps_amounts and exists (select from credits.balances) then return false; end if;
  insert into credits.scale (decimals) values (corrected)
    on conflict (is_only) do update set decimals = excluded.decimals;
  return true;
end $$;
