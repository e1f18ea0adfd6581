-- Payments: money on its way back. Refunds that people ask for and administrators decide on, disputes as administrators
-- see them, and the comparison of what providers list with what is known here. See docs/decisions/payments.md.
--
-- Locks are taken in the order of 0040_payments_core.sql: purchases, then wallets. A request for a refund is changed
-- only under the lock of its purchase, or by one statement that says which state it leaves.

alter table payments.refund_requests
  add column decided_by uuid,
  add column decided_at timestamptz(3),
  add column decision text,
  add column problem text,
  add column idempotency_key text,
  add column request_hash bytea,
  add column next_try_at timestamptz(3),
  add constraint refund_requests_decided_by_users_id_fk foreign key (decided_by)
    references auth.users (id) on delete set null;
create index refund_requests_decided_by_idx on payments.refund_requests (decided_by);
create index refund_requests_listed_idx on payments.refund_requests (created_at, id);
create index refund_requests_due_idx on payments.refund_requests (next_try_at) where next_try_at is not null;
-- One that somebody waits for a decision on; nobody has asked for those that follow from warnings of banks.
create unique index refund_requests_open_key on payments.refund_requests (purchase_id)
  where status = 'open' and requested_by is not null;
create unique index refund_requests_idempotency_key on payments.refund_requests (requested_by, idempotency_key);

-- How far administrators have been told of a dispute.
alter table payments.disputes add column announced_status text;
create index disputes_unannounced_idx on payments.disputes (updated_at) where announced_status is distinct from status;

-- What came of comparing a provider with the ledger. `findings` are the first so many of what is to be looked at.
create table payments.reconciliations (
  id uuid not null,
  provider text not null,
  is_live boolean not null,
  since_at timestamptz(3) not null,
  started_at timestamptz(3) not null,
  source text not null,
  repairs boolean not null,
  matched integer not null,
  only_theirs integer not null,
  only_ours integer not null,
  differing integer not null,
  repaired integer not null,
  unrelated integer not null,
  findings jsonb not null,
  constraint reconciliations_pkey primary key (id),
  constraint reconciliations_provider_check check (provider in ('stripe', 'paypal')),
  constraint reconciliations_source_check check (source in ('provider', 'export'))
);
create index reconciliations_listed_idx on payments.reconciliations (provider, started_at);
select obol.protect('payments.reconciliations', null, 'select, insert, delete');

-- Refunds -------------------------------------------------------------------------------------------------------------

-- What can go back of a purchase: what was paid, what of it has gone back, is called back or was asked for, and how
-- many cents more its own unspent credits are worth. `is_untouched`: nothing was spent, held, or given back.
create type payments.refundable as (
  payment_id text, paid_cents bigint, back_cents bigint, unspent_cents bigint, is_untouched boolean
);

-- The purchase and its wallet are locked. Credits are taken from the lots that came last, so what is unspent in an
-- older lot counts only when all younger ones are unspent: nobody who asks for a refund gets into debt by it.
create function payments.refundable_of(purchase credits.purchases, at_time timestamptz) returns payments.refundable
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  found_out payments.refundable;
  standing payments.standing := payments.standing_of(purchase);
  asked_cents bigint;
  unspent bigint := 0;
  brought record;
begin
  select c.payment_id, max(c.total_cents) into found_out.payment_id, found_out.paid_cents
    from payments.checkouts c
   where c.provider = purchase.provider and c.payment_id = standing.payment_id and c.status = 'paid'
   group by c.payment_id;
  select coalesce(sum(q.amount_cents), 0) into asked_cents from payments.refund_requests q
   where q.purchase_id = purchase.id and q.status in ('open', 'sent')
     and not exists (select from payments.refunds r where r.refund_request_id = q.id);
  found_out.back_cents := standing.refunded_cents + standing.disputed_cents + asked_cents;
  for brought in
    select p.amount + credits.undone(p.transaction_id, 'clawback', 'sales:' || purchase.provider) as left_over,
           case when l.expires_at <= at_time then 0 else l.remaining - l.held end as available
      from payments.postings p join credits.lots l on l.transaction_id = p.transaction_id
     where p.purchase_id = purchase.id and p.amount > 0
     order by p.id desc
  loop
    unspent := unspent + least(brought.left_over, brought.available);
    exit when brought.available < brought.left_over;
  end loop;
  unspent := least(unspent, purchase.posted_credits);
  found_out.is_untouched := unspent = purchase.credits and found_out.back_cents = 0;
  found_out.unspent_cents := greatest(0, least(found_out.paid_cents,
    div(div(purchase.credits - (purchase.posted_credits - unspent), 1) * found_out.paid_cents, purchase.credits)
  ) - found_out.back_cents);
  return found_out;
