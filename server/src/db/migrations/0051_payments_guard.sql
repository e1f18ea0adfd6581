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

-- Applies once more what an event said. Returns what is said of it now; null when there is no such event.
create or replace function payments.replay_event(
  wanted uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns text
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  event payments.events;
  told jsonb;
  verdict payments.verdict;
begin
  select e.* into event from payments.events e where e.id = wanted;
  if not found then return null; end if;
  -- Of what was refused as it was told, nothing ever counts.
  if event.outcome = 'refused' and event.facts = '[]' then return event.outcome; end if;
  verdict := payments.judge(event.provider, event.facts, event.is_live);
  told := jsonb_build_array(
    jsonb_build_object('provider', event.provider, 'isLive', event.is_live, 'facts', event.facts));
  if verdict.outcome <> 'refused' then
    perform payments.apply_facts(told, at_time, daily_amount, daily_cap);
    verdict := payments.judge(event.provider, event.facts, event.is_live);
  end if;
  update payments.events e
     set outcome = verdict.outcome, reason = verdict.reason, waits_for = verdict.waits_for,
         applied_at = case when verdict.outcome = 'applied' then at_time end
   where e.id = wanted;
  perform payments.wake_events(told, at_time);
  return verdict.outcome;
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

-- Certificates --------------------------------------------------------------------------------------------------------

-- With which certificate PayPal signed last, in each of its modes.
create table payments.signing_certificates (
  mode text primary key,
  address text not null,
  used_at timestamptz(3) not null,
  constraint signing_certificates_mode_check check (mode in ('live', 'sandbox', 'stand-in'))
);
select obol.protect('payments.signing_certificates', null, 'select');

-- The address of the certificate with which PayPal signed last; null where it has not signed yet.
create function payments.last_certificate(in_mode text) returns text
  language sql stable security definer set search_path = pg_catalog
as $$ select c.address from payments.signing_certificates c where c.mode = in_mode $$;

-- Notes with which certificate PayPal signed last.
create function payments.note_certificate(in_mode text, at_address text, at_time timestamptz) returns void
  language sql volatile security definer set search_path = pg_catalog
as $$
  insert into payments.signing_certificates as c (mode, address, used_at) values (in_mode, at_address, at_time)
    on conflict (mode) do update set address = excluded.address, used_at = excluded.used_at
$$;

grant execute on function payments.last_certificate(text), payments.note_certificate(text, text, timestamptz)
  to obol_app;

-- Who may write -------------------------------------------------------------------------------------------------------

-- Functions write what was asked back, and nobody else does.
revoke insert, update on payments.refund_requests from obol_app;

-- What is forgotten and handed out ------------------------------------------------------------------------------------

-- Empties what providers sent about a person: whatever names them, is about a payment, checkout or subscription of
-- theirs, or about them as a customer, under whichever address they pay. Deliveries that were refused go when they name
-- any of it, and so do links to bills. What events say in our words stays: ids and amounts.
create function payments.forget_payloads(person uuid, email text) returns void
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
  update payments.events e set payload = '{}'
   where e.payload <> '{}'
     and (exists (select from unnest(names) n (name) where position(n.name in lower(e.payload::text)) > 0)
       or exists (select from unnest(customers) n (name) where position(n.name in e.payload::text) > 0)
       or exists (
         select from jsonb_array_elements(e.facts) f
          where array[f.value->>'purchaseId', f.value->>'checkoutId', f.value->>'paymentId',
            f.value->>'subscriptionId', f.value->>'providerSubscriptionId'] && things)
       or (e.facts = '[]' and exists (
         select from unnest(things) n (name) where position('"' || n.name || '"' in e.payload::text) > 0)));
  -- A bill at its provider shows name and address to whoever has the link.
  update payments.invoices i set invoice_url = null
    from payments.subscriptions s
   where s.user_id = person and i.provider = s.provider and i.provider_subscription_id = s.provider_subscription_id;
  delete from payments.refused_deliveries d
   where exists (
     select from unnest(names || customers || things) n (name) where position(n.name in lower(d.body)) > 0
        or position(n.name in d.body) > 0);
end $$;

-- Forgets, in what belongs to nobody in particular, an address, the names of its owner and where they signed in from:
-- jobs and their failures, events sent and answers to them, requests under way, contacts, what payment providers sent.
create or replace function auth.forget_mentions(person uuid, email text, ip_addresses text[]) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  -- Whole texts of a document: an address may be the end of another one.
  quoted_email text := '"' || email || '"';
  quoted_id text := '"' || person || '"';
begin
  delete from pgboss.job j
   where position(quoted_email in lower(j.data::text)) > 0 or position(quoted_id in j.data::text) > 0;
  update pgboss.job j set output = null where position(email in lower(j.output::text)) > 0;
  delete from webhooks.events e
   where position(quoted_email in lower(e.data::text)) > 0 or position(quoted_id in e.data::text) > 0;
  update webhooks.attempts a set response_excerpt = null where position(email in lower(a.response_excerpt)) > 0;
  perform payments.forget_payloads(person, email);
  delete from oauth.interactions i
   where position(email in lower(concat(i.parameters, i.details, i.result, i.last_submission))) > 0;
  delete from oauth.pushed_requests r where position(email in lower(r.request)) > 0;
  update oauth.device_codes d set ip_address = null, user_agent = null where d.ip_address = any (ip_addresses);
  delete from credits.team_invitations i where i.email = forget_mentions.email;
  update apps.applications a set contacts = array_remove(a.contacts, forget_mentions.email)
   where forget_mentions.email = any (a.contacts);
  -- Wrong addresses that they typed, and others from the same place: who it was is not known.
  update auth.security_events s set ip_address = null, user_agent = null
   where s.user_id is null and s.ip_address = any (ip_addresses);
end $$;

-- Where something about a person stands: a name for it, the table, which of its rows are theirs ($1 is the person), and
-- an order in which they can be read in pages. Every table that hangs on a person by a foreign key is among them, so
-- one that a feature adds is, too.
create or replace function auth.personal_sections()
  returns table (section text, place regclass, condition text, order_columns text[])
  language sql stable set search_path = pg_catalog
as $$
  with places as (
    select 'auth.users'::regclass as place, 'id = $1' as condition
    union all
    select c.conrelid::regclass, string_agg(format('%I = $1', a.attname), ' or ' order by a.attname)
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and c.confdeltype = 'c'
     group by c.conrelid
    union all
    select v.place::regclass, v.condition
      from (values ('credits.balances', 'wallet_id = $1'), ('credits.lots', 'wallet_id = $1'),
                   ('credits.transactions', 'wallet_id = $1'), ('credits.holds', 'wallet_id = $1'),
                   ('credits.mandates', 'wallet_id = $1 or member_id = $1'), ('credits.purchases', 'user_id = $1'),
                   ('credits.redemptions', 'wallet_id = $1'), ('credits.usage_stats', 'wallet_id = $1'),
                   ('payments.refund_requests',
                     'requested_by = $1 or purchase_id in (select p.id from credits.purchases p where p.user_id = $1)'),
                   ('payments.invoices', '(provider, provider_subscription_id) in (select s.provider,
                     s.provider_subscription_id from payments.subscriptions s where s.user_id = $1)'),
                   ('payments.periods',
                     'subscription_id in (select s.id from payments.subscriptions s where s.user_id = $1)'),
                   ('audit.events', 'target_id = $1::text or actor_id = $1::text')) as v (place, condition)
  )
  select n.nspname || '.' || c.relname, p.place, p.condition,
         case when p.place = 'credits.transactions'::regclass then array['wallet_id', 'sequence'] else (
           select array_agg(a.attname::text order by k.place)
             from pg_index i
            cross join unnest(i.indkey) with ordinality as k (number, place)
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
            where i.indrelid = p.place and i.indisprimary) end
    from places p join pg_class c on c.oid = p.place join pg_namespace n on n.oid = c.relnamespace
   order by 1
$$;

-- Disputes ------------------------------------------------------------------------------------------------------------

-- When the provider says that it was so, where its states may go back.
alter table payments.disputes add column told_at timestamptz(3);

-- Whether it is no case, but what a provider took back for a payment, with or without one.
create function payments.is_reversal(dispute_id text) returns boolean
  language sql immutable
as $$ select dispute_id like 'reversal:%' $$;

-- Reversals that a case stood for: cases count by themselves now.
delete from payments.disputes d where payments.is_reversal(d.dispute_id) and d.status = 'won';

-- The disputes of a payment that count: those that were not won, and reversals, unless a case was won after them and
-- was not taken up anew. Without settings of its own, so that PostgreSQL inlines it.
create function payments.disputes_that_count(from_provider text, of_payment text) returns setof payments.disputes
  language sql stable
as $$
  select o.* from (select d.* from payments.disputes d where d.payment_id = of_payment offset 0) o
   where o.provider = from_provider and o.status <> 'won'
     and (not payments.is_reversal(o.dispute_id) or not exists (
       select from (select d.* from payments.disputes d where d.payment_id = of_payment offset 0) w
        where w.provider = from_provider and w.status = 'won' and not payments.is_reversal(w.dispute_id)
          and coalesce(w.told_at, '-infinity') >= coalesce(o.told_at, '-infinity')))
$$;

-- How many cents of a payment are called back, of a currency and a mode (null: any), and whether any are. A case
-- and the reversal that comes of it are about the same money, so the larger of the two counts. Inlined like
-- disputes_that_count.
create function payments.called_back(from_provider text, of_payment text, of_currency text, of_mode boolean)
  returns table (cents bigint, is_any boolean)
  language sql stable
as $$
  select greatest(coalesce(sum(d.amount_cents) filter (where not payments.is_reversal(d.dispute_id)), 0),
           coalesce(sum(d.amount_cents) filter (where payments.is_reversal(d.dispute_id)), 0))::bigint, count(*) > 0
    from payments.disputes_that_count(from_provider, of_payment) d
   where (of_currency is null or d.currency = of_currency) and (of_mode is null or d.is_live = of_mode)
$$;

-- Whether the bill of a period went back: refunded in full, or called back by a bank (`for_good`: that has lost, too,
-- and no case about it is open).
create or replace function payments.is_called_back(period payments.periods, for_good boolean) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select exists (
    select from payments.invoices i
     where i.provider = period.provider and i.invoice_id = period.invoice_id and i.payment_id is not null
       and ((select case when for_good then bool_or(d.status = 'lost')
                    and not coalesce(bool_or(d.status = 'open') filter (where not payments.is_reversal(d.dispute_id))
                      and bool_and(payments.is_reversal(d.dispute_id)) filter (where d.status = 'lost'), false)
                  else count(*) > 0 end
               from payments.disputes_that_count(i.provider, i.payment_id) d
              where d.is_live = i.is_live and d.currency = i.currency)
         or (select sum(r.amount_cents) from payments.refunds r
              where r.provider = i.provider and r.payment_id = i.payment_id and r.is_live = i.is_live
                and r.currency = i.currency and r.status <> 'failed')
            >= greatest(coalesce(i.total_cents, i.amount_cents), 1)))
$$;

-- Whether a person has had, or has asked for, money back since a time: of any purchase, at any provider.
create or replace function payments.has_money_back_since(person uuid, since timestamptz) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select exists (
    select from credits.purchases p
      join payments.refund_requests q on q.purchase_id = p.id
     where p.user_id = person and q.status in ('open', 'sent') and q.created_at >= since)
  or exists (
    select from credits.purchases p
      join payments.checkouts c on coalesce(c.opened_for, c.claimed_by) = p.id
      join payments.refunds r on r.provider = c.provider and r.payment_id = c.payment_id
     where p.user_id = person and (c.opened_for = p.id or c.claimed_by = p.id)
       and r.status <> 'failed' and r.created_at >= since)
  or exists (
    select from credits.purchases p
      join payments.checkouts c on coalesce(c.opened_for, c.claimed_by) = p.id
     cross join lateral payments.disputes_that_count(c.provider, c.payment_id) d
     where p.user_id = person and (c.opened_for = p.id or c.claimed_by = p.id)
       and d.created_at >= since)
$$;

-- Keeps what the facts of one turn say about refunds and disputes. Of two words about a case the later one
-- counts, where the provider says when it was (`asOf`): a case that was decided may be taken up again.
create or replace function payments.keep_reversals(
  told payments.told_fact[], of_turn bigint, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into payments.refunds as r (provider, refund_id, payment_id, refund_request_id, status, amount_cents, currency,
      is_live, updated_at)
    select f.provider, f.fact->>'refundId', f.fact->>'paymentId', payments.to_uuid(f.fact->>'refundRequestId'),
           f.fact->>'status', (f.fact->>'amountCents')::bigint, f.fact->>'currency', f.is_live, at_time
      from unnest(told) f where f.kind = 'refund' and f.turn = of_turn
    on conflict (provider, refund_id) do update
      set refund_request_id = coalesce(r.refund_request_id, excluded.refund_request_id),
          (status, amount_cents) = (select k.further_status, k.further_cents
            from payments.further_of(r.status, r.amount_cents, excluded.status, excluded.amount_cents) k),
          updated_at = excluded.updated_at;
  insert into payments.disputes as d (provider, dispute_id, payment_id, status, amount_cents, currency, is_live,
      updated_at, told_at)
    select f.provider, f.fact->>'disputeId', f.fact->>'paymentId', f.fact->>'status',
           (f.fact->>'amountCents')::bigint, f.fact->>'currency', f.is_live, at_time, (f.fact->>'asOf')::timestamptz
      from unnest(told) f where f.kind = 'dispute' and f.turn = of_turn
    on conflict (provider, dispute_id) do update
      set (status, amount_cents) = (
            select k.status, k.amount_cents
              from (values (d.status, d.amount_cents, d.told_at),
                (excluded.status, excluded.amount_cents, excluded.told_at)) as k (status, amount_cents, told_at)
             -- Of one reversal, all that was taken counts.
             order by case when not payments.is_reversal(d.dispute_id) then k.told_at end desc nulls last,
                payments.rank_of(k.status) desc, k.amount_cents desc
             limit 1),
          told_at = greatest(d.told_at, excluded.told_at),
          updated_at = excluded.updated_at;
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
          and not exists (select from payments.refunds r where r.refund_request_id = b.id)) asked
     order by p.id);
