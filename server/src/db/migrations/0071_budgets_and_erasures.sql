-- Budgets of keys are changed by the terms by which the change was judged, and the models that people lost who were
-- erased before models were kept.

-- Budgets -------------------------------------------------------------------------------------------------------------

-- The budget of a key, unless it was revoked: locked, so that whether a change raises it is judged by the terms that it
-- changes. For the service, in the transaction of the change; a key is locked before its budget.
create function credits.lock_budget(of_key uuid, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  budget credits.mandates;
begin
  perform oauth.assert_service();
  select m.* into budget from credits.mandates m
   where m.key_id = of_key and m.status <> 'revoked' for no key update;
  if not found then return null; end if;
  return credits.mandate_view(budget, at_time);
end $$;
grant execute on function credits.lock_budget(uuid, timestamptz) to obol_app;
