-- Payments: what providers tell, in Obol's words (facts), and what follows from it for purchases. Facts know no order:
-- of two about one thing the one further on in its states counts. From all facts about a purchase follows how many
-- credits it is worth (its target), and what is missing or too much is posted to the ledger, in the transaction that
-- brought the facts. See docs/decisions/payments.md.
--
-- Locks are taken in this order, and within each kind sorted, so that no two callers wait for each other in a circle:
-- subscriptions, checkouts, refunds, disputes, payments, purchases, wallets, events.

-- What is for sale ----------------------------------------------------------------------------------------------------

alter table credits.packages
  add column description text,
  add column tax_behavior text not null default 'inclusive',
  add column version integer not null default 1,
  add column per_user_max integer,
  add column per_user_days integer,
  add column updated_at timestamptz(3),
  add constraint packages_tax_check check (tax_behavior in ('inclusive', 'exclusive', 'unspecified')),
  add constraint packages_limit_check
    check (per_user_max > 0 and per_user_days > 0 and (per_user_days is null or per_user_max is not null));

create table credits.package_prices (
  package_id text not null,
  currency text not null,
  price_cents integer not null,
  constraint package_prices_pkey primary key (package_id, currency),
  constraint package_prices_package_id_packages_id_fk foreign key (package_id)
    references credits.packages (id) on delete cascade,
  constraint package_prices_price_check check (price_cents > 0),
  constraint package_prices_currency_check check (currency ~ '^[A-Z]{3}$')
);

create table credits.package_versions (
  package_id text not null,
  version integer not null,
  terms jsonb not null,
  changed_by uuid,
  created_at timestamptz(3) not null,
  constraint package_versions_pkey primary key (package_id, version),
  constraint package_versions_package_id_packages_id_fk foreign key (package_id)
    references credits.packages (id) on delete cascade,
  constraint package_versions_changed_by_users_id_fk foreign key (changed_by)
    references auth.users (id) on delete set null
);
create index package_versions_changed_by_idx on credits.package_versions (changed_by);

select obol.protect('credits.package_prices', null, 'select, insert, delete');
select obol.protect('credits.package_versions', null, 'select, insert');
create policy anyone_read on credits.package_prices for select using (true);

-- Purchases -----------------------------------------------------------------------------------------------------------

alter table credits.purchases
  add column kind text not null default 'pack',
  add column title text not null default 'Credits',
  add column package_version integer,
  add column is_live boolean not null default false,
  add column tax_behavior text not null default 'unspecified',
  add column lot_expires_at timestamptz(3),
  add column idempotency_key text,
  add column request_hash bytea,
  add column checkout_id text,
  add column checkout_url text,
  add column expires_at timestamptz(3),
  add column posted_credits bigint not null default 0,
  add column refunded_cents bigint not null default 0,
  add column disputed_cents bigint not null default 0,
  add column problem text,
  add column next_check_at timestamptz(3),
  add column checked_at timestamptz(3),
  add column updated_at timestamptz(3),
  add constraint purchases_kind_check check (kind in ('pack', 'top_up', 'period')),
  add constraint purchases_posted_check check (posted_credits >= 0 and posted_credits <= credits);
create unique index purchases_idempotency_key on credits.purchases (wallet_id, idempotency_key);
create index purchases_check_idx on credits.purchases (next_check_at) where next_check_at is not null;

-- What providers tell -------------------------------------------------------------------------------------------------

alter table payments.events
  add column facts jsonb not null default '[]',
  add column is_live boolean not null default false,
  add column reason text,
  add column waits_for text,
  add column happened_at timestamptz(3),
  add constraint events_outcome_check check (outcome in ('applied', 'waiting', 'ignored', 'refused', 'failed'));
create index events_waits_idx on payments.events (provider, waits_for) where waits_for is not null;
create index events_listed_idx on payments.events (received_at, id);
drop index payments.events_waiting_idx;

create table payments.checkouts (
  provider text not null,
  checkout_id text not null,
  opened_for uuid,
  claimed_by uuid,
  payment_id text,
  status text not null,
  amount_cents bigint not null,
  total_cents bigint not null,
  currency text not null,
  customer_id text,
  is_live boolean not null,
  updated_at timestamptz(3) not null,
  constraint checkouts_pkey primary key (provider, checkout_id),
  constraint checkouts_status_check check (status in ('open', 'processing', 'expired', 'failed', 'paid'))
);
create index checkouts_opened_for_idx on payments.checkouts (opened_for) where opened_for is not null;
create index checkouts_claimed_by_idx on payments.checkouts (claimed_by) where claimed_by is not null;
create index checkouts_payment_idx on payments.checkouts (provider, payment_id) where payment_id is not null;

create table payments.payments (
  provider text not null,
  payment_id text not null,
  created_at timestamptz(3) not null,
  constraint payments_pkey primary key (provider, payment_id)
);

create table payments.refunds (
  provider text not null,
  refund_id text not null,
  payment_id text not null,
  refund_request_id uuid,
  status text not null,
  amount_cents bigint not null,
  currency text not null,
  is_live boolean not null,
  updated_at timestamptz(3) not null,
  constraint refunds_pkey primary key (provider, refund_id),
  constraint refunds_status_check check (status in ('pending', 'succeeded', 'failed')),
  constraint refunds_amount_check check (amount_cents >= 0)
);
create index refunds_payment_idx on payments.refunds (provider, payment_id);
create index refunds_request_idx on payments.refunds (refund_request_id) where refund_request_id is not null;

