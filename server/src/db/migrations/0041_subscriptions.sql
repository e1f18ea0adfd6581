-- Plans and subscriptions. What providers tell of a subscription and its bills is kept here; every bill that was paid
-- as it should makes one row of payments.periods and, by it, one purchase, which is settled like any other. Why credits
-- expire and roll over as they do: docs/decisions/plans.md.

create table payments.plans (
  id text primary key,
  name text not null,
  description text,
  position integer not null,
  version integer not null,
  is_active boolean not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint plans_id_check check (id ~ '^[a-z0-9][a-z0-9-]{0,49}$' and id <> 'free')
);

create table payments.plan_versions (
  plan_id text not null,
  version integer not null,
  price_cents integer not null,
  currency text not null,
  tax_behavior text not null,
  billing_interval text not null,
  credits bigint not null,
  rollover text not null,
  rollover_cap bigint,
  grace_days integer not null,
  created_by uuid,
  created_at timestamptz(3) not null,
  constraint plan_versions_pkey primary key (plan_id, version),
  constraint plan_versions_plan_id_plans_id_fk foreign key (plan_id) references payments.plans (id) on delete cascade,
  constraint plan_versions_created_by_users_id_fk foreign key (created_by)
    references auth.users (id) on delete set null,
  constraint plan_versions_amounts_check check (credits > 0 and price_cents > 0 and grace_days >= 0),
  constraint plan_versions_currency_check check (currency ~ '^[A-Z]{3}$'),
  constraint plan_versions_tax_check check (tax_behavior in ('inclusive', 'exclusive', 'unspecified')),
  constraint plan_versions_interval_check check (billing_interval in ('month', 'year')),
  constraint plan_versions_rollover_check check (rollover in ('none', 'all', 'capped')),
  constraint plan_versions_cap_check
    check ((rollover = 'capped') = (rollover_cap is not null) and rollover_cap > 0)
);
create index plan_versions_created_by_idx on payments.plan_versions (created_by);

create table payments.plan_prices (
  provider text not null,
  provider_price_id text not null,
  plan_id text not null,
  version integer not null,
  is_live boolean not null,
  constraint plan_prices_pkey primary key (provider, provider_price_id),
  constraint plan_prices_plan_fk foreign key (plan_id, version)
    references payments.plan_versions (plan_id, version) on delete cascade,
  constraint plan_prices_provider_check check (provider in ('stripe', 'paypal'))
);
create index plan_prices_plan_idx on payments.plan_prices (plan_id, version, provider);

create table payments.subscriptions (
  id uuid primary key,
  user_id uuid not null,
  plan_id text not null,
  version integer not null,
  billed_plan_id text not null,
  billed_version integer not null,
  provider text not null,
  is_live boolean not null,
  provider_subscription_id text,
  provider_price_id text,
  customer_id text,
  status text not null,
  period_starts_at timestamptz(3),
  period_ends_at timestamptz(3),
  cancels_at_period_end boolean not null,
  told_at timestamptz(3),
  paid_ends_at timestamptz(3),
  tier_ends_at timestamptz(3),
  ended_at timestamptz(3),
  checkout_id text,
  checkout_url text,
  checkout_expires_at timestamptz(3),
  checked_at timestamptz(3),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint subscriptions_user_id_users_id_fk foreign key (user_id) references auth.users (id) on delete cascade,
  constraint subscriptions_plan_fk foreign key (plan_id, version)
    references payments.plan_versions (plan_id, version) on delete restrict,
  constraint subscriptions_billed_plan_fk foreign key (billed_plan_id, billed_version)
    references payments.plan_versions (plan_id, version) on delete restrict,
  constraint subscriptions_provider_check check (provider in ('stripe', 'paypal')),
  constraint subscriptions_status_check
    check (status in ('opening', 'abandoned', 'incomplete', 'active', 'past_due', 'ended'))
);
create index subscriptions_user_idx on payments.subscriptions (user_id, created_at);
create unique index subscriptions_provider_key on payments.subscriptions (provider, provider_subscription_id);
create index subscriptions_due_idx on payments.subscriptions (period_ends_at)
  where status in ('incomplete', 'active', 'past_due');
