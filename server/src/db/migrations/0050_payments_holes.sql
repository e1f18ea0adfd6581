-- Payments, closed against whoever tries: money that went back takes its plan along, credits that have expired stay so,
-- a change of plan counts once, saved cards pay for nothing that was called back, and what was left can be ended.

-- When something was heard of for the first time; `updated_at` is of the last time.
alter table payments.refunds add column created_at timestamptz(3);
update payments.refunds r set created_at = r.updated_at;
alter table payments.refunds alter column created_at set not null;
alter table payments.disputes add column created_at timestamptz(3);
update payments.disputes d set created_at = d.updated_at;
alter table payments.disputes alter column created_at set not null;

create index invoices_payment_idx on payments.invoices (provider, payment_id) where payment_id is not null;

-- Money back, plan back -----------------------------------------------------------------------------------------------

-- Whether the bill of a period went back: refunded in full, or called back by a bank (`for_good`: that has lost, too).
create function payments.is_called_back(period payments.periods, for_good boolean) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select exists (
    select from payments.invoices i
     where i.provider = period.provider and i.invoice_id = period.invoice_id and i.payment_id is not null
       and (exists (
              select from payments.disputes d
               where d.provider = i.provider and d.payment_id = i.payment_id and d.is_live = i.is_live
                 and d.currency = i.currency and (d.status = 'lost' or (d.status = 'open' and not for_good)))
         or (select sum(r.amount_cents) from payments.refunds r
              where r.provider = i.provider and r.payment_id = i.payment_id and r.is_live = i.is_live
                and r.currency = i.currency and r.status <> 'failed')
            >= greatest(coalesce(i.total_cents, i.amount_cents), 1)))
$$;

-- The whole period of a subscription that ends last.
create function payments.last_period_of(of_subscription uuid) returns payments.periods
  language sql stable set search_path = pg_catalog
as $$
  select p from payments.periods p
   where p.subscription_id = of_subscription and p.purpose = 'period' order by p.ends_at desc limit 1
$$;

-- The last period of a subscription when its money has gone back for good; null when it has not.
create function payments.lost_period_of(of_subscription uuid) returns uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select p.id from payments.last_period_of(of_subscription) p
   where p.id is not null and payments.is_called_back(p, true)
$$;
grant execute on function payments.lost_period_of(uuid) to obol_app;

