-- Payments, in order: who tells of a payment locks it before all else, what comes back repays what is owed though it
-- has expired, and what a case has annulled stays annulled.
--
-- Locks are taken in this order, and within each kind sorted, so that no two callers wait for each other in a circle:
-- payments, subscriptions, checkouts, refunds, disputes, purchases, wallets, people, events. A payment comes first, so
-- that whoever tells of money that went back and whoever tells of the bill that it had paid see each other's word.

-- Credits that come back ----------------------------------------------------------------------------------------------

-- In which lots the credits of a purchase come in. Those of a period expire with it, or as many periods later as they
-- may be carried over; never when any number of times. Who paid only afterwards has them for as long as a period takes.
-- What comes back after it was taken expires when it would have, had it never been taken: nobody gains time by asking
-- for a refund, or by a dispute. Of what has expired by then, as much as the wallet owes comes first, for an instant,
-- and repays the debt that taking it had left. The wallet is locked.
create or replace function payments.lots_of(purchase credits.purchases, amount bigint, at_time timestamptz)
  returns table (lot_amount bigint, lot_expires_at timestamptz)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  amounts bigint[];
  ends timestamptz[];
  owed bigint := coalesce((select b.debt from credits.balances b where b.wallet_id = purchase.wallet_id), 0);
  repaying bigint := 0;
  part bigint;
begin
  select array_agg(l.lot_amount order by l.number), array_agg(l.lot_expires_at order by l.number) into amounts, ends
    from payments.lots_as_first(purchase, amount, at_time)
           with ordinality as l (lot_amount, lot_expires_at, number);
  for i in 1 .. coalesce(cardinality(amounts), 0) loop
    continue when ends[i] is null or ends[i] > at_time;
    part := least(amounts[i], owed - repaying);
    amounts[i] := amounts[i] - part;
    repaying := repaying + part;
  end loop;
  return query
    select l.amount, l.ends_at
      from unnest(array[repaying] || amounts, array[at_time + interval '1 millisecond'] || ends)
             with ordinality as l (amount, ends_at, number)
     where l.amount > 0 order by l.number;
end $$;

-- The same, whatever the wallet owes.
create function payments.lots_as_first(purchase credits.purchases, amount bigint, at_time timestamptz)
  returns table (lot_amount bigint, lot_expires_at timestamptz)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  period payments.periods;
  more bigint;
  first_at timestamptz;
  last_expiry_at timestamptz;
begin
  select p.* into period from payments.periods p where p.purchase_id = purchase.id;
  if period.id is null then
    return query select amount, purchase.lot_expires_at;
    return;
  end if;
  select min(o.created_at), max(coalesce(l.expires_at, 'infinity')) into first_at, last_expiry_at
    from payments.postings o
    join credits.lots l on l.wallet_id = purchase.wallet_id and l.transaction_id = o.transaction_id
   where o.purchase_id = purchase.id and o.amount > 0;
  more := least(amount, period.carried_more);
  return query
    select part.amount, nullif(
             least(coalesce(payments.expiry_of(period, part.times, coalesce(first_at, at_time)), 'infinity'),
               last_expiry_at), 'infinity')
      from (values (amount - more, period.carried_times), (more, period.carried_times + 1)) as part (amount, times)
     where part.amount > 0;
end $$;

-- Refunds of one of two payments --------------------------------------------------------------------------------------

-- Whether a request is for a refund of another payment of its purchase than this: after a warning about one that came
-- beside the one that counts. Without settings of its own, so that PostgreSQL inlines it.
create function payments.is_refund_of_another(request_id uuid, payment text) returns boolean
  language sql stable
as $$
  select exists (
    select from payments.fraud_warnings w where w.refund_request_id = request_id and w.payment_id <> payment)
$$;

