-- Saved cards: automatic top-ups, within what their owners agreed to; and warnings of banks that a card was stolen.

-- Customers -----------------------------------------------------------------------------------------------------------

-- Whether the card of a purchase is kept for automatic top-ups.
alter table credits.purchases add column saves_card boolean not null default false;

-- Remembers who a person is at a provider, from the first time that they paid there. Somebody else's customer stays
-- somebody else's.
create function payments.remember_customer(person uuid, from_provider text, customer text) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  if from_provider = 'stripe' then
    update auth.users u set stripe_customer_id = customer
     where u.id = person and u.stripe_customer_id is null
       and not exists (select from auth.users o where o.stripe_customer_id = customer);
  else
    update auth.users u set paypal_customer_id = customer
     where u.id = person and u.paypal_customer_id is null
       and not exists (select from auth.users o where o.paypal_customer_id = customer);
  end if;
end $$;

-- Whose checkout it is is known because we opened it; what an event claims by itself names nobody.
create function payments.note_customer_of_checkout() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  perform payments.remember_customer(p.user_id, new.provider, new.customer_id)
     from credits.purchases p where p.id = new.opened_for;
  return null;
end $$;
create trigger checkouts_customer after insert or update on payments.checkouts
  for each row when (new.status = 'paid' and new.customer_id is not null and new.opened_for is not null)
  execute function payments.note_customer_of_checkout();

create function payments.note_customer_of_subscription() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  perform payments.remember_customer(new.user_id, new.provider, new.customer_id);
  return null;
end $$;
create trigger subscriptions_customer after insert or update of customer_id, status on payments.subscriptions
  for each row when (new.status = 'active' and new.customer_id is not null)
  execute function payments.note_customer_of_subscription();

-- Top-ups -------------------------------------------------------------------------------------------------------------

-- What a person agreed to: whenever less than `threshold` is available, this package is bought at this price with their
-- saved card, for no more than `monthly_cap_cents` in a calendar month (UTC). `paused`: nothing is bought until they
-- agree anew; `reason` says why.
create table payments.top_ups (
  user_id uuid not null,
  package_id text not null,
  threshold bigint not null,
  monthly_cap_cents integer not null,
  price_cents integer not null,
  currency text not null,
  status text not null,
  reason text,
  agreed_at timestamptz(3) not null,
  next_try_at timestamptz(3) not null,
  constraint top_ups_pkey primary key (user_id),
  constraint top_ups_user_id_users_id_fk foreign key (user_id) references auth.users (id) on delete cascade,
  constraint top_ups_package_id_packages_id_fk foreign key (package_id)
    references credits.packages (id) on delete cascade,
  constraint top_ups_threshold_check check (threshold > 0),
  constraint top_ups_cap_check check (price_cents > 0 and monthly_cap_cents >= price_cents),
  constraint top_ups_currency_check check (currency ~ '^[A-Z]{3}$'),
  constraint top_ups_status_check check (status in ('active', 'paused') and (status = 'paused') = (reason is not null))
);
create index top_ups_package_idx on payments.top_ups (package_id);
create index top_ups_due_idx on payments.top_ups (next_try_at) where status = 'active';
select obol.protect('payments.top_ups', 'user_id', 'select');

-- One at a time: however often and from wherever it is begun, a wallet has one top-up under way.
create unique index purchases_top_up_key on credits.purchases (wallet_id) where kind = 'top_up' and status = 'pending';

-- What the automatic top-ups of a person come to in the month of an instant; what failed does not count.
create function payments.topped_up_in_month(person uuid, at_time timestamptz) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(sum(p.price_cents), 0)::bigint
    from credits.purchases p
   where p.user_id = person and p.kind = 'top_up' and p.status <> 'failed'
     and p.created_at >= date_trunc('month', at_time, 'UTC')
$$;

-- How automatic top-ups stand for a person.
create function payments.top_up_view(person uuid, at_time timestamptz) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('status', coalesce(t.status, 'off'), 'reason', t.reason, 'packageId', t.package_id,
           'threshold', t.threshold, 'monthlyCapCents', t.monthly_cap_cents, 'priceCents', t.price_cents,
           'currency', t.currency, 'chargedThisMonthCents', payments.topped_up_in_month(u.id, at_time))
    from auth.users u left join payments.top_ups t on t.user_id = u.id
   where u.id = person
$$;