-- What a subscription is now by what was paid and has not gone back: the plan of the latest period or change, and until
-- when it counts. A change counts as long as the period that it is in. There is no grace after money that went back,
-- and of one of which nothing counts, nothing has been paid since it began.
create or replace function payments.note_paid_periods(of_subscription uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  counted payments.periods;
  grace interval := '0';
begin
  select p.* into counted from payments.periods p
   where p.subscription_id = of_subscription and not payments.is_called_back(p, false)
     and (p.purpose = 'period'
       or not payments.is_called_back(payments.period_at(of_subscription, p.starts_at), false))
   -- A change counts over the period that it is in, from the first instant of that on.
   order by p.ends_at desc, p.starts_at desc, p.purpose = 'change' desc, p.id desc limit 1;
  if counted.id is null then
    update payments.subscriptions s
       set (paid_ends_at, tier_ends_at, updated_at) = (
         select least(min(p.starts_at), at_time), least(min(p.starts_at), at_time), at_time
           from payments.periods p where p.subscription_id = s.id)
     where s.id = of_subscription;
    return;
  end if;
  if not payments.is_called_back(payments.last_period_of(of_subscription), false) then
    select make_interval(days => v.grace_days) into grace from payments.plan_versions v
     where v.plan_id = counted.plan_id and v.version = counted.version;
  end if;
  update payments.subscriptions s
     set plan_id = counted.plan_id, version = counted.version, paid_ends_at = counted.ends_at,
         tier_ends_at = counted.ends_at + grace, updated_at = at_time
   where s.id = of_subscription;
end $$;

-- Writes down whether a person has a subscription and to what. What counts is what was paid for and has not gone back;
-- whose payment fails keeps the plan for its days of grace, and whose money went back has nothing until the next bill.
create or replace function payments.note_standing_of_user(person uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  status text;
  tier text;
begin
  select s.* into subscription from payments.subscriptions s
   where s.user_id = person and s.paid_ends_at is not null and s.status in ('incomplete', 'active', 'past_due')
     and (s.paid_ends_at > at_time or not payments.is_called_back(payments.last_period_of(s.id), false))
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

-- The subscriptions whose bill a payment has paid.
create function payments.subscriptions_of_payment(from_provider text, of_payment text)
  returns setof payments.subscriptions
  language sql stable set search_path = pg_catalog
as $$
  select s.* from payments.subscriptions s
   where s.id in (
     select p.subscription_id
       from payments.invoices i join payments.periods p on p.provider = i.provider and p.invoice_id = i.invoice_id
      where i.provider = from_provider and i.payment_id = of_payment)
   order by s.id
$$;

-- Before money on its way back is written down: subscriptions are locked before refunds and disputes.
create function payments.note_money_back_begins() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  paid_ids uuid[] := array(select s.id from payments.subscriptions_of_payment(new.provider, new.payment_id) s);
begin
  if tg_op = 'INSERT' then new.created_at := new.updated_at; end if;
  if cardinality(paid_ids) > 0 then
    perform from payments.subscriptions s where s.id = any (paid_ids) order by s.id for no key update;
  end if;
  return new;
end $$;
create trigger refunds_begin before insert or update on payments.refunds
  for each row execute function payments.note_money_back_begins();
create trigger disputes_begin before insert or update on payments.disputes
  for each row execute function payments.note_money_back_begins();

-- After it: what was paid for may count no more, or again.
create function payments.note_money_back() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  paid payments.subscriptions;
begin
  for paid in select * from payments.subscriptions_of_payment(new.provider, new.payment_id) loop
    perform payments.note_paid_periods(paid.id, new.updated_at);
    perform payments.note_standing_of_user(paid.user_id, new.updated_at);
  end loop;
  return null;
end $$;
create trigger refunds_told after insert or update on payments.refunds
  for each row execute function payments.note_money_back();
create trigger disputes_told after insert or update on payments.disputes
  for each row execute function payments.note_money_back();

-- Of which payment a bill is paid may be said after that went back. follow_subscriptions does the rest.
create function payments.note_payment_of_invoice() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  paid payments.subscriptions;
begin
  for paid in select * from payments.subscriptions_of_payment(new.provider, new.payment_id) loop
    perform from payments.subscriptions s where s.id = paid.id for no key update;
    perform payments.note_paid_periods(paid.id, new.received_at);
  end loop;
  return null;
end $$;
create trigger invoices_payment_told after update on payments.invoices
  for each row when (new.payment_id is distinct from old.payment_id and new.status = 'paid')
  execute function payments.note_payment_of_invoice();

-- Those whose money went back before this was looked at.
do $$
declare
  paid record;
begin
  for paid in
    select distinct s.id, s.user_id
      from payments.subscriptions s join payments.periods p on p.subscription_id = s.id
     where payments.is_called_back(p, false) order by s.id
  loop
    perform payments.note_paid_periods(paid.id, now());
    perform payments.note_standing_of_user(paid.user_id, now());
  end loop;
end $$;

-- Credits that have expired -------------------------------------------------------------------------------------------

-- In which lots the credits of a purchase come in. Those of a period expire with it, or as many periods later as they
-- may be carried over; never when any number of times. Who paid only afterwards has them for as long as a period takes.
-- What comes back after it was taken expires when it would have, had it never been taken: nobody gains time by asking
-- for a refund, or by a dispute.
create or replace function payments.lots_of(purchase credits.purchases, amount bigint, at_time timestamptz)
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
    from payments.postings o join credits.lots l on l.transaction_id = o.transaction_id
   where o.purchase_id = purchase.id and o.amount > 0;
  more := least(amount, period.carried_more);
  return query
    select part.amount, nullif(
             least(coalesce(payments.expiry_of(period, part.times, coalesce(first_at, at_time)), 'infinity'),
               last_expiry_at), 'infinity')
      from (values (amount - more, period.carried_times), (more, period.carried_times + 1)) as part (amount, times)
     where part.amount > 0;
end $$;

-- Changes of plan -----------------------------------------------------------------------------------------------------

alter table payments.periods add column plan_change_id uuid;
update payments.periods p set plan_change_id = m.change_id
  from (
    select distinct on (c.id) c.id as change_id, p.id as period_id
      from payments.periods p
      join payments.plan_changes c on c.subscription_id = p.subscription_id
       and (c.to_plan_id, c.to_version) = (p.plan_id, p.version)
       and c.created_at >= p.starts_at - interval '1 day' and c.created_at < p.ends_at
     where p.purpose = 'change'
     order by c.id, p.created_at, p.id) m
 where m.period_id = p.id;
alter table payments.periods add constraint periods_plan_change_id_plan_changes_id_fk
  foreign key (plan_change_id) references payments.plan_changes (id) on delete set null;
create unique index periods_plan_change_key on payments.periods (plan_change_id);

-- The change that a bill within a period is for, as we asked for it. Each is billed once.
create function payments.change_before(
  of_subscription uuid, wanted payments.plan_versions, period payments.periods
) returns payments.plan_changes
  language sql stable set search_path = pg_catalog
as $$
  select c from payments.plan_changes c
   where c.subscription_id = of_subscription
     and (c.to_plan_id, c.to_version) = (wanted.plan_id, wanted.version)
     and c.created_at >= period.starts_at - interval '1 day' and c.created_at < period.ends_at
     and not exists (select from payments.periods p where p.plan_change_id = c.id)
   order by c.created_at desc limit 1
$$;

-- What a subscription was changed from by a change that has not been billed yet, see change_before.
create or replace function payments.version_before(
  of_subscription uuid, wanted payments.plan_versions, period payments.periods
) returns payments.plan_versions
  language sql stable set search_path = pg_catalog
as $$
  select v from payments.change_before(of_subscription, wanted, period) c
    join payments.plan_versions v on v.plan_id = c.from_plan_id and v.version = c.from_version
$$;

-- The period that a bill has paid for, and the purchase of its credits, if it has any. A change to a dearer plan brings
-- what that has more of credits, in proportion to what is left of the period.
create or replace function payments.begin_period(
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
    made.plan_change_id := (payments.change_before(subscription.id, billed, whole)).id;
    before := payments.version_before(subscription.id, billed, whole);
    made.ends_at := whole.ends_at;
    made.credits := greatest(0, payments.part_of(
      billed.credits - before.credits, invoice.period_starts_at, whole.starts_at, whole.ends_at));
  end if;
  -- A cap of two and a half periods: all of a period's credits are carried twice, half of them once more. Those that
  -- expire first are spent first, so what is carried is never more than the cap, and no less than it could be.
  made.carried_times := case billed.rollover when 'none' then 0
    when 'capped' then div(billed.rollover_cap, billed.credits)::integer end;
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

-- Saved cards ---------------------------------------------------------------------------------------------------------

-- How many credits a pack had when its buyer agreed to it.
alter table payments.top_ups add column package_credits bigint;
update payments.top_ups t set package_credits = k.credits from credits.packages k where k.id = t.package_id;
alter table payments.top_ups alter column package_credits set not null;
alter table payments.top_ups add constraint top_ups_credits_check check (package_credits > 0);

-- Agrees to automatic top-ups (user_id, session_id, package_id, currency, threshold, monthly_cap_cents,
-- units_per_credit, credits_per_eur), in place of what was agreed before. Refuses with auth.session_ended,
-- payments.no_saved_card, payments.package_unavailable, payments.currency_unavailable, payments.cap_too_low,
-- payments.threshold_too_high: one pack has to reach it, or one top-up would bring about the next.
create or replace function payments.agree_top_up(asked jsonb, at_time timestamptz) returns jsonb
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
      agreed_at, next_try_at, package_credits)
    values (person, package.id, (asked->>'threshold')::bigint, (asked->>'monthly_cap_cents')::integer, price,
      coalesce(asked->>'currency', package.currency), 'active', at_time, at_time, package.credits)
    on conflict (user_id) do update
      set package_id = excluded.package_id, threshold = excluded.threshold,
          monthly_cap_cents = excluded.monthly_cap_cents, price_cents = excluded.price_cents,
          currency = excluded.currency, package_credits = excluded.package_credits, status = 'active', reason = null,
          agreed_at = excluded.agreed_at, next_try_at = greatest(t.next_try_at, excluded.next_try_at);
  return payments.top_up_view(person, at_time);
end $$;

-- Whether a person has had, or has asked for, money back since a time: of any purchase, at any provider.
create function payments.has_money_back_since(person uuid, since timestamptz) returns boolean
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
      join payments.disputes d on d.provider = c.provider and d.payment_id = c.payment_id
     where p.user_id = person and (c.opened_for = p.id or c.claimed_by = p.id)
       and d.status <> 'won' and d.created_at >= since)
$$;

-- Why nothing may be charged for a person any more until they agree anew; null when it may. A card that was declined is
-- not tried again, a price or a number of credits that they did not agree to is not charged, and who owes or has called
-- money back is not charged for the credits that are missing since.
create or replace function payments.top_up_obstacle(
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
  if exists (select from credits.balances b where b.wallet_id = agreed.user_id and b.debt > 0)
    or exists (select from credits.purchases p where p.user_id = agreed.user_id and p.status = 'disputed')
    or payments.has_money_back_since(agreed.user_id, agreed.agreed_at) then
    return 'payment_reversed';
  end if;
  if package.id is null or not package.is_active or price is null then return 'package_unavailable'; end if;
  if price <> agreed.price_cents or package.credits < agreed.package_credits then return 'price_changed'; end if;
  begin
    perform payments.assert_within_limit(package, agreed.user_id, at_time);
  exception when sqlstate 'OB001' then
    return 'limit_reached';
  end;
  return null;
end $$;

-- Subscriptions that should not go on ---------------------------------------------------------------------------------

-- When a checkout was left, and for which period or other reason the provider was asked to end a subscription.
alter table payments.subscriptions add column abandoned_at timestamptz(3), add column ended_for uuid;
update payments.subscriptions s set abandoned_at = s.updated_at where s.status = 'abandoned';

create function payments.note_abandoned() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  new.abandoned_at := new.updated_at;
  return new;
end $$;
create trigger subscriptions_abandoned before update of status on payments.subscriptions
  for each row when (new.status = 'abandoned' and old.status <> 'abandoned')
  execute function payments.note_abandoned();

-- Why a subscription is to be ended with its period, by whom it was not asked for: `lost`, when the money for its last
-- period has gone back for good; `second`, when its checkout had been left and another subscription goes on beside it.
-- `end_for` is what it is ended for, once. Null otherwise.
create type payments.ending as (reason text, end_for uuid);
create function payments.ending_of(of_subscription uuid) returns payments.ending
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  subscription payments.subscriptions;
  ending payments.ending;
begin
  select s.* into subscription from payments.subscriptions s where s.id = of_subscription;
  if subscription.cancels_at_period_end or subscription.status not in ('active', 'past_due') then return null; end if;
  if subscription.abandoned_at is not null and subscription.ended_for is null and exists (
    select from payments.subscriptions o
     where o.user_id = subscription.user_id and o.id <> subscription.id and o.status in ('active', 'past_due')
       and not o.cancels_at_period_end
       and (o.abandoned_at is null or (o.created_at, o.id) > (subscription.created_at, subscription.id))) then
    ending.reason := 'second';
    ending.end_for := subscription.id;
    return ending;
  end if;
  ending.end_for := payments.lost_period_of(of_subscription);
  if ending.end_for is null or ending.end_for = subscription.ended_for then return null; end if;
  ending.reason := 'lost';
  return ending;
end $$;
grant execute on function payments.ending_of(uuid) to obol_app;

-- Erasure -------------------------------------------------------------------------------------------------------------

-- Purchases of a person that may still be paid, as purchase_view shows them.
create function payments.open_purchases_of(person uuid) returns setof jsonb
  language sql stable security definer set search_path = pg_catalog
as $$
  select payments.purchase_view(p.id) from credits.purchases p
   where p.user_id = person and p.status = 'pending' and p.kind in ('pack', 'top_up')
   order by p.id
$$;
grant execute on function payments.open_purchases_of(uuid) to obol_app;

-- What a person may still pay for and nobody can end any more: a purchase that is under way, the checkout of a
-- subscription. PayPal takes none back, so one that was left counts until it ends by itself, after three hours.
create function payments.open_checkouts_of(person uuid, at_time timestamptz)
  returns table (id uuid, kind text, expires_at timestamptz)
  language sql stable set search_path = pg_catalog
as $$
  select p.id, 'purchase', p.expires_at from credits.purchases p
   where p.user_id = person and p.status = 'pending' and p.kind in ('pack', 'top_up')
  union all
  select s.id, 'subscription', e.expires_at
    from payments.subscriptions s
   cross join lateral (select case s.provider when 'paypal' then s.created_at + interval '3 hours'
     else coalesce(s.checkout_expires_at, s.created_at + interval '1 hour') end) as e (expires_at)
   where s.user_id = person and (s.status = 'opening' or (s.status = 'abandoned' and s.provider = 'paypal'))
     and e.expires_at > at_time
$$;

-- What ties a person to others, or others to them: see auth.erase_person. What is paid for again and again is ended by
-- its owner first, and what may still be paid is over first: the provider would charge somebody whom nobody knows.
create function auth.ties_of(person uuid, at_time timestamptz) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  with ties as (
    select (select jsonb_agg(jsonb_build_object('id', t.wallet_id, 'name', t.name) order by t.name)
              from credits.team_members m join credits.teams t on t.wallet_id = m.wallet_id
             where m.user_id = person and m.role = 'owner'
               and exists (select from credits.team_members o
                            where o.wallet_id = m.wallet_id and o.user_id <> person)
               and not exists (select from credits.team_members o
                                where o.wallet_id = m.wallet_id and o.user_id <> person and o.role = 'owner')) as teams,
           (select jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name) order by a.name)
              from apps.memberships m join apps.applications a on a.id = m.application_id
             where m.user_id = person and m.role = 'admin'
               and not exists (select from apps.memberships o
                                where o.application_id = m.application_id and o.user_id <> person
                                  and o.role = 'admin')) as applications,
           (select jsonb_agg(jsonb_build_object('id', s.id, 'planId', s.plan_id) order by s.id)
              from payments.subscriptions s
             where s.user_id = person and s.status in ('incomplete', 'active', 'past_due')
               and not s.cancels_at_period_end) as subscriptions,
           (select jsonb_agg(jsonb_build_object('id', c.id, 'kind', c.kind, 'expiresAt', c.expires_at) order by c.id)
              from payments.open_checkouts_of(person, at_time) c) as checkouts)
  select case when coalesce(t.teams, t.applications, t.subscriptions, t.checkouts) is not null
    then jsonb_build_object('teams', coalesce(t.teams, '[]'), 'applications', coalesce(t.applications, '[]'),
      'subscriptions', coalesce(t.subscriptions, '[]'), 'checkouts', coalesce(t.checkouts, '[]')) end
    from ties t