end $$;

-- How many cents of a payment have gone back, are called back, or were asked for.
create or replace function payments.back_of_payment(from_provider text, of_payment text) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select (
      coalesce((select sum(r.amount_cents) from payments.refunds r
                 where r.provider = from_provider and r.payment_id = of_payment and r.status <> 'failed'), 0)
      + (select c.cents from payments.called_back(from_provider, of_payment, null, null) c)
      + coalesce((select sum(q.amount_cents)
                    from payments.refund_requests q
                   where q.purchase_id in (
                       select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
                        where c.provider = from_provider and c.payment_id = of_payment)
                     and q.status in ('open', 'sent') and payments.payment_of_refund(q) = of_payment
                     and not exists (select from payments.refunds r where r.refund_request_id = q.id)), 0))::bigint
$$;

-- Compares a refund or a dispute. One of a payment that is only now heard of, by another fact, is put right with it.
create or replace function payments.compare_reversal(
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
    select r.status, r.amount_cents, r.currency, r.is_live, null::timestamptz as told_at
      into ours from payments.refunds r
     where r.provider = from_provider and r.refund_id = fact->>'refundId';
  else
    select d.status, d.amount_cents, d.currency, d.is_live,
           case when not payments.is_reversal(d.dispute_id) then d.told_at end as told_at
      into ours from payments.disputes d
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
  -- Of two words of different times the later one counts, whatever it says.
  if (ours.status <> fact->>'status' or ours.amount_cents <> (fact->>'amountCents')::bigint)
      and ours.currency = fact->>'currency' and ours.is_live = live
      and ours.told_at <> (fact->>'asOf')::timestamptz then
    return row('differing', case when ours.told_at < (fact->>'asOf')::timestamptz then 'behind' else 'ahead' end,
      ours.told_at < (fact->>'asOf')::timestamptz, purchase.id, jsonb_build_object('status', ours.status,
        'amountCents', ours.amount_cents, 'currency', ours.currency))::payments.comparison;
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
