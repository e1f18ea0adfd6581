-- Payments: one bill that is refused holds up no other, and what a bill is for is told by what was paid.

-- The comparison ------------------------------------------------------------------------------------------------------

drop function payments.compare_invoice(text, jsonb);
-- Compares a bill of a subscription. One that is paid and whose subscription nobody knows, such as that of somebody who
-- is gone, is for an administrator, and so is one that would be refused: applying it puts nothing right. One that could
-- not be paid at first stays open at Stripe until the last try, so a list that calls it open is no difference.
create function payments.compare_invoice(from_provider text, fact jsonb, live boolean) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.invoices;
  bought uuid;
  shown jsonb;
  verdict payments.verdict;
  problem text;
  is_known boolean := exists (
    select from payments.subscriptions s
     where s.id = payments.to_uuid(fact->>'subscriptionId')
        or (s.provider = from_provider and s.provider_subscription_id = fact->>'providerSubscriptionId'));
  ranks constant text[] := array['open', 'failed', 'void', 'paid'];
begin
  select i.* into ours from payments.invoices i
   where i.provider = from_provider and i.invoice_id = fact->>'invoiceId';
  verdict := payments.judge_subscription(from_provider, fact, live);
  problem := case when verdict.outcome = 'refused' then verdict.reason end;
  if ours.invoice_id is null or (not is_known and ours.settled_at is null) then
    return case
      when is_known
        then row('only_theirs', coalesce(problem, 'not_heard_of'), problem is null, null, null)::payments.comparison
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
      then row('differing', coalesce(problem, 'behind'), problem is null, bought, shown)::payments.comparison
    when fact->>'status' <> ours.status and (fact->>'status', ours.status) <> ('open', 'failed')
      then row('differing', 'ahead', false, bought, shown)::payments.comparison
    when (fact->>'amountCents')::bigint <> ours.amount_cents or fact->>'currency' <> ours.currency
      then row('differing', 'amount', false, bought, shown)::payments.comparison
    when ours.status = 'paid' and ours.settled_at is null
      then row('differing', coalesce(problem, ours.refusal, 'unsettled'), problem is null, bought,
        shown)::payments.comparison
    else row('matched', null, false, bought, shown)::payments.comparison end;
end $$;

-- Compares facts of a provider's with what is known here, in the order given. `new_payments` are payments that have
-- only been heard of by facts before these. Changes nothing.
create or replace function payments.compare_facts(
  from_provider text, live boolean, facts jsonb, new_payments text[]
) returns table (list text, reason text, is_safe boolean, purchase_id uuid, ours jsonb)
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  fact jsonb;
  compared payments.comparison;
begin
  for fact in select f.value from jsonb_array_elements(facts) with ordinality f order by f.ordinality loop
    compared := case fact->>'kind'
      when 'checkout' then payments.compare_checkout(from_provider, fact, live)
      when 'refund' then payments.compare_reversal(from_provider, fact, live, new_payments)
      when 'dispute' then payments.compare_reversal(from_provider, fact, live, new_payments)
      when 'invoice' then payments.compare_invoice(from_provider, fact, live)
      when 'subscription' then payments.compare_subscription(from_provider, fact)
      else row('matched', null, false, null, null)::payments.comparison end;
    list := compared.list;
    reason := compared.reason;
    is_safe := compared.is_safe;
    purchase_id := compared.purchase_id;
    ours := compared.ours;
    return next;
  end loop;
end $$;

-- Plans at PayPal -----------------------------------------------------------------------------------------------------

-- PayPal bills what is owed together with the next period where its plan says so, and a bill over two prices is none of
-- ours. Plans there are made anew without that; the old ones say which plan those have who subscribed to them.
alter table payments.plan_prices add column is_current boolean not null default true;
alter table payments.plan_prices alter column is_current drop default;
update payments.plan_prices p set is_current = false where p.provider = 'paypal';

-- Changes of plan -----------------------------------------------------------------------------------------------------

-- Until then somebody is changing the plan of a subscription, and nobody else does.
alter table payments.subscriptions add column change_ends_at timestamptz(3);

-- Openings at PayPal --------------------------------------------------------------------------------------------------

-- A subscription that nobody has approved there waits in its checkout. It was called incomplete when PayPal told of it,
-- and could neither be cancelled nor resumed.
update payments.subscriptions s set status = 'opening'
 where s.provider = 'paypal' and s.status = 'incomplete' and s.paid_ends_at is null;

-- Refunds of whole units ----------------------------------------------------------------------------------------------