-- The purchase and its wallet are locked. Credits are taken from the lots that came last, so what is unspent in an
-- older lot counts only when all younger ones are unspent: nobody who asks for a refund gets into debt by it.
create or replace function payments.refundable_of(purchase credits.purchases, at_time timestamptz)
  returns payments.refundable
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
     and not exists (select from payments.refunds r where r.refund_request_id = q.id)
     and not payments.is_refund_of_another(q.id, standing.payment_id);
  found_out.back_cents := standing.refunded_cents + standing.disputed_cents + asked_cents;
  for brought in
    select p.amount + credits.undone(p.transaction_id, 'clawback', 'sales:' || purchase.provider) as left_over,
           case when l.expires_at <= at_time then 0 else l.remaining - l.held end as available
      from payments.postings p
      join credits.lots l on l.wallet_id = purchase.wallet_id and l.transaction_id = p.transaction_id
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

-- How purchases stand by all that is known of them, in the order of their ids.
create or replace function payments.standings_of(purchases credits.purchases[]) returns payments.standing[]
  language plpgsql stable set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
begin
  return array(
    select row(
             case when paid.checkout_id is null then 0
               else payments.worth_of(p.credits, paid.total_cents, refunded.cents + disputed.cents + asked.cents) end,
             case when paid.checkout_id is null then
                 case when known.furthest in (3, 4) or (known.furthest is null and p.status = 'failed') then 'failed'
                   else 'pending' end
               when disputed.is_any then 'disputed'
               when refunded.cents > 0
                 and payments.worth_of(p.credits, paid.total_cents, refunded.cents + disputed.cents + asked.cents) = 0
                 then 'refunded'
               else 'completed' end,
             paid.payment_id, refunded.cents, disputed.cents,
             case when paid.checkout_id is null then known.problem when known.paid_times > 1 then 'paid_twice' end,
             paid.checkout_id is not null or coalesce(known.is_over, false)
           )::payments.standing
      from unnest(purchases) p
     cross join lateral (
       select count(*) filter (where c.status = 'paid') as paid_times, max(payments.rank_of(c.status)) as furthest,
              max(payments.mismatch_of(p, c.provider, c.status, c.amount_cents, c.currency, c.is_live)) as problem,
              bool_and(payments.rank_of(c.status) > 2) as is_over
         from payments.checkouts c
        where c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)) known
      left join lateral (
       select c.*
         from payments.checkouts c
        where (c.opened_for = p.id or (c.claimed_by = p.id and c.opened_for is null)) and c.status = 'paid'
          and payments.mismatch_of(p, c.provider, c.status, c.amount_cents, c.currency, c.is_live) is null
          -- A payment pays for one purchase, whoever claims it.
          and not exists (
            select from payments.checkouts_of(c.provider, c.payment_id) o
             where o.checkout_id < c.checkout_id and coalesce(o.opened_for, o.claimed_by) <> p.id)
        order by c.checkout_id limit 1) paid on true
     cross join lateral (
       select coalesce(sum(b.amount_cents), 0)::bigint as cents
         from (select r.* from payments.refunds r where r.payment_id = paid.payment_id offset 0) b
        where b.provider = paid.provider and b.currency = paid.currency and b.is_live = paid.is_live
          and b.status <> 'failed') refunded
     cross join lateral payments.called_back(paid.provider, paid.payment_id, paid.currency, paid.is_live) disputed
     cross join lateral (
       -- What we have asked for counts from then on, until the provider's own word about it is here.
       select coalesce(sum(b.amount_cents), 0)::bigint as cents
         from (select q.* from payments.refund_requests q where q.purchase_id = p.id offset 0) b
        where b.status in ('open', 'sent')
          and not exists (select from payments.refunds r where r.refund_request_id = b.id)
            and not payments.is_refund_of_another(b.id, paid.payment_id)) asked
     order by p.id);
end $$;

-- Cases and reversals -------------------------------------------------------------------------------------------------

-- Cases that were won before it was noted when: what had been taken back for their payments was so before that.
update payments.disputes d set told_at = d.updated_at
 where d.provider = 'paypal' and d.status = 'won' and d.told_at is null and not payments.is_reversal(d.dispute_id);