end $$;

-- A refund as it is shown. What the provider has said of it counts more than what is noted here.
create function payments.refund_view(request payments.refund_requests) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('id', request.id, 'purchase_id', request.purchase_id, 'title', p.title,
           'provider', p.provider, 'amount_cents', request.amount_cents, 'currency', p.currency,
           'state', coalesce(r.status, case request.status
             when 'open' then case when w.warning_id is null then 'requested' else 'approved' end
             when 'sent' then 'approved' when 'declined' then 'denied' else 'failed' end),
           'reason', request.reason, 'decision', request.decision, 'problem', request.problem,
           'user_id', p.user_id, 'email', u.email, 'requested_by', request.requested_by,
           'decided_by', request.decided_by, 'decided_at', request.decided_at, 'created_at', request.created_at)
    from credits.purchases p
    left join auth.users u on u.id = p.user_id
    left join lateral (
      select f.status from payments.refunds f where f.refund_request_id = request.id order by f.refund_id limit 1
    ) r on true
    left join payments.fraud_warnings w on w.refund_request_id = request.id
   where p.id = request.purchase_id
$$;

-- A refund that the provider tells of and nobody asked for here, such as one made on its own pages.
create function payments.told_refund_view(refund payments.refunds) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('id', refund.refund_id, 'purchase_id', p.id, 'title', p.title, 'provider', refund.provider,
           'amount_cents', refund.amount_cents, 'currency', refund.currency, 'state', refund.status, 'reason', null,
           'decision', null, 'problem', null, 'user_id', p.user_id, 'email', u.email, 'requested_by', null,
           'decided_by', null, 'decided_at', null, 'created_at', refund.updated_at)
    from payments.checkouts c
    join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
    left join auth.users u on u.id = p.user_id
   where c.provider = refund.provider and c.payment_id = refund.payment_id
   order by c.checkout_id limit 1
$$;

-- Refunds, the youngest first, with how many there are: of one person, or of all (null).
create function payments.list_refunds(owner uuid, wanted_state text, rows_max integer, rows_skipped integer)
  returns table (refund jsonb, total bigint)
  language sql stable security definer set search_path = pg_catalog
as $$
  with shown as materialized (
    select payments.refund_view(q) as refund
      from payments.refund_requests q join credits.purchases p on p.id = q.purchase_id
     where owner is null or p.wallet_id = owner
    union all
    select payments.told_refund_view(r) from payments.refunds r
     where not exists (select from payments.refund_requests q where q.id = r.refund_request_id)
       and (owner is null or exists (
         select from payments.checkouts c join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
          where c.provider = r.provider and c.payment_id = r.payment_id and p.wallet_id = owner))
  )
  select s.refund, count(*) over ()
    from shown s
   where s.refund is not null and (wanted_state is null or s.refund->>'state' = wanted_state)
   order by s.refund->>'created_at' desc, s.refund->>'id' desc
   limit rows_max offset rows_skipped
$$;