-- The same for the person who asks. Refuses with auth.session_ended.
create function payments.read_top_up(person uuid, session uuid, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform auth.assert_session(person, session, at_time);
  return payments.top_up_view(person, at_time);
end $$;

-- Ends automatic top-ups; one that has begun ends by itself. Refuses with auth.session_ended.
create function payments.end_top_up(person uuid, session uuid, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform auth.assert_session(person, session, at_time);
  delete from payments.top_ups t where t.user_id = person;
  return payments.top_up_view(person, at_time);
end $$;

-- Who a person is at a provider; null when they never paid there. Refuses with auth.session_ended.
create function payments.customer_of(person uuid, session uuid, provider text, at_time timestamptz) returns text
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform auth.assert_session(person, session, at_time);
  return (select case provider when 'stripe' then u.stripe_customer_id when 'paypal' then u.paypal_customer_id end
            from auth.users u where u.id = person);
end $$;

-- Agrees to automatic top-ups (user_id, session_id, package_id, currency, threshold, monthly_cap_cents,
-- units_per_credit, credits_per_eur), in place of what was agreed before. Refuses with auth.session_ended,
-- payments.no_saved_card, payments.package_unavailable, payments.currency_unavailable, payments.cap_too_low,
-- payments.threshold_too_high: one pack has to reach it, or one top-up would bring about the next.
create function payments.agree_top_up(asked jsonb, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  person uuid := (asked->>'user_id')::uuid;
  package credits.packages;
  units bigint;
  price integer;
begin
  perform auth.assert_session(person, (asked->>'session_id')::uuid, at_time);
  if not exists (select from auth.users u where u.id = person and u.stripe_customer_id is not null) then
    perform obol.refuse('payments.no_saved_card');
  end if;
  select k.* into package from credits.packages k where k.id = asked->>'package_id' and k.is_active;
  if not found then perform obol.refuse('payments.package_unavailable'); end if;
  units := package.credits * (asked->>'units_per_credit')::bigint;
  price := payments.price_of(package, asked->>'currency', units, (asked->>'credits_per_eur')::bigint);
  if price is null then perform obol.refuse('payments.currency_unavailable'); end if;
  if (asked->>'monthly_cap_cents')::integer < price then
    perform obol.refuse('payments.cap_too_low', jsonb_build_object('priceCents', price));
  end if;
  if (asked->>'threshold')::bigint > units then
    perform obol.refuse('payments.threshold_too_high', jsonb_build_object('thresholdMax', units));
  end if;
  insert into payments.top_ups as t (user_id, package_id, threshold, monthly_cap_cents, price_cents, currency, status,
      agreed_at, next_try_at)
    values (person, package.id, (asked->>'threshold')::bigint, (asked->>'monthly_cap_cents')::integer, price,
      coalesce(asked->>'currency', package.currency), 'active', at_time, at_time)
    on conflict (user_id) do update
      set package_id = excluded.package_id, threshold = excluded.threshold,
          monthly_cap_cents = excluded.monthly_cap_cents, price_cents = excluded.price_cents,
          currency = excluded.currency, status = 'active', reason = null, agreed_at = excluded.agreed_at,
          next_try_at = greatest(t.next_try_at, excluded.next_try_at);
  return payments.top_up_view(person, at_time);
end $$;

-- People whose wallets may have less than they want; begin_top_up looks closely.
create function payments.due_top_ups(rows_max integer, at_time timestamptz) returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select t.user_id
    from payments.top_ups t join credits.balances b on b.wallet_id = t.user_id
   where t.status = 'active' and t.next_try_at <= at_time and b.status = 'active'
     and (b.free + b.paid - b.held < t.threshold or b.next_expiry_at <= at_time)
   order by t.next_try_at, t.user_id
   limit rows_max
$$;

-- Why nothing may be charged for a person any more until they agree anew; null when it may. A card that was declined is
-- not tried again, a price that they did not agree to is not charged, and who has called money back is not charged for
-- the credits that are missing since.
create function payments.top_up_obstacle(
  agreed payments.top_ups, package credits.packages, price integer, at_time timestamptz
) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  last credits.purchases;
begin
  select p.* into last from credits.purchases p
   where p.user_id = agreed.user_id and p.kind = 'top_up' and p.created_at >= agreed.agreed_at
   order by p.created_at desc, p.id desc limit 1;
  if last.status = 'failed' then return 'payment_failed'; end if;
  if exists (select from credits.purchases p
              where p.user_id = agreed.user_id and p.provider = 'stripe'
                and (p.status = 'disputed'
                  or p.kind = 'top_up' and p.created_at >= agreed.agreed_at and p.refunded_cents > 0)) then
    return 'payment_reversed';
  end if;
  if package.id is null or not package.is_active or price is null then return 'package_unavailable'; end if;
  if price <> agreed.price_cents then return 'price_changed'; end if;
  begin
    perform payments.assert_within_limit(package, agreed.user_id, at_time);
  exception when sqlstate 'OB001' then
    return 'limit_reached';
  end;
  return null;
end $$;

-- Begins a top-up for a person (id, user_id, is_live, units_per_credit, credits_per_eur, expires_at) if it is due, may
-- be and is within the cap; null otherwise. The row of what they agreed to is locked first, so that of many who begin
-- at once one does; the next is not looked at for ten minutes.
create function payments.begin_top_up(asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  agreed payments.top_ups;
  wallet credits.balances;
  package credits.packages;
  units bigint;
  price integer;
  obstacle text;
begin
  select t.* into agreed from payments.top_ups t
   where t.user_id = (asked->>'user_id')::uuid and t.status = 'active' and t.next_try_at <= at_time
     for no key update;
  if not found then return null; end if;
  wallet := credits.lock_wallet(agreed.user_id, at_time, daily_amount, daily_cap);
  if wallet.status <> 'active' or wallet.free + wallet.paid - wallet.held >= agreed.threshold then return null; end if;
  if exists (select from credits.purchases p
              where p.wallet_id = wallet.wallet_id and p.kind = 'top_up' and p.status = 'pending') then
    update payments.top_ups t set next_try_at = at_time + interval '1 minute' where t.user_id = agreed.user_id;
    return null;
  end if;
  select k.* into package from credits.packages k where k.id = agreed.package_id;
  units := package.credits * (asked->>'units_per_credit')::bigint;
  price := payments.price_of(package, agreed.currency, units, (asked->>'credits_per_eur')::bigint);
  obstacle := payments.top_up_obstacle(agreed, package, price, at_time);
  if obstacle is not null then
    update payments.top_ups t set status = 'paused', reason = obstacle where t.user_id = agreed.user_id;
    return null;
  end if;
  if payments.topped_up_in_month(agreed.user_id, at_time) + price > agreed.monthly_cap_cents then
    update payments.top_ups t set next_try_at = date_trunc('month', at_time, 'UTC') + interval '1 month'
     where t.user_id = agreed.user_id;
    return null;
  end if;
  update payments.top_ups t set next_try_at = at_time + interval '10 minutes' where t.user_id = agreed.user_id;
  insert into credits.purchases (id, wallet_id, user_id, package_id, credits, price_cents, currency, provider, status,
      created_at, kind, title, package_version, is_live, tax_behavior, expires_at, next_check_at, updated_at)
    values ((asked->>'id')::uuid, wallet.wallet_id, agreed.user_id, package.id, units, price, agreed.currency, 'stripe',
      'pending', at_time, 'top_up', package.name, package.version, (asked->>'is_live')::boolean, package.tax_behavior,
      (asked->>'expires_at')::timestamptz, at_time + interval '2 minutes', at_time);
  return payments.purchase_view((asked->>'id')::uuid);
end $$;

grant execute on function payments.read_top_up(uuid, uuid, timestamptz),
  payments.end_top_up(uuid, uuid, timestamptz),
  payments.customer_of(uuid, uuid, text, timestamptz),
  payments.agree_top_up(jsonb, timestamptz),
  payments.due_top_ups(integer, timestamptz),
  payments.begin_top_up(jsonb, timestamptz, bigint, bigint) to obol_app;

-- Fraud warnings ------------------------------------------------------------------------------------------------------

create table payments.fraud_warnings (
  provider text not null,
  warning_id text not null,
  payment_id text not null,
  reason text not null,
  is_actionable boolean not null,
  is_live boolean not null,
  received_at timestamptz(3) not null,
  -- What was done, once it is known which purchase it is about.
  answer text,
  answered_at timestamptz(3),
  refund_request_id uuid,
  constraint fraud_warnings_pkey primary key (provider, warning_id),
  constraint fraud_warnings_refund_request_id_refund_requests_id_fk foreign key (refund_request_id)
    references payments.refund_requests (id) on delete set null,
  constraint fraud_warnings_answer_check check (answer in ('recorded', 'frozen', 'refunded'))
);
create index fraud_warnings_open_idx on payments.fraud_warnings (received_at) where answer is null;
create index fraud_warnings_payment_idx on payments.fraud_warnings (provider, payment_id);
create index fraud_warnings_request_idx on payments.fraud_warnings (refund_request_id)
  where refund_request_id is not null;
select obol.protect('payments.fraud_warnings', null, 'select');

-- Keeps what a fact says about a warning. One that cannot be acted on any more stays so.
create or replace function payments.keep_fraud_warning(
  from_provider text, fact jsonb, live boolean, at_time timestamptz
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into payments.fraud_warnings as w (provider, warning_id, payment_id, reason, is_actionable, is_live,
      received_at)
    values (from_provider, fact->>'warningId', fact->>'paymentId', fact->>'reason', (fact->>'isActionable')::boolean,
      live, at_time)
    on conflict (provider, warning_id) do update
      set is_actionable = w.is_actionable and excluded.is_actionable
$$;

-- Answers warnings whose purchases are known, each once: `wanted_answer` is recorded, frozen or refunded. A purchase of
-- which nothing is left to refund is only recorded. A refund takes the credits at once and returns what is to be asked
-- of the provider; the request is there before anybody asks.
create function payments.answer_fraud_warnings(
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
    select w.provider, w.warning_id, w.is_actionable, c.total_cents, p.id as purchase_id, p.wallet_id
      from payments.fraud_warnings w
      join payments.checkouts c on c.provider = w.provider and c.payment_id = w.payment_id and c.is_live = w.is_live
      join credits.purchases p on p.id = coalesce(c.opened_for, c.claimed_by)
     where w.answer is null and c.status = 'paid'
     order by w.received_at, w.warning_id limit rows_max
       for no key update of w skip locked
  loop
    request_id := null;
    if wanted_answer = 'refunded' and warned.is_actionable then
      -- The purchase is locked, so that two warnings about it do not refund it twice.
      perform from credits.purchases p where p.id = warned.purchase_id for no key update;
      select warned.total_cents - p.refunded_cents - p.disputed_cents - coalesce((
               select sum(q.amount_cents) from payments.refund_requests q
                where q.purchase_id = p.id and q.status in ('open', 'sent')
                  and not exists (select from payments.refunds r where r.refund_request_id = q.id)), 0)
        into left_cents from credits.purchases p where p.id = warned.purchase_id;
      if left_cents > 0 then
        request_id := credits.new_id(at_time);
        insert into payments.refund_requests (id, purchase_id, amount_cents, reason, status, created_at, updated_at)
          values (request_id, warned.purchase_id, left_cents, 'fraud_warning', 'open', at_time, at_time);
        perform payments.settle(array[warned.purchase_id], at_time, daily_amount, daily_cap);
        return next jsonb_build_object('refundRequestId', request_id, 'purchaseId', warned.purchase_id);
      end if;
    elsif wanted_answer = 'frozen' then
      update credits.balances b set status = 'frozen' where b.wallet_id = warned.wallet_id and b.status = 'active';
    end if;
    update payments.fraud_warnings w
       set answer = case when wanted_answer = 'refunded' and request_id is null then 'recorded' else wanted_answer end,
           answered_at = at_time, refund_request_id = request_id
     where w.provider = warned.provider and w.warning_id = warned.warning_id;
  end loop;
end $$;

-- Refunds that warnings brought about and that the provider has not been asked for yet, or has not answered to.
create function payments.open_fraud_refunds(rows_max integer) returns table (
  refund_request_id uuid, payment_id text, amount_cents bigint, currency text
)
  language sql stable security definer set search_path = pg_catalog
as $$
  select q.id, w.payment_id, q.amount_cents, p.currency
    from payments.fraud_warnings w
    join payments.refund_requests q on q.id = w.refund_request_id
    join credits.purchases p on p.id = q.purchase_id
   where q.status = 'open'
   order by q.created_at limit rows_max
$$;

-- Notes what came of asking for the refund of a warning.
create function payments.note_fraud_refund(
  request_id uuid, became text, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  of_purchase uuid;
begin
  update payments.refund_requests q set status = became, updated_at = at_time
   where q.id = request_id and q.status = 'open' returning q.purchase_id into of_purchase;
  if found then perform payments.settle(array[of_purchase], at_time, daily_amount, daily_cap); end if;
end $$;

grant execute on function payments.answer_fraud_warnings(text, integer, timestamptz, bigint, bigint),
  payments.open_fraud_refunds(integer),
  payments.note_fraud_refund(uuid, text, timestamptz, bigint, bigint) to obol_app;