create table payments.disputes (
  provider text not null,
  dispute_id text not null,
  payment_id text not null,
  status text not null,
  amount_cents bigint not null,
  currency text not null,
  is_live boolean not null,
  updated_at timestamptz(3) not null,
  constraint disputes_pkey primary key (provider, dispute_id),
  constraint disputes_status_check check (status in ('open', 'lost', 'won')),
  constraint disputes_amount_check check (amount_cents >= 0)
);
create index disputes_payment_idx on payments.disputes (provider, payment_id);

-- A refund that we ask for. While it is open its credits are gone from the wallet, so nobody spends them meanwhile.
create table payments.refund_requests (
  id uuid not null,
  purchase_id uuid not null,
  amount_cents bigint not null,
  reason text not null,
  status text not null,
  requested_by uuid,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  constraint refund_requests_pkey primary key (id),
  constraint refund_requests_purchase_id_purchases_id_fk foreign key (purchase_id)
    references credits.purchases (id) on delete restrict,
  constraint refund_requests_requested_by_users_id_fk foreign key (requested_by)
    references auth.users (id) on delete set null,
  constraint refund_requests_status_check check (status in ('open', 'sent', 'declined', 'failed')),
  constraint refund_requests_amount_check check (amount_cents > 0)
);
create index refund_requests_purchase_idx on payments.refund_requests (purchase_id);
create index refund_requests_requested_by_idx on payments.refund_requests (requested_by);

-- What a purchase has brought and what was taken back for it. Without a transaction: an administrator had taken it.
create table payments.postings (
  id uuid not null,
  purchase_id uuid not null,
  transaction_id uuid,
  amount bigint not null,
  created_at timestamptz(3) not null,
  constraint postings_pkey primary key (id),
  constraint postings_purchase_id_purchases_id_fk foreign key (purchase_id)
    references credits.purchases (id) on delete restrict,
  constraint postings_amount_check check (amount <> 0)
);
create index postings_purchase_idx on payments.postings (purchase_id, id);
create unique index postings_transaction_key on payments.postings (transaction_id);

create table payments.refused_deliveries (
  id uuid not null,
  provider text not null,
  code text not null,
  body text not null,
  ip_address text,
  received_at timestamptz(3) not null,
  constraint refused_deliveries_pkey primary key (id)
);

select obol.protect('payments.checkouts', null, 'select');
select obol.protect('payments.payments', null, 'select');
select obol.protect('payments.refunds', null, 'select');
select obol.protect('payments.disputes', null, 'select');
select obol.protect('payments.refund_requests', null, 'select, insert, update');
select obol.protect('payments.postings', null, 'select');
select obol.protect('payments.refused_deliveries', null, 'select, insert, delete');

-- Facts ---------------------------------------------------------------------------------------------------------------

-- How far on a state is; the further one counts.
create function payments.rank_of(status text) returns integer
  language sql immutable
as $$
  select case status
    when 'open' then 1 when 'pending' then 1 when 'processing' then 2 when 'expired' then 3 when 'succeeded' then 3
    when 'lost' then 3 when 'failed' then 4 when 'won' then 4 when 'paid' then 5 end
$$;

-- A text as a UUID; null for any other text.
create function payments.to_uuid(text) returns uuid
  language sql immutable
as $$
  select case when $1 ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then $1::uuid end
$$;