-- Begins a refund (id, purchase_id, user_id, session_id, amount_cents, reason, idempotency_key, request_hash,
-- is_administrator, automatic_seconds). Its credits leave the wallet in this transaction. The buyer's waits for an
-- administrator, unless nothing was spent and the purchase is younger than automatic_seconds; an administrator's is on
-- its way at once. A repeated key gets the first one again. Refuses with auth.session_ended, auth.admin_required,
-- request.not_found, idempotency.mismatch, payments.refund_open, payments.not_refundable, payments.refund_exceeds.
create function payments.begin_refund(asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns jsonb
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
  perform credits.lock_wallets(array[purchase.wallet_id], at_time, daily_amount, daily_cap);
  refundable := payments.refundable_of(purchase, at_time);
  if refundable.payment_id is null then perform obol.refuse('payments.not_refundable'); end if;
  most_cents := case when for_all then refundable.paid_cents - refundable.back_cents else refundable.unspent_cents end;
  made.amount_cents := coalesce((asked->>'amount_cents')::bigint, most_cents);
  if made.amount_cents > most_cents or most_cents <= 0 then
    perform obol.refuse('payments.refund_exceeds', jsonb_build_object('refundableCents', greatest(0, most_cents)));
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

-- Decides on a request that waits (id, user_id, session_id, is_approved, reason, ip_address): it goes to the provider,
-- or its credits come back. Whoever comes second is refused. Refuses with auth.session_ended, auth.admin_required,
-- request.not_found, payments.not_refundable, payments.refund_exceeds (it was called back meanwhile),
-- payments.refund_decided.
create function payments.decide_refund(asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  decider uuid := (asked->>'user_id')::uuid;
  is_approved boolean := (asked->>'is_approved')::boolean;
  request payments.refund_requests;
  purchase credits.purchases;
  refundable payments.refundable;
begin
  if auth.assert_session(decider, (asked->>'session_id')::uuid, at_time) <> 'admin' then
    perform obol.refuse('auth.admin_required');
  end if;
  select q.* into request from payments.refund_requests q where q.id = (asked->>'id')::uuid;
  if not found then perform obol.refuse('request.not_found'); end if;
  select p.* into purchase from credits.purchases p where p.id = request.purchase_id for no key update;
  if is_approved then
    refundable := payments.refundable_of(purchase, at_time);
    if refundable.payment_id is null then perform obol.refuse('payments.not_refundable'); end if;
    if refundable.back_cents > refundable.paid_cents then
      perform obol.refuse('payments.refund_exceeds', jsonb_build_object('refundableCents',
        greatest(0, refundable.paid_cents - refundable.back_cents + request.amount_cents)));
    end if;
  end if;
  update payments.refund_requests q
     set status = case when is_approved then 'sent' else 'declined' end, decided_by = decider, decided_at = at_time,
         decision = asked->>'reason', updated_at = at_time,
         next_try_at = case when is_approved then at_time + interval '5 minutes' end
   where q.id = request.id and q.status = 'open'
     -- What follows from a warning of a bank is decided.
     and not exists (select from payments.fraud_warnings w where w.refund_request_id = q.id)
   returning q.* into request;
  if not found then perform obol.refuse('payments.refund_decided'); end if;
  if not is_approved then perform payments.settle(array[purchase.id], at_time, daily_amount, daily_cap); end if;
  perform audit.append(case when is_approved then 'payments.refund_approved' else 'payments.refund_denied' end, 'user',
    decider::text, 'refund', request.id::text, request.decision, asked->>'ip_address',
    jsonb_build_object('purchaseId', purchase.id, 'amountCents', request.amount_cents), at_time);
  return payments.refund_view(request);
end $$;

-- What a provider must know to send money back, as long as it is to be sent and the provider has not told of it.
create function payments.refund_order(wanted uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog
as $$
  select jsonb_build_object('id', q.id, 'provider', p.provider, 'is_live', p.is_live,
           'payment_id', p.provider_payment_id, 'amount_cents', q.amount_cents, 'currency', p.currency,
           'reason', q.reason, 'decided_at', q.decided_at)
    from payments.refund_requests q join credits.purchases p on p.id = q.purchase_id
   where q.id = wanted and q.status = 'sent'
     and not exists (select from payments.refunds r where r.refund_request_id = q.id)
$$;

-- Refunds of which nobody knows whether the provider has heard; each is due again after a while that grows, five
-- minutes to six hours. Of one that the provider has told of nothing more is to be done.
create function payments.take_due_refunds(rows_max integer, at_time timestamptz) returns setof jsonb
  language sql volatile security definer set search_path = pg_catalog
as $$
  with due as (
    update payments.refund_requests q
       set next_try_at = case when exists (select from payments.refunds r where r.refund_request_id = q.id) then null
             else at_time + least(interval '6 hours', greatest(interval '5 minutes', at_time - q.decided_at)) end
     where q.id in (select d.id from payments.refund_requests d where d.status = 'sent' and d.next_try_at <= at_time
                     order by d.next_try_at limit rows_max for no key update skip locked)
    returning q.id)
  select payments.refund_order(d.id) from due d where payments.refund_order(d.id) is not null
$$;

-- Ends a refund that the provider has refused: its credits come back.
create function payments.fail_refund(
  wanted uuid, why text, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  purchase uuid;
begin
  select q.purchase_id into purchase from payments.refund_requests q where q.id = wanted;
  perform from credits.purchases p where p.id = purchase for no key update;
  update payments.refund_requests q set status = 'failed', problem = why, next_try_at = null, updated_at = at_time
   where q.id = wanted and q.status = 'sent'
     and not exists (select from payments.refunds r where r.refund_request_id = q.id);
  if found then perform payments.settle(array[purchase], at_time, daily_amount, daily_cap); end if;
end $$;

-- A refund as it is shown, by its id.
create function payments.read_refund(wanted uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog
as $$ select payments.refund_view(q) from payments.refund_requests q where q.id = wanted $$;

-- Disputes ------------------------------------------------------------------------------------------------------------

-- A dispute as administrators see it, with what became of the credits.
create function payments.dispute_view(dispute payments.disputes) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('provider', dispute.provider, 'dispute_id', dispute.dispute_id,
           'payment_id', dispute.payment_id, 'status', dispute.status, 'amount_cents', dispute.amount_cents,
           'currency', dispute.currency, 'is_live', dispute.is_live, 'updated_at', dispute.updated_at,
           'purchase_id', p.id, 'title', p.title, 'user_id', p.user_id, 'email', u.email, 'credits', p.credits,
           'posted_credits', p.posted_credits, 'debt', b.debt)
    from (select) nothing
    left join lateral (
      select coalesce(c.opened_for, c.claimed_by) as purchase_id from payments.checkouts c
       where c.provider = dispute.provider and c.payment_id = dispute.payment_id
         and coalesce(c.opened_for, c.claimed_by) is not null
       order by c.checkout_id limit 1) k on true
    left join credits.purchases p on p.id = k.purchase_id
    left join credits.balances b on b.wallet_id = p.wallet_id
    left join auth.users u on u.id = p.user_id
$$;

-- Disputes, those that changed last first, with how many there are.
create function payments.list_disputes(wanted_status text, rows_max integer, rows_skipped integer)
  returns table (dispute jsonb, total bigint)
  language sql stable security definer set search_path = pg_catalog
as $$
  with found as (
    select d as dispute, count(*) over () as total from payments.disputes d
     where wanted_status is null or d.status = wanted_status
     order by d.updated_at desc, d.provider, d.dispute_id limit rows_max offset rows_skipped)
  select payments.dispute_view(f.dispute), f.total from found f
   order by (f.dispute).updated_at desc, (f.dispute).provider, (f.dispute).dispute_id
$$;

-- Disputes that have begun or ended and that administrators have not been told of: each is named once.
create function payments.take_unannounced_disputes(rows_max integer) returns setof jsonb
  language sql volatile security definer set search_path = pg_catalog
as $$
  with due as (
    update payments.disputes d set announced_status = d.status
     where (d.provider, d.dispute_id) in (
       select k.provider, k.dispute_id from payments.disputes k
        where k.announced_status is distinct from k.status
        order by k.updated_at limit rows_max for no key update skip locked)
    returning d.*)
  select payments.dispute_view(d) from due d
$$;

-- Bills ---------------------------------------------------------------------------------------------------------------

-- What a person was billed, the youngest first, with the provider's link where there is one.
create function payments.list_invoices(owner uuid, rows_max integer, rows_skipped integer)
  returns table (invoice jsonb, total bigint)
  language plpgsql stable security definer set search_path = pg_catalog
as $$
begin
  return query
    select jsonb_build_object('id', i.invoice_id, 'provider', i.provider, 'status', i.status, 'purpose', i.purpose,
             'amount_cents', i.amount_cents, 'currency', i.currency, 'period_starts_at', i.period_starts_at,
             'period_ends_at', i.period_ends_at, 'invoice_url', i.invoice_url, 'is_test', not i.is_live,
             'subscription_id', s.id, 'purchase_id', p.purchase_id, 'received_at', i.received_at),
           count(*) over ()
      from payments.subscriptions s
      join payments.invoices i on i.provider = s.provider and i.provider_subscription_id = s.provider_subscription_id
      left join payments.periods p on p.provider = i.provider and p.invoice_id = i.invoice_id
     where s.user_id = owner and i.is_live = s.is_live
     order by i.received_at desc, i.provider, i.invoice_id
     limit rows_max offset rows_skipped;
end $$;

-- Reconciliation ------------------------------------------------------------------------------------------------------

-- What comparing one fact of a provider's with what is known here says: `matched`, `only_theirs`, `differing`, or
-- `unrelated` (not of this service). `is_safe`: applying the fact puts it right.
create type payments.comparison as (list text, reason text, is_safe boolean, purchase_id uuid, ours jsonb);

-- Compares two states of a thing that both sides know.
create function payments.compare_states(
  ours_status text, theirs_status text, is_same boolean, purchase_id uuid, ours jsonb
) returns payments.comparison
  language sql immutable set search_path = pg_catalog
as $$
  select case
    when payments.rank_of(theirs_status) > payments.rank_of(ours_status)
      then row('differing', 'behind', true, purchase_id, ours)::payments.comparison
    when theirs_status <> ours_status then row('differing', 'ahead', false, purchase_id, ours)::payments.comparison
    when not is_same then row('differing', 'amount', false, purchase_id, ours)::payments.comparison
    else row('matched', null, false, purchase_id, ours)::payments.comparison end
$$;

-- Whether the ledger holds of a purchase what follows from all that is known of it; null when it does.
create function payments.unsettled_of(purchase credits.purchases) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  posted bigint;
  booked bigint;
begin
  select coalesce(sum(p.amount), 0),
         coalesce(sum(p.amount) filter (where p.transaction_id is null), 0) - coalesce((
           select sum(e.amount) from payments.postings o
             join credits.entries e on e.transaction_id = o.transaction_id and e.account = 'sales:' || purchase.provider
            where o.purchase_id = purchase.id), 0)
    into posted, booked from payments.postings p where p.purchase_id = purchase.id;
  return case when posted <> purchase.posted_credits then 'postings' when booked <> posted then 'ledger'
    when (payments.standing_of(purchase)).target <> posted then 'unsettled' end;
end $$;

create function payments.compare_checkout(from_provider text, fact jsonb, live boolean) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.checkouts;
  purchase credits.purchases;
  shown jsonb;
  result payments.comparison;
  problem text;
begin
  select c.* into ours from payments.checkouts c
   where c.provider = from_provider and c.checkout_id = fact->>'checkoutId';
  select p.* into purchase from credits.purchases p
   where p.id = coalesce(ours.opened_for, ours.claimed_by, payments.to_uuid(fact->>'purchaseId'));
  if purchase.id is null then
    return case when fact->>'purchaseId' is null or fact->>'status' <> 'paid'
      then row('unrelated', null, false, null, null)::payments.comparison
      else row('only_theirs', 'no_purchase', false, null, null)::payments.comparison end;
  end if;
  shown := jsonb_build_object('status', ours.status, 'amountCents', ours.amount_cents, 'currency', ours.currency,
    'purchaseStatus', purchase.status, 'priceCents', purchase.price_cents, 'creditsPosted', purchase.posted_credits);
  problem := payments.mismatch_of(purchase, from_provider, fact->>'status', (fact->>'amountCents')::bigint,
    fact->>'currency', live);
  if ours.checkout_id is null then
    return row('only_theirs', coalesce(problem, 'not_heard_of'), problem is null, purchase.id,
      shown)::payments.comparison;
  end if;
  if ours.payment_id is null and fact->>'paymentId' is not null and fact->>'status' = 'paid' and problem is null then
    return row('differing', 'behind', true, purchase.id, shown)::payments.comparison;
  end if;
  result := payments.compare_states(ours.status, fact->>'status',
    ours.amount_cents = (fact->>'amountCents')::bigint and ours.currency = fact->>'currency'
      and ours.is_live = live and (fact->>'paymentId' is null or ours.payment_id = fact->>'paymentId'),
    purchase.id, shown);
  if result.reason is distinct from 'ahead' and problem is not null then
    return row('differing', problem, false, purchase.id, shown)::payments.comparison;
  end if;
  if result.list = 'matched' and payments.unsettled_of(purchase) is not null then
    problem := payments.unsettled_of(purchase);
    return row('differing', problem, problem = 'unsettled', purchase.id, shown)::payments.comparison;
  end if;
  return result;
end $$;

-- Compares a refund or a dispute. One of a payment that is only now heard of, by another fact, is put right with it.
create function payments.compare_reversal(
  from_provider text, fact jsonb, live boolean, new_payments text[]
) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours record;
  purchase credits.purchases;
  result payments.comparison;
begin
  if fact->>'kind' = 'refund' then
    select r.status, r.amount_cents, r.currency, r.is_live into ours from payments.refunds r
     where r.provider = from_provider and r.refund_id = fact->>'refundId';
  else
    select d.status, d.amount_cents, d.currency, d.is_live into ours from payments.disputes d
     where d.provider = from_provider and d.dispute_id = fact->>'disputeId';
  end if;
  select p.* into purchase
    from payments.checkouts c join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
   where c.provider = from_provider and c.payment_id = fact->>'paymentId'
   order by c.checkout_id limit 1;
  if purchase.id is null and not fact->>'paymentId' = any (new_payments) then
    return row('unrelated', null, false, null, null)::payments.comparison;
  end if;
  if purchase.currency <> fact->>'currency' then
    return row('differing', 'wrong_currency', false, purchase.id, to_jsonb(ours))::payments.comparison;
  end if;
  if ours.status is null then
    return row('only_theirs', 'not_heard_of', true, purchase.id, null)::payments.comparison;
  end if;
  result := payments.compare_states(ours.status, fact->>'status',
    ours.amount_cents = (fact->>'amountCents')::bigint and ours.currency = fact->>'currency' and ours.is_live = live,
    purchase.id, jsonb_build_object('status', ours.status, 'amountCents', ours.amount_cents,
      'currency', ours.currency));
  if result.list = 'matched' and payments.unsettled_of(purchase) = 'unsettled' then
    return row('differing', 'unsettled', true, purchase.id, result.ours)::payments.comparison;
  end if;
  return result;
end $$;

-- Compares a bill of a subscription.
create function payments.compare_invoice(from_provider text, fact jsonb) returns payments.comparison
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
    when fact->>'status' <> ours.status then row('differing', 'ahead', false, bought, shown)::payments.comparison
    when (fact->>'amountCents')::bigint <> ours.amount_cents or fact->>'currency' <> ours.currency
      then row('differing', 'amount', false, bought, shown)::payments.comparison
    when ours.status = 'paid' and ours.settled_at is null
      then row('differing', coalesce(ours.refusal, 'unsettled'), ours.refusal is null, bought,
        shown)::payments.comparison
    else row('matched', null, false, bought, shown)::payments.comparison end;
end $$;

-- Compares a subscription: its state alone, of which the latest word counts.
create function payments.compare_subscription(from_provider text, fact jsonb) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.subscriptions;
begin
  select s.* into ours from payments.subscriptions s
   where s.id = payments.to_uuid(fact->>'subscriptionId')
      or (s.provider = from_provider and s.provider_subscription_id = fact->>'providerSubscriptionId')
   order by s.provider_subscription_id is null limit 1;
  return case
    when ours.id is null and (fact->>'subscriptionId' is null or fact->>'status' in ('ended', 'incomplete'))
      then row('unrelated', null, false, null, null)::payments.comparison
    when ours.id is null then row('only_theirs', 'no_subscription', false, null, null)::payments.comparison
    when ours.status = fact->>'status' or (ours.status in ('opening', 'abandoned') and fact->>'status' = 'incomplete')
      then row('matched', null, false, null, null)::payments.comparison
    else row('differing', case when ours.status = 'ended' then 'ahead' else 'behind' end, ours.status <> 'ended', null,
      jsonb_build_object('status', ours.status))::payments.comparison end;
end $$;

-- Compares facts of a provider's with what is known here, in the order given. `new_payments` are payments that have
-- only been heard of by facts before these. Changes nothing.
create function payments.compare_facts(from_provider text, live boolean, facts jsonb, new_payments text[])
  returns table (list text, reason text, is_safe boolean, purchase_id uuid, ours jsonb)
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
      when 'invoice' then payments.compare_invoice(from_provider, fact)
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

-- What counts here since a time and until another, and so must be in a provider's list: payments, refunds, disputes,
-- and purchases with credits but without a payment. So many, behind the last one of the page before.
create function payments.list_counted(
  from_provider text, live boolean, since timestamptz, until_time timestamptz, after_key text, rows_max integer
) returns table (key text, kind text, id text, purchase_id uuid, reason text, ours jsonb)
  language sql stable security definer set search_path = pg_catalog
as $$
  select k.key, k.kind, k.id, k.purchase_id, k.reason, k.ours
    from (
      select 'checkout:' || c.checkout_id as key, 'checkout' as kind, c.checkout_id as id, p.id as purchase_id,
             'not_listed' as reason, jsonb_build_object('status', c.status, 'amountCents', c.amount_cents,
               'currency', c.currency, 'creditsPosted', p.posted_credits) as ours
        from credits.purchases p
        join payments.checkouts c on coalesce(c.opened_for, c.claimed_by) = p.id and c.provider = p.provider
       where p.provider = from_provider and p.is_live = live and p.created_at >= since and c.updated_at <= until_time
         and c.status = 'paid' and c.is_live = live
      union all
      select 'purchase:' || p.id, 'purchase', p.id::text, p.id, 'no_payment', jsonb_build_object('status', p.status,
               'amountCents', p.price_cents, 'currency', p.currency, 'creditsPosted', p.posted_credits)
        from credits.purchases p
       where p.provider = from_provider and p.is_live = live and p.created_at >= since
         and p.updated_at <= until_time and p.posted_credits > 0
         and not exists (
           select from payments.checkouts c where coalesce(c.opened_for, c.claimed_by) = p.id and c.status = 'paid')
      union all
      select 'refund:' || r.refund_id, 'refund', r.refund_id, null, 'not_listed',
             jsonb_build_object('status', r.status, 'amountCents', r.amount_cents, 'currency', r.currency)
        from payments.refunds r
       where r.provider = from_provider and r.is_live = live and r.updated_at >= since and r.updated_at <= until_time
         and r.status <> 'failed'
      union all
      select 'dispute:' || d.dispute_id, 'dispute', d.dispute_id, null, 'not_listed',
             jsonb_build_object('status', d.status, 'amountCents', d.amount_cents, 'currency', d.currency)
        from payments.disputes d
       where d.provider = from_provider and d.is_live = live and d.updated_at >= since and d.updated_at <= until_time
         and d.status <> 'won'
    ) k
   where k.key collate "C" > after_key
   order by k.key collate "C" limit rows_max
$$;

grant execute on function payments.list_refunds(uuid, text, integer, integer),
  payments.begin_refund(jsonb, timestamptz, bigint, bigint),
  payments.decide_refund(jsonb, timestamptz, bigint, bigint),
  payments.refund_order(uuid),
  payments.take_due_refunds(integer, timestamptz),
  payments.fail_refund(uuid, text, timestamptz, bigint, bigint),
  payments.read_refund(uuid),
  payments.list_disputes(text, integer, integer),
  payments.take_unannounced_disputes(integer),
  payments.list_invoices(uuid, integer, integer),
  payments.compare_facts(text, boolean, jsonb, text[]),
  payments.list_counted(text, boolean, timestamptz, timestamptz, text, integer) to obol_app;
