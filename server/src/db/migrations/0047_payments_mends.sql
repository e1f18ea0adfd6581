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

-- Wallets that were frozen --------------------------------------------------------------------------------------------

-- Lets a wallet that was frozen take part again. Refuses with request.not_found, credits.wallet_not_frozen. Who may
-- ask for it is for the caller to know.
create function credits.thaw_wallet(wanted uuid) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  update credits.balances b set status = 'active' where b.wallet_id = wanted and b.status = 'frozen';
  if found then return; end if;
  perform from credits.balances b where b.wallet_id = wanted;
  perform obol.refuse(case when found then 'credits.wallet_not_frozen' else 'request.not_found' end);
end $$;
grant execute on function credits.thaw_wallet(uuid) to obol_app;

-- What people wrote about refunds -------------------------------------------------------------------------------------

-- Forgets what was written about the refunds of a person, and what they wrote about those of others.
create function payments.forget_refund_texts(person uuid) returns void
  language sql volatile set search_path = pg_catalog
as $$
  with own as (
    select q.id, q.requested_by is not distinct from person or p.user_id is not distinct from person as has_reason,
           q.decided_by is not distinct from person or p.user_id is not distinct from person as has_decision
      from payments.refund_requests q join credits.purchases p on p.id = q.purchase_id
     where q.requested_by = person or q.decided_by = person or p.user_id = person
  )
  update payments.refund_requests q
     set reason = case when o.has_reason and q.reason <> 'fraud_warning' then 'Erased' else q.reason end,
         decision = case when not o.has_decision then q.decision end,
         idempotency_key = case when not o.has_reason then q.idempotency_key end,
         request_hash = case when not o.has_reason then q.request_hash end
    from own o where q.id = o.id
$$;