create index subscriptions_tier_idx on payments.subscriptions (tier_ends_at) where tier_ends_at is not null;
create index subscriptions_plan_idx on payments.subscriptions (plan_id, version);
create index subscriptions_billed_plan_idx on payments.subscriptions (billed_plan_id, billed_version);

create table payments.plan_changes (
  id uuid primary key,
  subscription_id uuid not null,
  from_plan_id text not null,
  from_version integer not null,
  to_plan_id text not null,
  to_version integer not null,
  created_at timestamptz(3) not null,
  constraint plan_changes_subscription_id_subscriptions_id_fk foreign key (subscription_id)
    references payments.subscriptions (id) on delete cascade,
  constraint plan_changes_from_fk foreign key (from_plan_id, from_version)
    references payments.plan_versions (plan_id, version) on delete restrict,
  constraint plan_changes_to_fk foreign key (to_plan_id, to_version)
    references payments.plan_versions (plan_id, version) on delete restrict
);
create index plan_changes_subscription_idx on payments.plan_changes (subscription_id, created_at);
create index plan_changes_from_idx on payments.plan_changes (from_plan_id, from_version);
create index plan_changes_to_idx on payments.plan_changes (to_plan_id, to_version);

create table payments.invoices (
  provider text not null,
  invoice_id text not null,
  provider_subscription_id text not null,
  payment_id text,
  status text not null,
  purpose text not null,
  provider_price_id text not null,
  amount_cents bigint not null,
  total_cents bigint,
  currency text not null,
  period_starts_at timestamptz(3) not null,
  period_ends_at timestamptz(3) not null,
  invoice_url text,
  is_live boolean not null,
  refusal text,
  settled_at timestamptz(3),
  received_at timestamptz(3) not null,
  constraint invoices_pkey primary key (provider, invoice_id),
  constraint invoices_provider_check check (provider in ('stripe', 'paypal')),
  constraint invoices_status_check check (status in ('open', 'failed', 'void', 'paid')),
  constraint invoices_purpose_check check (purpose in ('period', 'change'))
);
create index invoices_subscription_idx on payments.invoices (provider, provider_subscription_id);
create index invoices_unsettled_idx on payments.invoices (received_at) where status = 'paid' and settled_at is null;

create table payments.periods (
  id uuid primary key,
  subscription_id uuid not null,
  provider text not null,
  invoice_id text not null,
  purchase_id uuid,
  purpose text not null,
  plan_id text not null,
  version integer not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  credits bigint not null,
  carried_times integer,
  carried_more bigint not null,
  created_at timestamptz(3) not null,
  constraint periods_subscription_id_subscriptions_id_fk foreign key (subscription_id)
    references payments.subscriptions (id) on delete cascade,
  constraint periods_purchase_id_purchases_id_fk foreign key (purchase_id)
    references credits.purchases (id) on delete set null,
  constraint periods_plan_fk foreign key (plan_id, version)
    references payments.plan_versions (plan_id, version) on delete restrict,
  constraint periods_provider_check check (provider in ('stripe', 'paypal')),
  constraint periods_purpose_check check (purpose in ('period', 'change')),
  constraint periods_bounds_check
    check (starts_at < ends_at and credits >= 0 and carried_times >= 0 and carried_more >= 0)
);
create unique index periods_invoice_key on payments.periods (provider, invoice_id);
create unique index periods_purchase_key on payments.periods (purchase_id);
create unique index periods_start_key on payments.periods (subscription_id, starts_at) where purpose = 'period';
create index periods_subscription_idx on payments.periods (subscription_id, ends_at);
create index periods_plan_idx on payments.periods (plan_id, version);