-- How a dispute stands for administrators: a reversal that counts no more since its case was won is won with it.
create function payments.shown_status(dispute payments.disputes) returns text
  language sql stable set search_path = pg_catalog
as $$
  select case when dispute.status = 'won' or exists (
    select from payments.disputes_that_count(dispute.provider, dispute.payment_id) d
     where d.dispute_id = dispute.dispute_id) then dispute.status else 'won' end
$$;

-- A dispute as administrators see it, with what became of the credits.
create or replace function payments.dispute_view(dispute payments.disputes) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('provider', dispute.provider, 'dispute_id', dispute.dispute_id,
           'payment_id', dispute.payment_id, 'status', payments.shown_status(dispute),
           'amount_cents', dispute.amount_cents, 'currency', dispute.currency, 'is_live', dispute.is_live,
           'updated_at', dispute.updated_at,
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
create or replace function payments.list_disputes(wanted_status text, rows_max integer, rows_skipped integer)
  returns table (dispute jsonb, total bigint)
  language sql stable security definer set search_path = pg_catalog
as $$
  with found as (
    select d as dispute, count(*) over () as total from payments.disputes d
     where wanted_status is null or payments.shown_status(d) = wanted_status
     order by d.updated_at desc, d.provider, d.dispute_id limit rows_max offset rows_skipped)
  select payments.dispute_view(f.dispute), f.total from found f
   order by (f.dispute).updated_at desc, (f.dispute).provider, (f.dispute).dispute_id
$$;

-- What counts here since a time and until another, and so must be in a provider's list: payments, refunds, disputes,
-- and purchases with credits but without a payment. So many, behind the last one of the page before.
create or replace function payments.list_counted(
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
         and payments.shown_status(d) <> 'won'
    ) k
   where k.key collate "C" > after_key
   order by k.key collate "C" limit rows_max
$$;

-- Locks ---------------------------------------------------------------------------------------------------------------

drop trigger refunds_told on payments.refunds;
drop trigger disputes_told on payments.disputes;
drop function payments.note_money_back();
drop trigger refunds_begin on payments.refunds;
drop trigger disputes_begin on payments.disputes;
drop function payments.note_money_back_begins();

-- When a refund or a dispute was heard of for the first time.
create function payments.note_first_word() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  new.created_at := new.updated_at;
  return new;
end $$;
create trigger refunds_begin before insert on payments.refunds
  for each row execute function payments.note_first_word();
create trigger disputes_begin before insert on payments.disputes
  for each row execute function payments.note_first_word();

-- Who says something about a payment waits for who else does, so that one of them sees both: a row that is there is
-- locked, and left as it is. What is said of a subscription may bring about what bills had said of their payments.
create function payments.lock_payments(facts payments.told_fact[], at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
begin
  insert into payments.payments as p (provider, payment_id, created_at)
    select k.provider, k.payment_id, at_time
      from (
        select f.provider, f.fact->>'paymentId' collate "C" as payment_id from unnest(facts) f
         where f.fact->>'paymentId' is not null
        union
        select f.provider, i.payment_id collate "C"
          from unnest(facts) f
          join payments.invoices i on i.provider = f.provider
           and i.provider_subscription_id = f.fact->>'providerSubscriptionId'
         where f.kind in ('subscription', 'invoice') and i.payment_id is not null and i.settled_at is null) k
     order by 1, 2
    on conflict (provider, payment_id) do update set created_at = p.created_at where false;
end $$;

-- Locks the subscriptions that facts are about, and those for which a payment was that they are about. The payments
-- are locked.
create function payments.lock_subscriptions(facts payments.told_fact[]) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  wanted uuid[] := array(
    select (payments.subscription_of(f.provider, f.fact)).id from unnest(facts) f
     where f.kind in ('subscription', 'invoice')
    union
    select p.subscription_id
      from unnest(facts) f
      join payments.invoices i on i.provider = f.provider and i.payment_id = f.fact->>'paymentId'
      join payments.periods p on p.provider = i.provider and p.invoice_id = i.invoice_id
     where f.kind in ('refund', 'dispute'));
begin
  perform from payments.subscriptions s where s.id = any (wanted) order by s.id for no key update;
end $$;

-- What was paid for may count no more, or again, once money has gone back. The subscriptions are locked.
create function payments.note_money_back(facts payments.told_fact[], at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  paid record;
begin
  for paid in
    select distinct s.user_id, s.id, greatest(at_time, s.updated_at) as noted_at
      from unnest(facts) f cross join lateral payments.subscriptions_of_payment(f.provider, f.fact->>'paymentId') s
     where f.kind in ('refund', 'dispute') order by s.user_id, s.id
  loop
    perform payments.note_paid_periods(paid.id, paid.noted_at);
    perform payments.note_standing_of_user(paid.user_id, paid.noted_at);
  end loop;
end $$;

-- Of which payment a bill is paid may be said after that went back. follow_subscriptions does the rest.
create or replace function payments.note_payment_of_invoice() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  paid payments.subscriptions;
begin
  for paid in select * from payments.subscriptions_of_payment(new.provider, new.payment_id) loop
    perform payments.note_paid_periods(paid.id, greatest(new.received_at, paid.updated_at));
  end loop;
  return null;
end $$;

-- Keeps facts and settles what they are about. `told` is [{provider, isLive, isOwn, facts}].
create or replace function payments.apply_facts(
  told jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  facts payments.told_fact[] := payments.facts_in(told);
  has_reversals boolean := exists (select from unnest(facts) f where f.kind in ('refund', 'dispute'));
  touched uuid[];
begin
  if cardinality(facts) = 0 then return; end if;
  perform payments.lock_payments(facts, at_time);
  if has_reversals or facts[1].kind in ('subscription', 'invoice') then
    perform payments.lock_subscriptions(facts);
  end if;
  touched := payments.keep_subscriptions(facts, at_time);
  -- Whose a checkout was until now may change with what we say about it.
  touched := touched || array(
    select u.id from unnest(facts) f cross join lateral payments.purchases_of(f.provider, f.fact) as u (id)
     where f.kind = 'checkout' and f.is_own);
  for this_turn in 1 .. (select max(f.turn) from unnest(facts) f) loop
    perform payments.keep_checkouts(facts, this_turn, at_time);
    if has_reversals then perform payments.keep_reversals(facts, this_turn, at_time); end if;
  end loop;
  perform payments.keep_fraud_warning(f.provider, f.fact, f.is_live, at_time)
     from unnest(facts) f where f.kind = 'fraud_warning';
  touched := touched || array(
    select u.id from unnest(facts) f cross join lateral payments.purchases_of(f.provider, f.fact) as u (id));
  perform payments.settle(touched, at_time, daily_amount, daily_cap);
  if has_reversals then perform payments.note_money_back(facts, at_time); end if;
  if facts[1].kind in ('subscription', 'invoice') then
    perform payments.follow_subscriptions(told, at_time, daily_amount, daily_cap);
  end if;
end $$;

-- Erasure -------------------------------------------------------------------------------------------------------------

-- Empties what providers sent about a person: whatever names them, is about a payment, checkout or subscription of
-- theirs, or about them as a customer, under whichever address they pay. Deliveries that were refused go when they name
-- any of it, and so do links to bills and who paid at the provider. What events say in our words stays: ids of payments
-- and amounts.
create or replace function payments.forget_payloads(person uuid, email text) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  -- Each as a whole text of a document.
  names text[] := array['"' || email || '"', '"' || person || '"'];
  customers text[];
  things text[];
begin
  customers := array(
    select '"' || k.id || '"'
      from (select u.stripe_customer_id from auth.users u where u.id = person
            union select u.paypal_customer_id from auth.users u where u.id = person
            union select s.customer_id from payments.subscriptions s where s.user_id = person
            union select c.customer_id from payments.checkouts c join credits.purchases p
                      on p.id = coalesce(c.opened_for, c.claimed_by) where p.user_id = person) as k (id)
     where k.id is not null);
  things := array(
    select k.id
      from (select p.id::text from credits.purchases p where p.user_id = person
            union select p.checkout_id from credits.purchases p where p.user_id = person
            union select c.checkout_id from payments.checkouts c join credits.purchases p
                      on p.id = coalesce(c.opened_for, c.claimed_by) where p.user_id = person
            union select c.payment_id from payments.checkouts c join credits.purchases p
                      on p.id = coalesce(c.opened_for, c.claimed_by) where p.user_id = person
            union select s.id::text from payments.subscriptions s where s.user_id = person
            union select s.checkout_id from payments.subscriptions s where s.user_id = person
            union select s.provider_subscription_id from payments.subscriptions s where s.user_id = person
            union select i.payment_id from payments.invoices i join payments.subscriptions s
                      on s.provider = i.provider and s.provider_subscription_id = i.provider_subscription_id
                   where s.user_id = person) as k (id)
     where k.id is not null);
  update payments.events e
     set payload = '{}',
         facts = (select coalesce(jsonb_agg(f.value - 'customerId' order by f.number), '[]')
                    from jsonb_array_elements(e.facts) with ordinality as f (value, number))
   where (e.payload <> '{}' or jsonb_path_exists(e.facts, '$[*].customerId ? (@ != null)'))
     and (exists (select from unnest(names) n (name) where position(n.name in lower(e.payload::text)) > 0)
       or exists (select from unnest(customers) n (name) where position(n.name in e.payload::text) > 0)
       or exists (
         select from jsonb_array_elements(e.facts) f
          where array[f.value->>'purchaseId', f.value->>'checkoutId', f.value->>'paymentId',
            f.value->>'subscriptionId', f.value->>'providerSubscriptionId'] && things)
       or (e.facts = '[]' and exists (
         select from unnest(things) n (name) where position('"' || n.name || '"' in e.payload::text) > 0)));
  update payments.checkouts c set customer_id = null
    from credits.purchases p
   where p.user_id = person and c.customer_id is not null and p.id = coalesce(c.opened_for, c.claimed_by);
  -- A bill at its provider shows name and address to whoever has the link.
  update payments.invoices i set invoice_url = null
    from payments.subscriptions s
   where s.user_id = person and i.provider = s.provider and i.provider_subscription_id = s.provider_subscription_id;
  delete from payments.refused_deliveries d
   where exists (
     select from unnest(names || customers || things) n (name) where position(n.name in lower(d.body)) > 0
        or position(n.name in d.body) > 0);
end $$;

-- Keeps what a fact says about a bill of a subscription. What it pays for is a purchase of the kind `period`, and the
-- bill itself is kept as its checkout. Returns the purchases that it concerns.
create or replace function payments.keep_invoice(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions := payments.subscription_of(from_provider, fact);
  told payments.invoices := payments.invoice_in(from_provider, fact, live);
begin
  -- A bill at its provider shows name and address to whoever has the link: for nobody whom we know, it is not kept.
  if subscription.id is null then told.invoice_url := null; end if;
  perform payments.write_invoice(told, at_time);
  subscription := payments.lock_subscription(from_provider, fact, live);
  if subscription.id is null then return '{}'; end if;
  if subscription.provider_subscription_id is null then
    update payments.subscriptions s set provider_subscription_id = fact->>'providerSubscriptionId'
     where s.id = subscription.id returning s.* into subscription;
  end if;
  -- Of which payment a bill is paid may be said later than that it is.
  return payments.settle_invoices(subscription, at_time) || array(
    select unnest(payments.pay_period(p, i, at_time))
      from payments.periods p join payments.invoices i on i.provider = p.provider and i.invoice_id = p.invoice_id
     where p.provider = from_provider and p.invoice_id = fact->>'invoiceId');
end $$;
