-- Payments, closed: what may still be paid is one thing, whoever asks, and nobody pays after their account is gone.

-- What may still be paid ----------------------------------------------------------------------------------------------

-- Until when the checkout of a purchase may be paid: PayPal forgets an order three hours after it was opened.
create function payments.payable_until(purchase credits.purchases) returns timestamptz
  language sql immutable set search_path = pg_catalog
as $$
  select case purchase.provider when 'paypal'
    then least(purchase.expires_at, purchase.created_at + interval '3 hours') else purchase.expires_at end
$$;

-- Whether somebody may still pay for a purchase: one that is under way, and one of PayPal's that was declined, as long
-- as its order lasts, since its customer may approve it anew with another card. Stripe's that failed are over.
create function payments.may_be_paid(purchase credits.purchases, at_time timestamptz) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select purchase.status = 'pending'
    or (purchase.status = 'failed' and purchase.provider = 'paypal' and purchase.checkout_id is not null
        and payments.payable_until(purchase) > at_time
        and not exists (
          select from payments.checkouts c
           where c.provider = purchase.provider and c.checkout_id = purchase.checkout_id and c.status = 'expired'))
$$;

-- Whether an approved payment at a provider ({checkoutId, purchaseId, invoiceId, amountCents, currency}) may be taken:
-- for a purchase that was begun there and may still be paid, of exactly its price, and by the checkout that we opened
-- or under our bill. Nobody pays for a wallet that is closed: its owner is gone.
create or replace function payments.may_capture(
  from_provider text, live boolean, told jsonb, at_time timestamptz
) returns boolean
  language sql stable security definer set search_path = pg_catalog
as $$
  select exists (
    select from credits.purchases p
     where p.id = payments.to_uuid(told->>'purchaseId') and p.provider = from_provider and p.is_live = live
       and payments.may_be_paid(p, at_time)
       and p.price_cents = (told->>'amountCents')::bigint and p.currency = told->>'currency'
       and (p.checkout_id = told->>'checkoutId' or payments.to_uuid(told->>'invoiceId') = p.id)
       and not exists (select from credits.balances b where b.wallet_id = p.wallet_id and b.status = 'closed'))
$$;

-- Erasure -------------------------------------------------------------------------------------------------------------

-- Purchases of a person that may still be paid, as purchase_view shows them.
drop function payments.open_purchases_of(uuid);
create function payments.open_purchases_of(person uuid, at_time timestamptz) returns setof jsonb
  language sql stable security definer set search_path = pg_catalog
as $$
  select payments.purchase_view(p.id) from credits.purchases p
   where p.user_id = person and p.kind in ('pack', 'top_up') and payments.may_be_paid(p, at_time)
   order by p.id
$$;
grant execute on function payments.open_purchases_of(uuid, timestamptz) to obol_app;

-- What a person may still pay for and nobody can end any more: a purchase that may still be paid, the checkout of a
-- subscription. One that has a checkout counts until its provider has said what came of it; PayPal takes none back, so
-- one that was left there counts until it ends by itself, after three hours.
create or replace function payments.open_checkouts_of(person uuid, at_time timestamptz)
  returns table (id uuid, kind text, expires_at timestamptz)
  language sql stable set search_path = pg_catalog
as $$
  select p.id, 'purchase', payments.payable_until(p) from credits.purchases p
   where p.user_id = person and p.kind in ('pack', 'top_up') and payments.may_be_paid(p, at_time)
  union all
  select s.id, 'subscription', e.expires_at
    from payments.subscriptions s
   cross join lateral (select case s.provider when 'paypal' then s.created_at + interval '3 hours'
     else coalesce(s.checkout_expires_at, s.created_at + interval '1 hour') end) as e (expires_at)
   where s.user_id = person
     and ((s.status = 'opening' and (s.checkout_id is not null or e.expires_at > at_time))
       or (s.status = 'abandoned' and s.provider = 'paypal' and e.expires_at > at_time))
$$;

-- Subscriptions that should not go on ---------------------------------------------------------------------------------

-- The subscriptions that are to be ended (see ending_of). Only those are looked at whose checkout was left or of whose
-- bills something went back, however many others there are.
create function payments.unwanted_subscriptions() returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  with back as materialized (
    select r.provider, r.payment_id from payments.refunds r where r.status <> 'failed'
    union
    select d.provider, d.payment_id from payments.disputes d where d.status = 'lost'),
  candidates as materialized (
    select s.id from payments.subscriptions s
     where s.abandoned_at is not null and s.status in ('active', 'past_due') and not s.cancels_at_period_end
    union
    select p.subscription_id
      from back b
      join payments.invoices i on i.provider = b.provider and i.payment_id = b.payment_id
      join payments.periods p on p.provider = i.provider and p.invoice_id = i.invoice_id)
  select c.id from candidates c where (payments.ending_of(c.id)).end_for is not null
$$;
grant execute on function payments.unwanted_subscriptions() to obol_app;
