-- Payments, guarded: what pays somebody else counts for nothing, only orders of ours are captured, and limits hold
-- while a payment that failed may still be made.

-- Whose payments count ------------------------------------------------------------------------------------------------

-- Whether an approved payment at a provider ({checkoutId, purchaseId, invoiceId, amountCents, currency}) may be taken:
-- for a purchase that was begun there and may still be paid, of exactly its price, and by the checkout that we opened
-- or under our bill. One that failed may be paid as long as its checkout lasts, with another card.
create function payments.may_capture(from_provider text, live boolean, told jsonb, at_time timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog
as $$
  select exists (
    select from credits.purchases p
     where p.id = payments.to_uuid(told->>'purchaseId') and p.provider = from_provider and p.is_live = live
       and (p.status = 'pending' or (p.status = 'failed' and p.expires_at > at_time))
       and p.price_cents = (told->>'amountCents')::bigint and p.currency = told->>'currency'
       and (p.checkout_id = told->>'checkoutId' or payments.to_uuid(told->>'invoiceId') = p.id))
$$;

-- Keeps an event ({provider, isLive, refusal, event}) of which nothing counts, as `payments.receive_events` keeps
-- others. One that is there already stays as it is.
create function payments.keep_refused_event(refused jsonb, at_time timestamptz)
  returns table (outcome text, reason text, is_repeat boolean)
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  told jsonb := refused->'event';
begin
  insert into payments.events (id, provider, provider_event_id, type, payload, received_at, outcome, reason, is_live,
      happened_at)
    values ((told->>'id')::uuid, refused->>'provider', told->>'providerEventId', told->>'type', told->'payload',
      at_time, 'refused', refused->>'refusal', coalesce((refused->>'isLive')::boolean, false),
      (told->>'happenedAt')::timestamptz)
    on conflict do nothing;
  return query
    select e.outcome, e.reason, e.id <> (told->>'id')::uuid from payments.events e
     where e.provider = refused->>'provider' and e.provider_event_id = told->>'providerEventId';
end $$;

grant execute on function payments.may_capture(text, boolean, jsonb, timestamptz),
  payments.keep_refused_event(jsonb, timestamptz) to obol_app;

-- Limits --------------------------------------------------------------------------------------------------------------

-- Refuses with payments.limit_reached when the person has bought as much of a package as one may. What is pending
-- counts, so that nobody pays for more; so does, at PayPal, what was declined, as long as it may be paid with another
-- card. The wallet is locked.
create or replace function payments.assert_within_limit(
  package credits.packages, buyer uuid, at_time timestamptz
) returns void
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  bought bigint;
begin
  if package.per_user_max is null then return; end if;
  select count(*) into bought from credits.purchases p
   where p.user_id = buyer and p.package_id = package.id
     and (p.status <> 'failed' or (p.provider = 'paypal' and p.expires_at > at_time and exists (
       select from payments.checkouts c
        where c.status = 'failed' and (c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)))))
     and (package.per_user_days is null or p.created_at > at_time - make_interval(days => package.per_user_days));
  if bought >= package.per_user_max then
    perform obol.refuse('payments.limit_reached',
      jsonb_build_object('perUserMax', package.per_user_max, 'perUserDays', package.per_user_days));
  end if;
end $$;