select obol.protect('payments.plans', null, 'select, insert, update');
select obol.protect('payments.plan_versions', null, 'select, insert');
select obol.protect('payments.plan_prices', null, 'select, insert');
select obol.protect('payments.subscriptions', 'user_id', 'select, insert, update');
select obol.protect('payments.plan_changes', null, 'select, insert, delete');
select obol.protect('payments.invoices', null, 'select');
select obol.protect('payments.periods', null, 'select');

-- What people subscribe to is everybody's to read.
create policy anyone_read on payments.plans for select using (is_active);

-- Time ----------------------------------------------------------------------------------------------------------------

-- How long credits outlive the last period that they are for, unless the period behind it is paid for sooner: providers
-- send the next bill some time after the turn.
create function payments.renewal_leeway() returns interval
  language sql immutable
as $$ select interval '1 day' $$;

-- The end of the period that lies `times` periods behind the one that ends at `ends_at`. Who began on the 31st is
-- billed on the last day of shorter months and on the 31st again: of two turns in a row the later day is the day.
create function payments.later_turn(starts_at timestamptz, ends_at timestamptz, billing_interval text, times integer)
  returns timestamptz
  language sql immutable set search_path = pg_catalog
as $$
  select (m.month + make_interval(days => least(
           greatest(extract(day from starts_at at time zone 'UTC'), extract(day from e.turn)),
           extract(day from m.month + interval '1 month - 1 day'))::integer - 1)
           + (e.turn - date_trunc('day', e.turn))) at time zone 'UTC'
    from (select ends_at at time zone 'UTC' as turn) e
   cross join lateral (select date_trunc('month', e.turn)
     + make_interval(months => times * case billing_interval when 'year' then 12 else 1 end) as month) m
$$;

-- Part of an amount for part of a time, rounded down. In whole seconds, as providers count.
create function payments.part_of(amount bigint, from_time timestamptz, starts_at timestamptz, ends_at timestamptz)
  returns bigint
  language sql immutable set search_path = pg_catalog
as $$
  select floor(amount::numeric * floor(extract(epoch from ends_at - from_time))
    / greatest(floor(extract(epoch from ends_at - starts_at)), 1))::bigint
$$;

-- What is known -------------------------------------------------------------------------------------------------------

-- The subscription that a fact is about: the one that the provider knows by this id, else the one that the metadata
-- names, as long as that belongs to no other subscription of the provider.
create function payments.subscription_of(from_provider text, fact jsonb) returns payments.subscriptions
  language sql stable set search_path = pg_catalog
as $$
  select s from payments.subscriptions s
   where s.provider = from_provider
     and (s.provider_subscription_id = fact->>'providerSubscriptionId'
       or s.id = payments.to_uuid(fact->>'subscriptionId') and s.provider_subscription_id is null)
   order by s.provider_subscription_id nulls last limit 1
$$;

-- The version of a plan that a provider knows by this price.
create function payments.version_of(from_provider text, price_id text) returns payments.plan_versions
  language sql stable set search_path = pg_catalog
as $$
  select v from payments.plan_prices p
    join payments.plan_versions v on v.plan_id = p.plan_id and v.version = p.version
   where p.provider = from_provider and p.provider_price_id = price_id
$$;

-- The whole period that was paid for and holds this instant.
create function payments.period_at(of_subscription uuid, instant timestamptz) returns payments.periods
  language sql stable set search_path = pg_catalog
as $$
  select p from payments.periods p
   where p.subscription_id = of_subscription and p.purpose = 'period' and p.starts_at <= instant and p.ends_at > instant
   order by p.starts_at desc limit 1
$$;

-- What a subscription was changed from when it was changed to this version within a period, as we asked for it. Prices
-- only rise within a period, so each version is changed to once.
create function payments.version_before(
  of_subscription uuid, wanted payments.plan_versions, period payments.periods
) returns payments.plan_versions
  language sql stable set search_path = pg_catalog
