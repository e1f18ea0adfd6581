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
-- any of it. What events say in our words stays: ids and amounts.
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
