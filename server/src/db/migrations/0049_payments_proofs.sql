-- A bill that could not be paid at first stays open at Stripe until the last try: only the event says that one has
-- failed. A list that calls it open is no difference.

create or replace function payments.compare_invoice(from_provider text, fact jsonb) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.invoices;
  bought uuid;
  shown jsonb;
  ranks constant text[] := array['open', 'failed', 'void', 'paid'];
begin
  select i.* into ours from payments.invoices i
   where i.provider = from_provider and i.invoice_id = fact->>'invoiceId';
  if ours.invoice_id is null then
    return case
      when exists (
        select from payments.subscriptions s
         where s.id = payments.to_uuid(fact->>'subscriptionId')
            or (s.provider = from_provider and s.provider_subscription_id = fact->>'providerSubscriptionId'))
        then row('only_theirs', 'not_heard_of', true, null, null)::payments.comparison
      when fact->>'subscriptionId' is null or fact->>'status' <> 'paid'
        then row('unrelated', null, false, null, null)::payments.comparison
      else row('only_theirs', 'no_subscription', false, null, null)::payments.comparison end;
  end if;
  select p.purchase_id into bought from payments.periods p
   where p.provider = from_provider and p.invoice_id = ours.invoice_id;
  shown := jsonb_build_object('status', ours.status, 'amountCents', ours.amount_cents, 'currency', ours.currency,
    'refusal', ours.refusal);
  return case
    when array_position(ranks, fact->>'status') > array_position(ranks, ours.status)
      or (ours.status = 'paid' and ours.payment_id is null and fact->>'paymentId' is not null)
      then row('differing', 'behind', true, bought, shown)::payments.comparison
    when fact->>'status' <> ours.status and (fact->>'status', ours.status) <> ('open', 'failed')
      then row('differing', 'ahead', false, bought, shown)::payments.comparison
    when (fact->>'amountCents')::bigint <> ours.amount_cents or fact->>'currency' <> ours.currency
      then row('differing', 'amount', false, bought, shown)::payments.comparison
    when ours.status = 'paid' and ours.settled_at is null
      then row('differing', coalesce(ours.refusal, 'unsettled'), ours.refusal is null, bought,
        shown)::payments.comparison
    else row('matched', null, false, bought, shown)::payments.comparison end;
end $$;