as $$
  select v from payments.plan_changes c
    join payments.plan_versions v on v.plan_id = c.from_plan_id and v.version = c.from_version
   where c.subscription_id = of_subscription
     and (c.to_plan_id, c.to_version) = (wanted.plan_id, wanted.version)
     and c.created_at >= period.starts_at - interval '1 day' and c.created_at < period.ends_at
   order by c.created_at desc limit 1
$$;

-- Why a bill that is paid does not bring what it is for; `waiting` when it cannot be said yet, null when it does.
create function payments.problem_of(subscription payments.subscriptions, invoice payments.invoices) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  billed payments.plan_versions := payments.version_of(invoice.provider, invoice.provider_price_id);
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

-- What a fact about a bill says, as a row.
create function payments.invoice_in(from_provider text, fact jsonb, live boolean) returns payments.invoices
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_populate_record(null::payments.invoices, jsonb_build_object('provider', from_provider,
    'invoice_id', fact->'invoiceId', 'provider_subscription_id', fact->'providerSubscriptionId',
    'payment_id', fact->'paymentId', 'status', fact->'status', 'purpose', fact->'purpose',
    'provider_price_id', fact->'providerPriceId', 'amount_cents', fact->'amountCents',
    'total_cents', fact->'totalCents', 'currency', fact->'currency',
    'period_starts_at', fact->'periodStart', 'period_ends_at', fact->'periodEnd', 'invoice_url', fact->'invoiceUrl',
    'is_live', live))
$$;

-- Judges a fact about a subscription or its bill: until it is linked, it waits for `subscription:` and the id that the
-- provider has for it.
create or replace function payments.judge_subscription(from_provider text, fact jsonb, live boolean)
  returns payments.verdict
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions := payments.subscription_of(from_provider, fact);
  verdict payments.verdict;
begin
  if subscription.id is null then
    verdict.reason := case when exists (
      select from payments.subscriptions s where s.id = payments.to_uuid(fact->>'subscriptionId'))
      then 'wrong_subscription' else 'waiting' end;
  elsif subscription.is_live <> live then
    verdict.reason := 'wrong_mode';
  elsif fact->>'kind' = 'subscription' then
    -- It counts all the same, but for its plan.
    verdict.outcome := 'applied';
    verdict.reason := case
      when (payments.version_of(from_provider, fact->>'providerPriceId')).plan_id is null then 'unknown_price' end;
    return verdict;
  elsif fact->>'status' = 'paid' then
    verdict.reason := payments.problem_of(subscription, payments.invoice_in(from_provider, fact, live));
  end if;
  verdict.outcome := case coalesce(verdict.reason, '') when '' then 'applied' when 'waiting' then 'waiting'
    else 'refused' end;
  if verdict.outcome = 'waiting' then
    verdict.reason := null;
    verdict.waits_for := 'subscription:' || (fact->>'providerSubscriptionId');
  end if;
  return verdict;
end $$;

-- What facts say ------------------------------------------------------------------------------------------------------

