-- Payments, mended: refunds after warnings go the way of all refunds, wallets thaw, and what people wrote about refunds
-- is theirs to see and to have forgotten.

-- Fraud warnings ------------------------------------------------------------------------------------------------------

-- Answers warnings whose purchases are known, each once: `wanted_answer` is recorded, frozen or refunded. A payment of
-- which nothing is left to refund is only recorded. A refund takes the credits at once and is on its way from then on,
-- as if an administrator had asked for it; returns its id, for whoever sends it.
create or replace function payments.answer_fraud_warnings(
  wanted_answer text, rows_max integer, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns setof jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  warned record;
  request_id uuid;
  left_cents bigint;
begin
  for warned in
    select w.provider, w.warning_id, w.payment_id, w.is_actionable, c.total_cents, p.id as purchase_id, p.wallet_id
      from payments.fraud_warnings w
      join payments.checkouts c on c.provider = w.provider and c.payment_id = w.payment_id and c.is_live = w.is_live
      join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
     where w.answer is null and c.status = 'paid'
     order by w.received_at, w.warning_id, c.checkout_id limit rows_max
       for no key update of w skip locked
  loop
    -- A payment may stand in more checkouts than one.
    continue when exists (
      select from payments.fraud_warnings w
       where w.provider = warned.provider and w.warning_id = warned.warning_id and w.answer is not null);
    request_id := null;
    if wanted_answer = 'refunded' and warned.is_actionable then
      -- The purchase is locked, so that two warnings about it do not refund it twice.
      perform from credits.purchases p where p.id = warned.purchase_id for no key update;
      left_cents := warned.total_cents - payments.back_of_payment(warned.provider, warned.payment_id);
      if left_cents > 0 then
        request_id := credits.new_id(at_time);
        insert into payments.refund_requests (id, purchase_id, amount_cents, reason, status, created_at, updated_at,
            decided_at, next_try_at)
          values (request_id, warned.purchase_id, left_cents, 'fraud_warning', 'sent', at_time, at_time, at_time,
            at_time + interval '5 minutes');
      end if;
    elsif wanted_answer = 'frozen' then
      update credits.balances b set status = 'frozen' where b.wallet_id = warned.wallet_id and b.status = 'active';
    end if;
    update payments.fraud_warnings w
       set answer = case when wanted_answer = 'refunded' and request_id is null then 'recorded' else wanted_answer end,
           answered_at = at_time, refund_request_id = request_id
     where w.provider = warned.provider and w.warning_id = warned.warning_id;
    if request_id is not null then
      perform payments.settle(array[warned.purchase_id], at_time, daily_amount, daily_cap);
      return next to_jsonb(request_id);
    end if;
  end loop;
end $$;

-- Which payment a refund is of: after a warning the one that was warned of, else the one that counts for its purchase.
create function payments.payment_of_refund(request payments.refund_requests) returns text
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(
    (select w.payment_id from payments.fraud_warnings w where w.refund_request_id = request.id limit 1),
    (select p.provider_payment_id from credits.purchases p where p.id = request.purchase_id))
$$;

-- How many cents of a payment have gone back, are called back, or were asked for.
create function payments.back_of_payment(from_provider text, of_payment text) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select (
      coalesce((select sum(r.amount_cents) from payments.refunds r
                 where r.provider = from_provider and r.payment_id = of_payment and r.status <> 'failed'), 0)
      + coalesce((select sum(d.amount_cents) from payments.disputes d
                   where d.provider = from_provider and d.payment_id = of_payment and d.status <> 'won'), 0)
      + coalesce((select sum(q.amount_cents)
                    from payments.refund_requests q
                   where q.purchase_id in (
                       select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
                        where c.provider = from_provider and c.payment_id = of_payment)
                     and q.status in ('open', 'sent') and payments.payment_of_refund(q) = of_payment
                     and not exists (select from payments.refunds r where r.refund_request_id = q.id)), 0))::bigint
$$;

-- What a provider must know to send money back, as long as it is to be sent and the provider has not told of it.
create or replace function payments.refund_order(wanted uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog
as $$
  select jsonb_build_object('id', q.id, 'provider', p.provider, 'is_live', p.is_live,
           'payment_id', payments.payment_of_refund(q), 'amount_cents', q.amount_cents, 'currency', p.currency,
           'reason', q.reason, 'decided_at', q.decided_at)
    from payments.refund_requests q join credits.purchases p on p.id = q.purchase_id
   where q.id = wanted and q.status = 'sent'
     and not exists (select from payments.refunds r where r.refund_request_id = q.id)
$$;

-- Those that were asked for by a way of their own until now, and may have been sent.
update payments.refund_requests q
   set status = 'sent', decided_at = q.created_at, next_try_at = q.created_at
 where q.status = 'open'
   and exists (select from payments.fraud_warnings w where w.refund_request_id = q.id);

drop function payments.open_fraud_refunds(integer);
drop function payments.note_fraud_refund(uuid, text, timestamptz, bigint, bigint);
