-- Ends what an application may spend, of one person or of all (null), when their consent ends: they took it back, lost
-- access, or the application is no more. What is held can still be captured. Mandates are locked in the order of their
-- ids, and no wallet is. Runs in the transaction of the service that ends the consent.
create function credits.end_mandates(of_app text, of_wallet uuid, at_time timestamptz) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  ended integer;
begin
  perform 1 from credits.mandates m
    where m.app_id = of_app and m.member_id is null and m.status <> 'revoked'
      and (of_wallet is null or m.wallet_id = of_wallet)
    order by m.id for no key update;
  update credits.mandates m set status = 'revoked', updated_at = at_time
   where m.app_id = of_app and m.member_id is null and m.status <> 'revoked'
     and (of_wallet is null or m.wallet_id = of_wallet);
  get diagnostics ended = row_count;
  return ended;
end $$;

grant execute on function credits.end_mandates(text, uuid, timestamptz) to obol_app;