-- Keeps what a fact says about a subscription. Returns the purchases that it concerns.
create or replace function payments.keep_subscription(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions := payments.lock_subscription(from_provider, fact, live);
begin
  if subscription.id is null then return '{}'; end if;
  return payments.settle_invoices(payments.write_subscription(subscription, fact, at_time), at_time);
end $$;

-- Keeps what a fact says about a bill of a subscription. What it pays for is a purchase of the kind `period`, and the
-- bill itself is kept as its checkout. Returns the purchases that it concerns.
create or replace function payments.keep_invoice(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
begin
  perform payments.write_invoice(payments.invoice_in(from_provider, fact, live), at_time);
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

-- The subscription that a fact of its mode is about, locked, so that what follows from a bill follows once.
create function payments.lock_subscription(from_provider text, fact jsonb, live boolean)
  returns payments.subscriptions
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions := payments.subscription_of(from_provider, fact);
begin
  perform from payments.subscriptions s where s.id = subscription.id for no key update;
  -- As it is under the lock.
  subscription := payments.subscription_of(from_provider, fact);
  return case when subscription.is_live = live then subscription end;
end $$;

-- How far on one word about a subscription is before another of the same second.
create function payments.subscription_rank(status text) returns integer
  language sql immutable
as $$
  select pg_catalog.array_position(array['opening', 'abandoned', 'incomplete', 'past_due', 'active', 'ended'], status)
$$;

-- Keeps what a fact says about a subscription, which is locked, if it is the latest that is known; its end is final.
create function payments.write_subscription(
  subscription payments.subscriptions, fact jsonb, at_time timestamptz
) returns payments.subscriptions
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  told payments.subscriptions := jsonb_populate_record(null::payments.subscriptions, jsonb_build_object(
    'status', fact->'status', 'period_starts_at', fact->'periodStart', 'period_ends_at', fact->'periodEnd',
    'cancels_at_period_end', fact->'cancelsAtPeriodEnd', 'told_at', fact->'asOf',
    'provider_price_id', fact->'providerPriceId'));
  known payments.subscriptions := subscription;
  billed payments.plan_versions;
begin
  subscription.provider_subscription_id := fact->>'providerSubscriptionId';
  subscription.customer_id := coalesce(fact->>'customerId', known.customer_id);
  if told.status = 'ended' then
    subscription.status := 'ended';
    subscription.ended_at := least(known.ended_at, told.told_at);
  end if;
  if known.told_at is null
    or (told.told_at, coalesce(told.period_ends_at, '-infinity'), payments.subscription_rank(told.status),
        told.cancels_at_period_end, told.provider_price_id)
      > (known.told_at, coalesce(known.period_ends_at, '-infinity'), payments.subscription_rank(known.status),
        known.cancels_at_period_end, coalesce(known.provider_price_id, '')) then
    billed := payments.version_of(known.provider, told.provider_price_id);
    subscription.status := case when known.status = 'ended' then 'ended' else told.status end;
    subscription.period_starts_at := coalesce(told.period_starts_at, known.period_starts_at);
    subscription.period_ends_at := coalesce(told.period_ends_at, known.period_ends_at);
    subscription.cancels_at_period_end := told.cancels_at_period_end and told.status <> 'ended';
    subscription.told_at := told.told_at;
    subscription.provider_price_id := told.provider_price_id;
    subscription.billed_plan_id := coalesce(billed.plan_id, known.billed_plan_id);
    subscription.billed_version := coalesce(billed.version, known.billed_version);
  end if;
  if subscription = known then return known; end if;
  update payments.subscriptions s
     set (provider_subscription_id, customer_id, status, ended_at, period_starts_at, period_ends_at,
          cancels_at_period_end, told_at, provider_price_id, billed_plan_id, billed_version, updated_at)
       = (subscription.provider_subscription_id, subscription.customer_id, subscription.status, subscription.ended_at,
          subscription.period_starts_at, subscription.period_ends_at, subscription.cancels_at_period_end,
          subscription.told_at,
          subscription.provider_price_id, subscription.billed_plan_id, subscription.billed_version, at_time)
   where s.id = subscription.id returning s.* into subscription;
  return subscription;
end $$;

-- Keeps what a fact says about a bill; the further on counts. open < failed < void < paid.
create function payments.write_invoice(told payments.invoices, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  ranks constant text[] := array['open', 'failed', 'void', 'paid'];
begin
  told.received_at := at_time;
  insert into payments.invoices as i select told.*
    on conflict (provider, invoice_id) do update
      set payment_id = coalesce(i.payment_id, excluded.payment_id),
          invoice_url = coalesce(i.invoice_url, excluded.invoice_url);
  update payments.invoices i
     set (status, purpose, provider_price_id, amount_cents, total_cents, currency, period_starts_at, period_ends_at,
          payment_id, is_live)
       = (told.status, told.purpose, told.provider_price_id, told.amount_cents, told.total_cents, told.currency,
          told.period_starts_at, told.period_ends_at, coalesce(told.payment_id, i.payment_id), told.is_live)
   where i.provider = told.provider and i.invoice_id = told.invoice_id
     and array_position(ranks, told.status) > array_position(ranks, i.status);
end $$;

-- What follows --------------------------------------------------------------------------------------------------------

-- Makes a period and its purchase of every bill of a subscription that is paid as it should, whole periods first, so
-- that changes within them find them. Returns the purchases to be settled. The subscription is locked.
create function payments.settle_invoices(subscription payments.subscriptions, at_time timestamptz) returns uuid[]
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
      purchase_ids := purchase_ids || payments.begin_period(subscription, invoice, at_time);
      is_settled := true;
    end if;
    update payments.invoices i set refusal = problem, settled_at = case when problem is null then at_time end
     where i.provider = invoice.provider and i.invoice_id = invoice.invoice_id;
  end loop;
  if is_settled then perform payments.note_paid_periods(subscription.id, at_time); end if;
  return purchase_ids;
end $$;

-- The period that a bill has paid for, and the purchase of its credits, if it has any. A change to a dearer plan brings
-- what that has more of credits, in proportion to what is left of the period.
create function payments.begin_period(
  subscription payments.subscriptions, invoice payments.invoices, at_time timestamptz
) returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  billed payments.plan_versions := payments.version_of(invoice.provider, invoice.provider_price_id);
  before payments.plan_versions;
  whole payments.periods;
  made payments.periods;
begin
  made.id := credits.new_id(at_time);
  made.subscription_id := subscription.id;
  made.provider := invoice.provider;
  made.invoice_id := invoice.invoice_id;
  made.purpose := invoice.purpose;
  made.plan_id := billed.plan_id;
  made.version := billed.version;
  made.starts_at := invoice.period_starts_at;
  made.ends_at := invoice.period_ends_at;
  made.credits := billed.credits;
  made.created_at := at_time;
  if invoice.purpose = 'change' then
    whole := payments.period_at(subscription.id, invoice.period_starts_at);
    before := payments.version_before(subscription.id, billed, whole);
    made.ends_at := whole.ends_at;
    made.credits := greatest(0, payments.part_of(
      billed.credits - before.credits, invoice.period_starts_at, whole.starts_at, whole.ends_at));
  end if;
  -- A cap of two and a half periods: all of a period's credits are carried twice, half of them once more. Those that
  -- expire first are spent first, so what is carried is never more than the cap, and no less than it could be.
  made.carried_times := case billed.rollover when 'none' then 0
    when 'capped' then (billed.rollover_cap / billed.credits)::integer end;
  made.carried_more := case when billed.rollover = 'capped' then least(made.credits, greatest(0,
    billed.rollover_cap % billed.credits - coalesce(before.rollover_cap % before.credits, 0))) else 0 end;
  if made.credits > 0 then
    made.purchase_id := credits.new_id(at_time);
    insert into credits.purchases (id, wallet_id, user_id, credits, price_cents, currency, provider, status, created_at,
        kind, title, is_live, tax_behavior)
      select made.purchase_id, subscription.user_id, subscription.user_id, made.credits, invoice.amount_cents,
             invoice.currency, invoice.provider, 'pending', at_time, 'period', p.name, invoice.is_live,
             billed.tax_behavior
        from payments.plans p where p.id = billed.plan_id;
  end if;
  insert into payments.periods select made.*;
  return payments.pay_period(made, invoice, at_time);
end $$;

-- Tells what is known of a period's payment to what settles purchases. Whoever tells something of that payment
-- meanwhile is waited for.
create function payments.pay_period(period payments.periods, invoice payments.invoices, at_time timestamptz)
  returns uuid[]
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  if period.purchase_id is null then return '{}'; end if;
  if invoice.payment_id is not null then
    insert into payments.payments (provider, payment_id, created_at)
      values (invoice.provider, invoice.payment_id, at_time) on conflict do nothing;
    perform from payments.payments p
      where p.provider = invoice.provider and p.payment_id = invoice.payment_id for no key update;
  end if;
  perform payments.keep_checkout(invoice.provider, jsonb_build_object('checkoutId', invoice.invoice_id,
    'purchaseId', period.purchase_id, 'paymentId', invoice.payment_id, 'status', 'paid',
    'amountCents', invoice.amount_cents, 'totalCents', invoice.total_cents, 'currency', invoice.currency),
    invoice.is_live, true, at_time);
  return array[period.purchase_id];
end $$;

-- What a subscription is now by what was paid: the plan of the latest period or change, and until when it counts.
create function payments.note_paid_periods(of_subscription uuid, at_time timestamptz) returns void
  language sql volatile set search_path = pg_catalog
as $$
  update payments.subscriptions s
     set (plan_id, version, paid_ends_at, tier_ends_at, updated_at) = (
       select p.plan_id, p.version, p.ends_at, p.ends_at + make_interval(days => v.grace_days), at_time
         from payments.periods p
         join payments.plan_versions v on v.plan_id = p.plan_id and v.version = p.version
        where p.subscription_id = s.id order by p.ends_at desc, p.starts_at desc limit 1)
   where s.id = of_subscription
$$;

-- Credits of a period -------------------------------------------------------------------------------------------------

-- In which lots the credits of a purchase come in. Those of a period expire with it, or as many periods later as they
-- may be carried over; never when any number of times. Who paid only afterwards has them for as long as a period takes.
create function payments.lots_of(purchase credits.purchases, amount bigint, at_time timestamptz)
  returns table (lot_amount bigint, lot_expires_at timestamptz)
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  period payments.periods;
  more bigint;
begin
  select p.* into period from payments.periods p where p.purchase_id = purchase.id;
  if period.id is null then
    return query select amount, purchase.lot_expires_at;
    return;
  end if;
  more := least(amount, period.carried_more);
  return query
    select part.amount, payments.expiry_of(period, part.times, at_time)
      from (values (amount - more, period.carried_times), (more, period.carried_times + 1)) as part (amount, times)
     where part.amount > 0;
end $$;

-- When credits of a period expire that may be carried over so many times (null: any number of times): see lots_of.
create function payments.expiry_of(period payments.periods, times integer, at_time timestamptz) returns timestamptz
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  billing_interval text;
  turn timestamptz;
  expires_at timestamptz;
begin
  select s.* into subscription from payments.subscriptions s where s.id = period.subscription_id;
  select v.billing_interval into billing_interval from payments.plan_versions v
   where v.plan_id = period.plan_id and v.version = period.version;
  if subscription.status = 'ended' then
    times := 0;
  elsif times is null then
    return null;
  end if;
  -- A change begins somewhere within its period; what tells the day of the turns is the period as a whole.
  turn := payments.later_turn(coalesce((payments.period_at(period.subscription_id, period.starts_at)).starts_at,
    period.starts_at), period.ends_at, billing_interval, times);
  expires_at := turn + case when subscription.status = 'ended' or exists (
      select from payments.periods p
       where p.subscription_id = period.subscription_id and p.purpose = 'period'
         and p.starts_at >= turn - interval '12 hours') then interval '0' else payments.renewal_leeway() end;
  return case when expires_at > at_time then expires_at else at_time + (period.ends_at - period.starts_at) end;
end $$;

-- Lets go of credits of a subscription that are not carried over: those that waited for the period behind theirs to be
-- paid for, since it is; and at its end all, but for what was paid for beyond that. The wallet is locked here.
create function payments.let_go(
  of_subscription uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  wallet credits.balances;
  first_expiry_at timestamptz;
begin
  select s.* into subscription from payments.subscriptions s where s.id = of_subscription;
  wallet := (credits.lock_wallets(array[subscription.user_id], at_time, daily_amount, daily_cap))[1];
  with brought as (
    select l.id, l.expires_at,
           case when l.created_at >= p.ends_at then l.created_at + (p.ends_at - p.starts_at) else p.ends_at end
             as paid_ends_at,
           (select min(n.starts_at) from payments.periods n
             where n.subscription_id = p.subscription_id and n.purpose = 'period' and n.starts_at < l.expires_at
               and n.starts_at >= l.expires_at - payments.renewal_leeway() - interval '12 hours') as next_at
      from payments.periods p
      join payments.postings o on o.purchase_id = p.purchase_id and o.amount > 0
      join credits.lots l on l.wallet_id = wallet.wallet_id and l.closed_at is null
       and l.transaction_id = o.transaction_id
     where p.subscription_id = of_subscription
  ), shortened as (
    update credits.lots l set expires_at = b.until
      from (select b.id, b.expires_at, greatest(b.paid_ends_at,
                     case when subscription.status = 'ended' then least(subscription.ended_at, b.next_at)
                       else b.next_at end) as until
              from brought b where subscription.status = 'ended' or b.next_at is not null) b
     where l.id = b.id and (b.expires_at is null or b.until < b.expires_at)
    returning l.expires_at
  )
  select min(h.expires_at) into first_expiry_at from shortened h;
  if first_expiry_at is null then return; end if;
  wallet.next_expiry_at := least(wallet.next_expiry_at, first_expiry_at);
  perform credits.refresh_wallet(wallet, at_time, daily_amount, daily_cap);
end $$;

-- What follows from facts for the wallets and the standing of people, once purchases are settled.
create function payments.follow_subscriptions(
  told jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription record;
begin
  for subscription in
    select distinct s.user_id, s.id
      from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
      join payments.subscriptions s on s.provider = t.value->>'provider'
       and s.provider_subscription_id = f.value->>'providerSubscriptionId'
     where f.value->>'kind' in ('subscription', 'invoice')
     order by s.user_id, s.id
  loop
    perform payments.let_go(subscription.id, at_time, daily_amount, daily_cap);
    perform payments.note_standing_of_user(subscription.user_id, at_time);
  end loop;
end $$;

-- People --------------------------------------------------------------------------------------------------------------

-- Writes down whether a person has a subscription and to what. What counts is what was paid for; whose payment fails
-- keeps the plan for its days of grace.
create function payments.note_standing_of_user(person uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  status text;
  tier text;
begin
  select s.* into subscription from payments.subscriptions s
   where s.user_id = person and s.paid_ends_at is not null and s.status in ('incomplete', 'active', 'past_due')
   order by s.tier_ends_at > at_time desc, s.paid_ends_at desc, s.id limit 1;
  status := coalesce(subscription.status, case when exists (
    select from payments.subscriptions s where s.user_id = person and s.paid_ends_at is not null)
    then 'ended' else 'none' end);
  tier := case when subscription.tier_ends_at > at_time then subscription.plan_id else 'free' end;
  update auth.users u set subscription_status = status, subscription_tier = tier
   where u.id = person and (u.subscription_status, u.subscription_tier) <> (status, tier);
  if found then
    perform webhooks.emit_event('user.subscription_changed', at_time, jsonb_build_object('userId', person,
      'subscriptionStatus', status, 'subscriptionTier', tier), person, person);
  end if;
end $$;

-- Ends what plans that are no longer paid for count: at most so many people. Returns how many there were.
create function payments.end_grace(at_time timestamptz, people_max integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  people uuid[] := array(
    select distinct s.user_id
      from payments.subscriptions s join auth.users u on u.id = s.user_id and u.subscription_tier = s.plan_id
     where s.tier_ends_at <= at_time and not exists (
       select from payments.subscriptions o
        where o.user_id = s.user_id and o.plan_id = s.plan_id and o.tier_ends_at > at_time and o.status <> 'ended')
     order by s.user_id limit people_max);
  person uuid;
begin
  foreach person in array people loop
    perform from auth.users u where u.id = person for no key update;
    perform payments.note_standing_of_user(person, at_time);
  end loop;
  return cardinality(people);
end $$;

grant execute on function payments.end_grace(timestamptz, integer) to obol_app;