$$;

-- Erases a person for good. What the ledger must keep stays under an id that leads to nobody; applications that they
-- used hear `user.deleted`. Refuses with request.not_found, users.erasure_blocked (see ties_of). `checked_hash`
-- is the password that was verified, null where there is none: when it is another by now, with auth.password_wrong.
create or replace function auth.erase_person(
  person uuid, checked_hash text, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  found_email text;
  ties jsonb;
  ip_addresses text[];
begin
  select lower(u.email) into found_email from auth.users u where u.id = person and u.erased_at is null for update;
  if not found then perform obol.refuse('request.not_found'); end if;
  if (select p.hash from auth.passwords p where p.user_id = person) is distinct from checked_hash then
    perform obol.refuse('auth.password_wrong');
  end if;
  -- Teams and applications one after the other, so that of two last owners who leave at once one stays.
  perform from credits.balances b join credits.team_members m on m.wallet_id = b.wallet_id
    where m.user_id = person order by b.wallet_id for no key update of b;
  perform from apps.applications a join apps.memberships m on m.application_id = a.id
    where m.user_id = person and m.role = 'admin' order by a.id for update of a;
  ties := auth.ties_of(person, at_time);
  if ties is not null then perform obol.refuse('users.erasure_blocked', ties); end if;
  ip_addresses := array(
    select s.ip_address from auth.sessions s where s.user_id = person and s.ip_address is not null
    union select e.ip_address from auth.security_events e where e.user_id = person and e.ip_address is not null);

  perform auth.forget_mentions(person, found_email, ip_addresses);
  -- Before the wallet is locked, as everybody does who changes a request for a refund.
  perform payments.forget_refund_texts(person);
  perform webhooks.emit_event('user.deleted', at_time, jsonb_build_object('userId', person), person, person);
  perform credits.close_wallets_of(person, at_time, daily_amount, daily_cap);
  perform auth.delete_what_hangs_on(person);
  perform auth.bury_user(person, at_time);
  perform audit.append('user.erased', 'user', person::text, 'user', person::text, null, null, '{}', at_time);
  perform audit.forget_person(person);
end $$;
drop function auth.ties_of(uuid);

-- Bills of nobody -----------------------------------------------------------------------------------------------------

-- Compares a bill of a subscription. One that is paid and whose subscription nobody knows, such as that of somebody who
-- is gone, is for an administrator. One that could not be paid at first stays open at Stripe until the last try, so a
-- list that calls it open is no difference.
create or replace function payments.compare_invoice(from_provider text, fact jsonb) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.invoices;
  bought uuid;
  shown jsonb;
  is_known boolean := exists (
    select from payments.subscriptions s
     where s.id = payments.to_uuid(fact->>'subscriptionId')
        or (s.provider = from_provider and s.provider_subscription_id = fact->>'providerSubscriptionId'));
  ranks constant text[] := array['open', 'failed', 'void', 'paid'];
begin
  select i.* into ours from payments.invoices i
   where i.provider = from_provider and i.invoice_id = fact->>'invoiceId';
  if ours.invoice_id is null or (not is_known and ours.settled_at is null) then
    return case
      when is_known then row('only_theirs', 'not_heard_of', true, null, null)::payments.comparison
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
    when fact->>'status' <> ours.status and (fact->>'status', ours.status) <> ('open', 'failed')
      then row('differing', 'ahead', false, bought, shown)::payments.comparison
    when (fact->>'amountCents')::bigint <> ours.amount_cents or fact->>'currency' <> ours.currency
      then row('differing', 'amount', false, bought, shown)::payments.comparison
    when ours.status = 'paid' and ours.settled_at is null
      then row('differing', coalesce(ours.refusal, 'unsettled'), ours.refusal is null, bought,
        shown)::payments.comparison
    else row('matched', null, false, bought, shown)::payments.comparison end;
end $$;
