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

-- How many cents of a payment have gone back, are called back, or were asked for.
create function payments.back_of_payment(from_provider text, of_payment text) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select (
      coalesce((select sum(r.amount_cents) from payments.refunds r
                 where r.provider = from_provider and r.payment_id = of_payment and r.status <> 'failed'), 0)
      + coalesce((select sum(d.amount_cents) from payments.disputes d
                   where d.provider = from_provider and d.payment_id = of_payment and d.status <> 'won'), 0)
      + coalesce((select sum(q.amount_cents)
                    from payments.refund_requests q
                   where q.purchase_id in (
                       select coalesce(c.opened_for, c.claimed_by) from payments.checkouts c
                        where c.provider = from_provider and c.payment_id = of_payment)
                     and q.status in ('open', 'sent') and payments.payment_of_refund(q) = of_payment
                     and not exists (select from payments.refunds r where r.refund_request_id = q.id)), 0))::bigint
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

-- Erases a person for good. What the ledger must keep stays under an id that leads to nobody; applications that they
-- used hear `user.deleted`. Refuses with request.not_found, users.erasure_blocked (teams, applications). `checked_hash`
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
  ties := auth.ties_of(person);
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