-- Keeps what a fact says about a checkout. `is_own` is for facts of checkouts that we have just opened ourselves: whom
-- they are for is then known, whatever else is claimed.
create function payments.keep_checkout(
  from_provider text, fact jsonb, live boolean, is_own boolean, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  told_purchase uuid := payments.to_uuid(fact->>'purchaseId');
begin
  insert into payments.checkouts as c (provider, checkout_id, opened_for, claimed_by, payment_id, status, amount_cents,
      total_cents, currency, customer_id, is_live, updated_at)
    values (from_provider, fact->>'checkoutId', case when is_own then told_purchase end,
      case when not is_own then told_purchase end, fact->>'paymentId', fact->>'status',
      (fact->>'amountCents')::bigint, coalesce((fact->>'totalCents')::bigint, (fact->>'amountCents')::bigint),
      fact->>'currency', fact->>'customerId', live, at_time)
    on conflict (provider, checkout_id) do update
      set opened_for = coalesce(c.opened_for, excluded.opened_for),
          claimed_by = coalesce(c.claimed_by, excluded.claimed_by),
          payment_id = case when payments.rank_of(excluded.status) < payments.rank_of(c.status)
            then coalesce(c.payment_id, excluded.payment_id) else coalesce(excluded.payment_id, c.payment_id) end,
          customer_id = coalesce(excluded.customer_id, c.customer_id),
          (status, amount_cents, total_cents, currency, is_live) = (
            select k.status, k.amount_cents, k.total_cents, k.currency, k.is_live
              from (values
                (c.status, c.amount_cents, c.total_cents, c.currency, c.is_live),
                (excluded.status, excluded.amount_cents, excluded.total_cents, excluded.currency, excluded.is_live)
              ) as k (status, amount_cents, total_cents, currency, is_live)
             order by payments.rank_of(k.status) desc, k.total_cents desc, k.amount_cents desc, k.currency limit 1),
          updated_at = excluded.updated_at;
end $$;

-- Keeps what a fact says about a refund.
create function payments.keep_refund(from_provider text, fact jsonb, live boolean, at_time timestamptz) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into payments.refunds as r (provider, refund_id, payment_id, refund_request_id, status, amount_cents, currency,
      is_live, updated_at)
    values (from_provider, fact->>'refundId', fact->>'paymentId', payments.to_uuid(fact->>'refundRequestId'),
      fact->>'status', (fact->>'amountCents')::bigint, fact->>'currency', live, at_time)
    on conflict (provider, refund_id) do update
      set refund_request_id = coalesce(r.refund_request_id, excluded.refund_request_id),
          amount_cents = case when payments.rank_of(excluded.status) = payments.rank_of(r.status)
              then greatest(r.amount_cents, excluded.amount_cents)
            when payments.rank_of(excluded.status) > payments.rank_of(r.status) then excluded.amount_cents
            else r.amount_cents end,
          status = case when payments.rank_of(excluded.status) > payments.rank_of(r.status) then excluded.status
            else r.status end,
          updated_at = excluded.updated_at
$$;

-- Keeps what a fact says about a dispute.
create function payments.keep_dispute(from_provider text, fact jsonb, live boolean, at_time timestamptz) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into payments.disputes as d (provider, dispute_id, payment_id, status, amount_cents, currency, is_live,
      updated_at)
    values (from_provider, fact->>'disputeId', fact->>'paymentId', fact->>'status', (fact->>'amountCents')::bigint,
      fact->>'currency', live, at_time)
    on conflict (provider, dispute_id) do update
      set amount_cents = case when payments.rank_of(excluded.status) = payments.rank_of(d.status)
              then greatest(d.amount_cents, excluded.amount_cents)
            when payments.rank_of(excluded.status) > payments.rank_of(d.status) then excluded.amount_cents
            else d.amount_cents end,
          status = case when payments.rank_of(excluded.status) > payments.rank_of(d.status) then excluded.status
            else d.status end,
          updated_at = excluded.updated_at
$$;

-- Keeps what a fact says about a subscription. Returns the purchases that it concerns.
create function payments.keep_subscription(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns uuid[]
  language sql volatile set search_path = pg_catalog
as $$ select '{}'::uuid[] $$;

-- Keeps what a fact says about a bill of a subscription. What it pays for is a purchase of the kind `period`, and the
-- bill itself is kept as its checkout. Returns the purchases that it concerns.
create function payments.keep_invoice(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns uuid[]
  language sql volatile set search_path = pg_catalog
as $$ select '{}'::uuid[] $$;

-- Keeps the word of a bank that a card was probably stolen.
create function payments.keep_fraud_warning(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns void
  language sql volatile set search_path = pg_catalog
as $$ select null::void $$;

-- What is to be said of facts: applied, waiting (for what), ignored (they say nothing), refused (why).
create type payments.verdict as (outcome text, reason text, waits_for text);

-- Why a checkout that is paid does not pay for its purchase; null when it does, or when it is not paid.
create function payments.mismatch_of(
  purchase credits.purchases, from_provider text, status text, amount_cents bigint, currency text, live boolean
) returns text
  language sql immutable
as $$
  select case when status <> 'paid' then null
    when purchase.provider <> from_provider then 'wrong_provider'
    when purchase.is_live <> live then 'wrong_mode'
    when purchase.currency <> currency then 'wrong_currency'
    when purchase.price_cents <> amount_cents then 'wrong_amount' end
$$;

-- Judges a fact about a subscription or its bill: until it is linked, it waits for `subscription:` and the provider's
-- id.
create function payments.judge_subscription(from_provider text, fact jsonb, live boolean) returns payments.verdict
  language sql stable set search_path = pg_catalog
as $$
  select row('waiting', null, 'subscription:' || (fact->>'providerSubscriptionId'))::payments.verdict
$$;

-- Judges one fact by what is known now.
create function payments.judge_fact(from_provider text, fact jsonb, live boolean) returns payments.verdict
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  told_purchase uuid := payments.to_uuid(fact->>'purchaseId');
  opened_for uuid;
  claimed_by uuid;
  purchase credits.purchases;
  problem text;
begin
  if fact->>'kind' = 'checkout' then
    select c.opened_for, c.claimed_by into opened_for, claimed_by from payments.checkouts c
     where c.provider = from_provider and c.checkout_id = fact->>'checkoutId';
    if opened_for <> told_purchase then return row('refused', 'wrong_purchase', null)::payments.verdict; end if;
    select p.* into purchase from credits.purchases p where p.id = coalesce(opened_for, claimed_by, told_purchase);
    if not found then return row('waiting', null, 'checkout:' || (fact->>'checkoutId'))::payments.verdict; end if;
    problem := payments.mismatch_of(purchase, from_provider, fact->>'status', (fact->>'amountCents')::bigint,
      fact->>'currency', live);
  elsif fact->>'kind' in ('refund', 'dispute', 'fraud_warning') then
    select p.* into purchase
      from payments.checkouts c join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
     where c.provider = from_provider and c.payment_id = fact->>'paymentId'
     order by c.checkout_id limit 1;
    if not found then return row('waiting', null, 'payment:' || (fact->>'paymentId'))::payments.verdict; end if;
    problem := case when purchase.is_live <> live then 'wrong_mode'
      when purchase.currency <> fact->>'currency' then 'wrong_currency' end;
  else
    return payments.judge_subscription(from_provider, fact, live);
  end if;
  return row(case when problem is null then 'applied' else 'refused' end, problem, null)::payments.verdict;
end $$;

-- Judges all that an event says: refused when something is, else waiting when something is.
create function payments.judge(from_provider text, facts jsonb, live boolean) returns payments.verdict
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  worst payments.verdict := row('ignored', null, null)::payments.verdict;
  one payments.verdict;
  fact jsonb;
begin
  for fact in select f.value from jsonb_array_elements(facts) f loop
    one := payments.judge_fact(from_provider, fact, live);
    if one.outcome = 'refused' then return one; end if;
    if worst.outcome <> 'waiting' then worst := one; end if;
  end loop;
  return worst;
end $$;

-- Purchases, settled --------------------------------------------------------------------------------------------------

-- How a purchase stands by all that is known of it.
create type payments.standing as (
  target bigint, status text, payment_id text, refunded_cents bigint, disputed_cents bigint, problem text,
  is_final boolean
);

create function payments.standing_of(purchase credits.purchases) returns payments.standing
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  standing payments.standing;
  paid payments.checkouts;
  furthest integer;
  asked_cents bigint;
  is_disputed boolean;
begin
  select c.* into paid
    from payments.checkouts c
   where (c.opened_for = purchase.id or (c.claimed_by = purchase.id and c.opened_for is null)) and c.status = 'paid'
     and payments.mismatch_of(purchase, c.provider, c.status, c.amount_cents, c.currency, c.is_live) is null
     -- A payment pays for one purchase, whoever claims it.
     and not exists (
       select from payments.checkouts o
        where o.provider = c.provider and o.payment_id = c.payment_id and o.checkout_id < c.checkout_id
          and coalesce(o.opened_for, o.claimed_by) <> purchase.id)
   order by c.checkout_id limit 1;
  select max(payments.rank_of(c.status)),
         max(payments.mismatch_of(purchase, c.provider, c.status, c.amount_cents, c.currency, c.is_live)),
         bool_and(payments.rank_of(c.status) > 2)
    into furthest, standing.problem, standing.is_final
    from payments.checkouts c
   where c.opened_for = purchase.id or (c.claimed_by = purchase.id and c.opened_for is null);
  if paid.checkout_id is null then
    standing.target := 0;
    standing.refunded_cents := 0;
    standing.disputed_cents := 0;
    standing.is_final := coalesce(standing.is_final, false);
    standing.status := case when furthest in (3, 4) then 'failed'
      when furthest is null and purchase.status = 'failed' then 'failed' else 'pending' end;
    return standing;
  end if;
  standing.payment_id := paid.payment_id;
  select case when count(*) > 1 then 'paid_twice' end into standing.problem
    from payments.checkouts c
   where (c.opened_for = purchase.id or (c.claimed_by = purchase.id and c.opened_for is null)) and c.status = 'paid';
  select coalesce(sum(r.amount_cents), 0) into standing.refunded_cents from payments.refunds r
   where r.provider = paid.provider and r.payment_id = paid.payment_id and r.currency = paid.currency
     and r.is_live = paid.is_live and r.status <> 'failed';
  select coalesce(sum(d.amount_cents), 0), count(*) > 0 into standing.disputed_cents, is_disputed
    from payments.disputes d
   where d.provider = paid.provider and d.payment_id = paid.payment_id and d.currency = paid.currency
     and d.is_live = paid.is_live and d.status <> 'won';
  -- What we have asked for counts from then on, until the provider's own word about it is here.
  select coalesce(sum(q.amount_cents), 0) into asked_cents from payments.refund_requests q
   where q.purchase_id = purchase.id and q.status in ('open', 'sent')
     and not exists (select from payments.refunds r where r.refund_request_id = q.id);
  standing.target := payments.worth_of(purchase.credits, paid.total_cents,
    standing.refunded_cents + standing.disputed_cents + asked_cents);
  standing.status := case when is_disputed then 'disputed'
    when standing.refunded_cents > 0 and standing.target = 0 then 'refunded' else 'completed' end;
  standing.is_final := true;
  return standing;
end $$;

-- How often a divisor goes into a whole number of any size, a rest counting as once more.
create function payments.divide_up(dividend anyelement, divisor bigint) returns bigint
  language sql immutable
as $$ select (div(dividend, divisor) + case when mod(dividend, divisor) > 0 then 1 else 0 end)::bigint $$;

-- What is left of credits when so many of the cents that they cost go back: a part of a credit goes with its cents.
create function payments.worth_of(credits bigint, paid_cents bigint, back_cents bigint) returns bigint
  language sql immutable
as $$
  select greatest(0, credits - payments.divide_up(div(credits, 1) * back_cents, greatest(paid_cents, 1)))
$$;

-- Posts what a purchase brings, as a lot of its own, or as several where payments.lots_of says so: periods of
-- subscriptions have rules of their own. The wallet is locked.
create function payments.post_up(
  purchase credits.purchases, amount bigint, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns bigint
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallet credits.balances := credits.lock_wallet(purchase.wallet_id, at_time, daily_amount, daily_cap);
  lot credits.lots;
  made credits.transactions;
  part record;
begin
  if wallet.status = 'closed' or not credits.has_room(wallet, amount) then return 0; end if;
  for part in select * from payments.lots_of(purchase, amount, at_time) loop
    lot.source := case purchase.kind when 'period' then 'subscription' else 'purchase' end;
    lot.kind := 'paid';
    lot.amount := part.lot_amount;
    lot.priority := 100;
    lot.expires_at := part.lot_expires_at;
    lot.created_at := at_time;
    made.id := credits.new_id(at_time);
    made.type := 'purchase';
    made.description := purchase.title;
    wallet := credits.bring_in(wallet, lot, made, 'sales:' || purchase.provider);
    insert into payments.postings (id, purchase_id, transaction_id, amount, created_at)
      values (credits.new_id(at_time), purchase.id, made.id, part.lot_amount, at_time);
  end loop;
  perform credits.save_wallet(wallet);
  return amount;
end $$;

-- Takes back what a purchase has brought, what came last first. What has been spent becomes debt. The wallet is locked.
create function payments.post_down(
  purchase credits.purchases, amount bigint, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  brought record;
  part bigint;
  outcome credits.movement_outcome;
begin
  for brought in
    select p.transaction_id,
           p.amount + credits.undone(p.transaction_id, 'clawback', 'sales:' || purchase.provider) as left_over
      from payments.postings p
     where p.purchase_id = purchase.id and p.amount > 0
     order by p.id desc
  loop
    part := least(amount, brought.left_over);
    continue when part <= 0;
    outcome := credits.claw_back_credits(jsonb_build_object('target_id', brought.transaction_id, 'amount', part,
      'description', purchase.title), at_time, daily_amount, daily_cap);
    if outcome.code is not null then
      raise exception 'the credits of purchase % cannot be taken back: %', purchase.id, outcome.code;
    end if;
    insert into payments.postings (id, purchase_id, transaction_id, amount, created_at)
      values (credits.new_id(at_time), purchase.id, (outcome.made->>'id')::uuid, -part, at_time);
    amount := amount - part;
  end loop;
  if amount > 0 then
    insert into payments.postings (id, purchase_id, amount, created_at)
      values (credits.new_id(at_time), purchase.id, -amount, at_time);
  end if;
end $$;

-- Brings purchases up to what is known of them, and posts to the ledger what that changes.
create function payments.settle(
  purchase_ids uuid[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  purchase credits.purchases;
  locked credits.purchases[];
  standings payments.standing[];
  standing payments.standing;
  wallets uuid[];
  posted bigint;
begin
  select array_agg(l.purchase order by (l.purchase).id) into locked
    from (select p as purchase from credits.purchases p
           where p.id = any (purchase_ids) order by p.id for no key update) l;
  if locked is null then return; end if;
  foreach purchase in array locked loop
    standing := payments.standing_of(purchase);
    standings := standings || standing;
    if standing.target <> purchase.posted_credits then wallets := wallets || purchase.wallet_id; end if;
  end loop;
  perform credits.lock_wallets(wallets, at_time, daily_amount, daily_cap);
  -- Whose payment it is may have changed hands: nobody has it before somebody else gets it.
  update credits.purchases p set provider_payment_id = null
    from unnest(locked, standings) as known
   where p.id = known.id and p.provider_payment_id is distinct from known.payment_id;
  for i in 1 .. cardinality(locked) loop
    purchase := locked[i];
    standing := standings[i];
    posted := purchase.posted_credits;
    if standing.target > posted then
      posted := posted + payments.post_up(purchase, standing.target - posted, at_time, daily_amount, daily_cap);
      if posted < standing.target then standing.problem := 'wallet_closed'; end if;
    elsif standing.target < posted then
      perform payments.post_down(purchase, posted - standing.target, at_time, daily_amount, daily_cap);
      posted := standing.target;
    end if;
    perform payments.note_standing(purchase, standing, posted, at_time);
  end loop;
end $$;

-- Writes down how a purchase stands. `transaction_id` is the first that brought its credits in.
create function payments.note_standing(
  purchase credits.purchases, standing payments.standing, posted bigint, at_time timestamptz
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  update credits.purchases p
     set status = standing.status,
         posted_credits = posted,
         refunded_cents = standing.refunded_cents,
         disputed_cents = standing.disputed_cents,
         problem = standing.problem,
         provider_payment_id = standing.payment_id,
         transaction_id = coalesce(p.transaction_id, (
           select o.transaction_id from payments.postings o
            where o.purchase_id = p.id and o.amount > 0 order by o.id limit 1)),
         completed_at = coalesce(p.completed_at,
           case when standing.status not in ('pending', 'failed') then at_time end),
         next_check_at = case when not standing.is_final then p.next_check_at end,
         updated_at = at_time
   where p.id = purchase.id
$$;

-- Events --------------------------------------------------------------------------------------------------------------

-- The purchases that facts are about, as far as is known.
create function payments.purchases_of(from_provider text, fact jsonb) returns setof uuid
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
   where c.provider = from_provider and c.checkout_id = fact->>'checkoutId'
  union
  select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
   where c.provider = from_provider and c.payment_id = fact->>'paymentId'
$$;

-- Keeps facts and settles what they are about. `told` is [{provider, isLive, isOwn, facts}].
create function payments.apply_facts(
  told jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  one record;
  touched uuid[] := '{}';
begin
  for one in
    select t.value->>'provider' as provider, coalesce((t.value->>'isLive')::boolean, false) as live,
           coalesce((t.value->>'isOwn')::boolean, false) as is_own, f.value as fact, f.value->>'kind' as kind
      from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
     order by array_position(array['subscription', 'invoice', 'checkout', 'refund', 'dispute', 'fraud_warning'],
             f.value->>'kind'), t.value->>'provider',
           coalesce(f.value->>'providerSubscriptionId', f.value->>'checkoutId',
             f.value->>'refundId', f.value->>'disputeId', f.value->>'warningId') collate "C"
  loop
    case one.kind
      when 'checkout' then
        -- Whose it was until now may change with what we say about it.
        if one.is_own then touched := touched || array(select payments.purchases_of(one.provider, one.fact)); end if;
        perform payments.keep_checkout(one.provider, one.fact, one.live, one.is_own, at_time);
      when 'refund' then perform payments.keep_refund(one.provider, one.fact, one.live, at_time);
      when 'dispute' then perform payments.keep_dispute(one.provider, one.fact, one.live, at_time);
      when 'subscription' then
        touched := touched || payments.keep_subscription(one.provider, one.fact, one.live, at_time);
      when 'invoice' then touched := touched || payments.keep_invoice(one.provider, one.fact, one.live, at_time);
      when 'fraud_warning' then perform payments.keep_fraud_warning(one.provider, one.fact, one.live, at_time);
    end case;
  end loop;
  -- Who says something about a payment waits for who else does, so that one of them sees both.
  insert into payments.payments (provider, payment_id, created_at)
    select distinct t.value->>'provider', f.value->>'paymentId', at_time
      from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
     where f.value->>'paymentId' is not null
     order by 1, 2
    on conflict do nothing;
  perform from payments.payments p
    where (p.provider, p.payment_id) in (
      select t.value->>'provider', f.value->>'paymentId'
        from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f)
    order by p.provider, p.payment_id for no key update;
  touched := touched || array(
    select u.id
      from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
     cross join lateral payments.purchases_of(t.value->>'provider', f.value) as u (id));
  perform payments.settle(touched, at_time, daily_amount, daily_cap);
  perform payments.follow_subscriptions(told, at_time, daily_amount, daily_cap);
end $$;

-- Looks anew at events that have waited for what these facts are about.
create function payments.wake_events(told jsonb, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  with awaited as (
    select distinct t.value->>'provider' as provider, k.waits_for
      from jsonb_array_elements(told) t cross join lateral jsonb_array_elements(t.value->'facts') f
     cross join lateral (values ('checkout:' || (f.value->>'checkoutId')), ('payment:' || (f.value->>'paymentId')),
       ('subscription:' || (f.value->>'providerSubscriptionId'))) as k (waits_for)
     where k.waits_for is not null
  ), waiting as (
    select e.id, payments.judge(e.provider, e.facts, e.is_live) as verdict
      from awaited a join payments.events e on e.provider = a.provider and e.waits_for = a.waits_for
  )
  update payments.events e
     set outcome = (w.verdict).outcome, reason = (w.verdict).reason, waits_for = (w.verdict).waits_for,
         applied_at = case when (w.verdict).outcome = 'applied' then at_time end
    from waiting w where e.id = w.id and (w.verdict).outcome <> 'waiting';
end $$;

-- Takes a batch of deliveries, each with what it says: [{provider, isLive, isOwn, facts, event: {id, providerEventId,
-- type, happenedAt, payload}, failure}]. Without `event` the facts come from an answer of the provider. The events,
-- their facts and all that follows are there together or not at all; an event that is there already changes nothing.
-- With `failure` the event could not be applied: it is stored, for somebody to look at. Returns for each delivery, in
-- order, what was said of it.
create function payments.receive_events(
  batch jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns table (outcome text, reason text, is_repeat boolean)
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  told jsonb;
begin
  select coalesce(jsonb_agg(d.delivery) filter (where d.verdict is distinct from 'refused'), '[]') into told
    from (select b.value as delivery,
                 (payments.judge(b.value->>'provider', b.value->'facts', coalesce((b.value->>'isLive')::boolean, false))
                 ).outcome as verdict
            from jsonb_array_elements(batch) b
           where b.value->>'failure' is null and not exists (
             select from payments.events e
              where e.provider = b.value->>'provider'
                and e.provider_event_id = b.value->'event'->>'providerEventId')) d;
  perform payments.apply_facts(told, at_time, daily_amount, daily_cap);
  return query
    with judged as (
      select b.ordinal, b.value as delivery,
             case when b.value->>'failure' is null
               then payments.judge(b.value->>'provider', b.value->'facts',
                 coalesce((b.value->>'isLive')::boolean, false))
               else row('failed', b.value->>'failure', null)::payments.verdict end as verdict
        from jsonb_array_elements(batch) with ordinality as b (value, ordinal)
    ), stored as (
      insert into payments.events as e (id, provider, provider_event_id, type, payload, received_at, applied_at,
          outcome, facts, is_live, reason, waits_for, happened_at)
        select (j.delivery->'event'->>'id')::uuid, j.delivery->>'provider', j.delivery->'event'->>'providerEventId',
               j.delivery->'event'->>'type', j.delivery->'event'->'payload', at_time,
               case when (j.verdict).outcome = 'applied' then at_time end, (j.verdict).outcome, j.delivery->'facts',
               coalesce((j.delivery->>'isLive')::boolean, false), (j.verdict).reason, (j.verdict).waits_for,
               (j.delivery->'event'->>'happenedAt')::timestamptz
          from judged j where j.delivery->'event' is not null
         order by j.delivery->>'provider', j.delivery->'event'->>'providerEventId' collate "C"
        on conflict (provider, provider_event_id) do nothing
        returning e.id
    )
    select coalesce(e.outcome, (j.verdict).outcome), case when e.id is null then (j.verdict).reason else e.reason end,
           j.delivery->'event' is not null and s.id is null
      from judged j
      left join stored s on s.id = (j.delivery->'event'->>'id')::uuid
      left join payments.events e on e.provider = j.delivery->>'provider'
       and e.provider_event_id = j.delivery->'event'->>'providerEventId'
     order by j.ordinal;
  perform payments.wake_events(told, at_time);
end $$;
grant execute on function payments.receive_events(jsonb, timestamptz, bigint, bigint) to obol_app;

-- Applies once more what an event said. Returns what is said of it now; null when there is no such event.
create function payments.replay_event(
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

-- Keeps a delivery that was refused, and forgets all but the youngest.
create function payments.keep_refused_delivery(
  provider text, code text, body text, ip_address text, kept_max integer, at_time timestamptz
) returns void
  language sql volatile security definer set search_path = pg_catalog
as $$
  insert into payments.refused_deliveries (id, provider, code, body, ip_address, received_at)
    values (credits.new_id(at_time), keep_refused_delivery.provider, keep_refused_delivery.code,
      keep_refused_delivery.body, keep_refused_delivery.ip_address, at_time);
  delete from payments.refused_deliveries d
   where d.id in (select o.id from payments.refused_deliveries o order by o.id desc offset kept_max);
$$;

-- Buying --------------------------------------------------------------------------------------------------------------

-- What a package costs in a currency (null: its own); null when it is not sold in it. One without a price of its own
-- costs what CREDITS_PER_EUR says, rounded up to the cent.
create function payments.price_of(package credits.packages, wanted_currency text, units bigint, credits_per_eur bigint)
  returns integer
  language sql stable set search_path = pg_catalog
as $$
  select case when coalesce(wanted_currency, package.currency) = package.currency
    then coalesce(package.price_cents,
      payments.divide_up(div(units, 1) * 100, credits_per_eur)::integer)
    else (select x.price_cents from credits.package_prices x
           where x.package_id = package.id and x.currency = wanted_currency) end
$$;

-- A purchase with what a checkout shows of it.
create function payments.purchase_view(wanted uuid) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select to_jsonb(p) - 'request_hash' || jsonb_build_object('email', u.email,
           'customer_id', case p.provider when 'stripe' then u.stripe_customer_id else u.paypal_customer_id end)
    from credits.purchases p left join auth.users u on u.id = p.user_id
   where p.id = wanted
$$;

-- Refuses with payments.limit_reached when the person has bought as much of a package as one may. What is pending
-- counts, so that nobody pays for more. The wallet is locked.
create function payments.assert_within_limit(package credits.packages, buyer uuid, at_time timestamptz) returns void
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  bought bigint;
begin
  if package.per_user_max is null then return; end if;
  select count(*) into bought from credits.purchases p
   where p.user_id = buyer and p.package_id = package.id and p.status <> 'failed'
     and (package.per_user_days is null or p.created_at > at_time - make_interval(days => package.per_user_days));
  if bought >= package.per_user_max then
    perform obol.refuse('payments.limit_reached',
      jsonb_build_object('perUserMax', package.per_user_max, 'perUserDays', package.per_user_days));
  end if;
end $$;

-- Begins a purchase of a package (id, user_id, session_id, package_id, currency, provider, is_live, units_per_credit,
-- credits_per_eur, idempotency_key, request_hash, expires_at). A repeated key gets the first purchase again. Refuses
-- with auth.session_ended, request.not_found (no wallet), idempotency.mismatch, credits.wallet_inactive,
-- payments.package_unavailable, payments.currency_unavailable, payments.limit_reached.
create function payments.begin_purchase(asked jsonb, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  buyer uuid := (asked->>'user_id')::uuid;
  wallet credits.balances;
  first credits.purchases;
  package credits.packages;
  units bigint;
  price integer;
begin
  perform auth.assert_session(buyer, (asked->>'session_id')::uuid, at_time);
  select b.* into wallet from credits.balances b where b.wallet_id = buyer for no key update;
  if not found then perform obol.refuse('request.not_found'); end if;
  select p.* into first from credits.purchases p
   where p.wallet_id = buyer and p.idempotency_key = asked->>'idempotency_key';
  if found then
    if first.request_hash <> decode(asked->>'request_hash', 'hex') then
      perform obol.refuse('idempotency.mismatch');
    end if;
    return payments.purchase_view(first.id) || '{"is_replay": true}';
  end if;
  if wallet.status <> 'active' then perform obol.refuse('credits.wallet_inactive'); end if;
  select k.* into package from credits.packages k where k.id = asked->>'package_id' and k.is_active;
  if not found then perform obol.refuse('payments.package_unavailable'); end if;
  units := package.credits * (asked->>'units_per_credit')::bigint;
  price := payments.price_of(package, asked->>'currency', units, (asked->>'credits_per_eur')::bigint);
  if price is null then perform obol.refuse('payments.currency_unavailable'); end if;
  perform payments.assert_within_limit(package, buyer, at_time);
  insert into credits.purchases (id, wallet_id, user_id, package_id, credits, price_cents, currency, provider, status,
      created_at, kind, title, package_version, is_live, tax_behavior, idempotency_key, request_hash, expires_at,
      next_check_at, updated_at, saves_card)
    values ((asked->>'id')::uuid, buyer, buyer, package.id, units, price,
      coalesce(asked->>'currency', package.currency), asked->>'provider', 'pending', at_time, 'pack', package.name,
      package.version, (asked->>'is_live')::boolean, package.tax_behavior, asked->>'idempotency_key',
      decode(asked->>'request_hash', 'hex'), (asked->>'expires_at')::timestamptz, at_time + interval '2 minutes',
      at_time, coalesce((asked->>'saves_card')::boolean, false));
  return payments.purchase_view((asked->>'id')::uuid) || '{"is_replay": false}';
end $$;

-- Notes which checkout a provider has opened for a purchase, and applies what may have been told of it already.
create function payments.attach_checkout(
  wanted uuid, opened_checkout text, opened_url text, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  purchase credits.purchases;
  told jsonb;
begin
  select p.* into purchase from credits.purchases p where p.id = wanted;
  told := jsonb_build_array(jsonb_build_object('provider', purchase.provider, 'isLive', purchase.is_live, 'isOwn', true,
    'facts', jsonb_build_array(jsonb_build_object('kind', 'checkout', 'checkoutId', opened_checkout,
      'purchaseId', wanted, 'status', 'open', 'amountCents', purchase.price_cents, 'currency', purchase.currency))));
  perform payments.apply_facts(told, at_time, daily_amount, daily_cap);
  update credits.purchases p set checkout_id = opened_checkout, checkout_url = opened_url where p.id = wanted;
  perform payments.wake_events(told, at_time);
end $$;

-- Ends a purchase for which there is no checkout, since the provider has refused to open one.
create function payments.fail_purchase(wanted uuid, why text, at_time timestamptz) returns void
  language sql volatile security definer set search_path = pg_catalog
as $$
  update credits.purchases p set status = 'failed', problem = why, next_check_at = null, updated_at = at_time
   where p.id = wanted and p.status = 'pending'
     and not exists (select from payments.checkouts c where c.opened_for = p.id or c.claimed_by = p.id)
$$;

-- Pending purchases whose provider is to be asked now, as purchase_view shows them; each is due again after a while
-- that grows with its age, two minutes to six hours.
create function payments.take_due_checks(rows_max integer, at_time timestamptz) returns setof jsonb
  language sql volatile security definer set search_path = pg_catalog
as $$
  with due as (
    update credits.purchases p
       set checked_at = at_time,
           next_check_at = at_time + least(interval '6 hours', greatest(interval '2 minutes', at_time - p.created_at))
     where p.id in (select d.id from credits.purchases d where d.next_check_at <= at_time
                     order by d.next_check_at limit rows_max for no key update skip locked)
    returning p.id)
  select payments.purchase_view(d.id) from due d
$$;

-- The same for one purchase of a person who looks at it, unless its provider was asked within the last seconds.
create function payments.take_check(wanted uuid, owner_id uuid, at_time timestamptz) returns jsonb
  language sql volatile security definer set search_path = pg_catalog
as $$
  with due as (
    update credits.purchases p set checked_at = at_time
     where p.id = wanted and p.user_id = owner_id and p.status = 'pending' and p.checkout_id is not null
       and (p.checked_at is null or p.checked_at <= at_time - interval '3 seconds')
    returning p.id)
  select payments.purchase_view(d.id) from due d
$$;

grant execute on function payments.replay_event(uuid, timestamptz, bigint, bigint),
  payments.keep_refused_delivery(text, text, text, text, integer, timestamptz),
  payments.begin_purchase(jsonb, timestamptz),
  payments.attach_checkout(uuid, text, text, timestamptz, bigint, bigint),
  payments.fail_purchase(uuid, text, timestamptz),
  payments.take_due_checks(integer, timestamptz),
  payments.take_check(uuid, uuid, timestamptz) to obol_app;