-- Of how many cents the refunds of a purchase are multiples: PayPal has no decimals of forints and Taiwan dollars.
create function payments.refund_step_of(purchase credits.purchases) returns bigint
  language sql immutable set search_path = pg_catalog
as $$
  select case when purchase.provider = 'paypal' and purchase.currency in ('HUF', 'TWD') then 100 else 1 end
$$;

-- Begins a refund (id, purchase_id, user_id, session_id, amount_cents, reason, idempotency_key, request_hash,
-- is_administrator, automatic_seconds). Its credits leave the wallet in this transaction. The buyer's waits for an
-- administrator, unless nothing was spent and the purchase is younger than automatic_seconds; an administrator's is on
-- its way at once. A repeated key gets the first one again. Refuses with auth.session_ended, auth.admin_required,
-- request.not_found, idempotency.mismatch, payments.refund_open, payments.not_refundable, payments.refund_exceeds (also
-- for what the provider cannot send, see refund_step_of).
create or replace function payments.begin_refund(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  asker uuid := (asked->>'user_id')::uuid;
  for_all boolean := coalesce((asked->>'is_administrator')::boolean, false);
  asker_role text := auth.assert_session(asker, (asked->>'session_id')::uuid, at_time);
  purchase credits.purchases;
  first payments.refund_requests;
  made payments.refund_requests;
  refundable payments.refundable;
  most_cents bigint;
  step_cents bigint;
begin
  if for_all and asker_role <> 'admin' then perform obol.refuse('auth.admin_required'); end if;
  select p.* into purchase from credits.purchases p
   where p.id = (asked->>'purchase_id')::uuid and (for_all or p.wallet_id = asker) for no key update;
  if not found then perform obol.refuse('request.not_found'); end if;
  select q.* into first from payments.refund_requests q
   where q.requested_by = asker and q.idempotency_key = asked->>'idempotency_key';
  if found then
    if first.request_hash <> decode(asked->>'request_hash', 'hex') then
      perform obol.refuse('idempotency.mismatch');
    end if;
    return payments.refund_view(first) || '{"is_replay": true}';
  end if;
  select q.* into first from payments.refund_requests q where q.purchase_id = purchase.id and q.status = 'open';
  if found then perform obol.refuse('payments.refund_open', jsonb_build_object('refundId', first.id)); end if;
  step_cents := payments.refund_step_of(purchase);
  perform credits.lock_wallets(array[purchase.wallet_id], at_time, daily_amount, daily_cap);
  refundable := payments.refundable_of(purchase, at_time);
  if refundable.payment_id is null then perform obol.refuse('payments.not_refundable'); end if;
  most_cents := case when for_all then refundable.paid_cents - refundable.back_cents else refundable.unspent_cents end;
  most_cents := most_cents - most_cents % step_cents;
  made.amount_cents := coalesce((asked->>'amount_cents')::bigint, most_cents);
  if made.amount_cents > most_cents or most_cents <= 0 or made.amount_cents % step_cents > 0 then
    perform obol.refuse('payments.refund_exceeds', jsonb_build_object('refundableCents',
      greatest(0, least(most_cents, made.amount_cents - made.amount_cents % step_cents))));
  end if;
  made.id := (asked->>'id')::uuid;
  made.purchase_id := purchase.id;
  made.reason := asked->>'reason';
  made.requested_by := asker;
  made.idempotency_key := asked->>'idempotency_key';
  made.request_hash := decode(asked->>'request_hash', 'hex');
  made.created_at := at_time;
  made.updated_at := at_time;
  made.status := 'open';
  if for_all then made.decided_by := asker; end if;
  if for_all or (refundable.is_untouched
      and purchase.completed_at > at_time - make_interval(secs => (asked->>'automatic_seconds')::integer)) then
    made.status := 'sent';
    made.decided_at := at_time;
    made.next_try_at := at_time + interval '5 minutes';
  end if;
  insert into payments.refund_requests select made.* on conflict (requested_by, idempotency_key) do nothing;
  -- The same key goes with another purchase at this very moment.
  if not found then perform obol.refuse('idempotency.mismatch'); end if;
  perform payments.settle(array[purchase.id], at_time, daily_amount, daily_cap);
  if for_all then
    perform audit.append('payments.refund_made', 'user', asker::text, 'purchase', purchase.id::text, made.reason,
      asked->>'ip_address', jsonb_build_object('refundId', made.id, 'amountCents', made.amount_cents), at_time);
  end if;
  return payments.refund_view(made) || '{"is_replay": false}';
end $$;

-- Late payments -------------------------------------------------------------------------------------------------------

-- The price that a bill is for. PayPal does not say which plan a payment was for, and the subscription may be on
-- another by now, as when what had failed is paid after a change: where the price does not fit, it is for those terms
-- that the subscription has, or had in an earlier period, whose price does.
create function payments.price_billed(subscription payments.subscriptions, invoice payments.invoices) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  named payments.plan_versions := payments.version_of(invoice.provider, invoice.provider_price_id);
begin
  if invoice.provider <> 'paypal' or invoice.purpose <> 'period' or named.plan_id is null
    or (named.price_cents, named.currency) = (invoice.amount_cents, invoice.currency) then
    return invoice.provider_price_id;
  end if;
  return coalesce((
    select x.provider_price_id
      from (
        select subscription.plan_id, subscription.version, 'infinity'::timestamptz as starts_at
        union all
        select p.plan_id, p.version, p.starts_at from payments.periods p
         where p.subscription_id = subscription.id and p.purpose = 'period') had
      join payments.plan_versions v on v.plan_id = had.plan_id and v.version = had.version
      join payments.plan_prices x on x.plan_id = v.plan_id and x.version = v.version
       and x.provider = invoice.provider and x.is_live = invoice.is_live
     where (v.price_cents, v.currency) = (invoice.amount_cents, invoice.currency)
       and v.billing_interval = named.billing_interval
     order by had.starts_at desc, x.provider_price_id limit 1), invoice.provider_price_id);
end $$;

-- Why a bill that is paid does not bring what it is for; `waiting` when it cannot be said yet, null when it does.
create or replace function payments.problem_of(
  subscription payments.subscriptions, invoice payments.invoices
) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  billed payments.plan_versions := payments.version_of(invoice.provider, payments.price_billed(subscription, invoice));
  before payments.plan_versions;
  period payments.periods;
begin
  if exists (select from payments.periods p
              where p.provider = invoice.provider and p.invoice_id = invoice.invoice_id) then return null; end if;
  if subscription.is_live <> invoice.is_live then return 'wrong_mode'; end if;
  if billed.plan_id is null then return 'unknown_price'; end if;
  if billed.currency <> invoice.currency then return 'wrong_currency'; end if;
  if invoice.period_starts_at >= invoice.period_ends_at then return 'wrong_period'; end if;
  if invoice.purpose = 'period' then
    return case when billed.price_cents <> invoice.amount_cents then 'wrong_amount'
      when exists (select from payments.periods p
                    where p.subscription_id = subscription.id and p.purpose = 'period'
                      and p.starts_at = invoice.period_starts_at) then 'period_paid_before' end;
  end if;
  period := payments.period_at(subscription.id, invoice.period_starts_at);
  if period.id is null then return 'waiting'; end if;
  before := payments.version_before(subscription.id, billed, period);
  if before.plan_id is null then return 'unknown_change'; end if;
  -- Providers round what they give back of the old price and what they ask of the new one each for itself.
  if abs(invoice.amount_cents - payments.part_of(billed.price_cents - before.price_cents, invoice.period_starts_at,
      period.starts_at, period.ends_at)) > 2 then return 'wrong_amount'; end if;
  return null;
end $$;

-- Makes a period and its purchase of every bill of a subscription that is paid as it should, whole periods first, so
-- that changes within them find them. Returns the purchases to be settled. The subscription is locked.
create or replace function payments.settle_invoices(
  subscription payments.subscriptions, at_time timestamptz
) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  invoice payments.invoices;
  problem text;
  purchase_ids uuid[] := '{}';
  is_settled boolean := false;
begin
  for invoice in
    select i.* from payments.invoices i
     where i.provider = subscription.provider and i.provider_subscription_id = subscription.provider_subscription_id
       and i.status = 'paid' and i.settled_at is null
     order by i.purpose desc, i.period_starts_at, i.invoice_id
  loop
    problem := payments.problem_of(subscription, invoice);
    if problem is null then
      invoice.provider_price_id := payments.price_billed(subscription, invoice);
      purchase_ids := purchase_ids || payments.begin_period(subscription, invoice, at_time);
      is_settled := true;
    end if;
    update payments.invoices i set refusal = problem, settled_at = case when problem is null then at_time end
     where i.provider = invoice.provider and i.invoice_id = invoice.invoice_id;
  end loop;
  if is_settled then perform payments.note_paid_periods(subscription.id, at_time); end if;
  return purchase_ids;
end $$;
