-- Mandates: how much an app (or, in a team's wallet, a member) may spend from a wallet. Whatever charges a mandate
-- holds the lock of its wallet, and then locks the mandate; a change of its terms locks the mandate alone. So there is
-- no circle to wait in, a change counts for the very next charge, and no two charges see the same allowance.
--
-- A charge belongs to the instant at which it was made first. What is given back comes back to that instant, and so to
-- the period that it was taken from; a period that is over gains nothing.

select obol.protect('credits.mandate_usage', 'wallet_id', 'select');

-- When the period began that an instant is in: of the calendar in UTC, whatever the hour of the consent. Weeks begin on
-- Monday (ISO 8601). A total is one period from the mandate's own beginning.
create function credits.period_start(period text, instant timestamptz, since timestamptz) returns timestamptz
  language sql immutable
as $$
  select case when period = 'total' then since
    else pg_catalog.date_trunc(period, instant at time zone 'UTC') at time zone 'UTC' end
$$;

-- When the next one begins; null for a total.
create function credits.next_period_start(period text, instant timestamptz) returns timestamptz
  language sql immutable
as $$
  select case when period <> 'total' then
    (pg_catalog.date_trunc(period, instant at time zone 'UTC') + ('1 ' || period)::interval) at time zone 'UTC' end
$$;

-- The instant at which a mandate is charged now: never before its beginning or its current period, whatever the clock
-- of this process says.
create function credits.charging_instant(mandate credits.mandates, instant timestamptz) returns timestamptz
  language sql immutable
as $$ select greatest(instant, mandate.period_started_at, mandate.created_at) $$;

-- What a mandate has been charged in the period that an instant is in, holds included.
create function credits.used_of(mandate credits.mandates, instant timestamptz) returns bigint
  language sql immutable
as $$
  select case
    when credits.period_start(mandate.period, instant, mandate.period_started_at) > mandate.period_started_at then 0
    else mandate.spent end
$$;

-- A time as the API writes it.
create function credits.iso_time(instant timestamptz) returns text
  language sql stable
as $$ select pg_catalog.to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Whether a mandate lets its spender have `amount` more, `amount_in_all` for this spend or hold: null, or the refusal
-- with what the problem document says of it. No mandate at all is a row of nulls.
create function credits.judge_mandate(
  mandate credits.mandates, amount bigint, amount_in_all bigint, instant timestamptz
) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select case
    when mandate.id is null then jsonb_build_object('code', 'mandate.required', 'reason', 'none')
    when mandate.status <> 'active'
      then jsonb_build_object('code', 'mandate.required', 'reason', mandate.status, 'mandateId', mandate.id)
    when mandate.expires_at <= instant
      then jsonb_build_object('code', 'mandate.required', 'reason', 'expired', 'mandateId', mandate.id)
    when amount_in_all > mandate.spend_max
      then jsonb_build_object('code', 'mandate.exceeded', 'limit', 'maxPerSpend', 'mandateId', mandate.id,
        'required', amount_in_all, 'remaining', mandate.spend_max, 'resetsAt', null)
    when credits.used_of(mandate, instant) + amount > mandate.allowance
      then jsonb_build_object('code', 'mandate.exceeded', 'limit', 'allowance', 'mandateId', mandate.id,
        'required', amount, 'remaining', greatest(mandate.allowance - credits.used_of(mandate, instant), 0),
        'resetsAt', credits.iso_time(credits.next_period_start(mandate.period, instant)))
  end
$$;

-- The mandate of an app, or of a member of a team, over a wallet: the one that counts, or else the one revoked last.
create function credits.find_mandate(of_wallet uuid, of_app text, of_member uuid) returns uuid
  language sql stable set search_path = pg_catalog
as $$
  select m.id from credits.mandates m
   where m.wallet_id = of_wallet
     and case when of_member is null then m.app_id = of_app and m.member_id is null else m.member_id = of_member end
   order by m.status = 'revoked', m.created_at desc, m.id desc limit 1
$$;

-- The same, locked. The wallet is locked already.
create function credits.lock_mandate(of_wallet uuid, of_app text, of_member uuid) returns credits.mandates
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  mandate credits.mandates;
begin
  select m.* into mandate from credits.mandates m
   where m.id = credits.find_mandate(of_wallet, of_app, of_member) for no key update;
  return mandate;
end $$;

-- Charges a mandate with what a transaction set aside and spent at an instant, or gives it back to that instant
-- (negative). An instant of a later period begins that period; one of an earlier period changes only what is known of
-- it.
create function credits.charge_mandate(
  charged_mandate uuid, by_transaction uuid, instant timestamptz, held_change bigint, spent_change bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into credits.mandate_usage as u (transaction_id, charged_at, mandate_id, wallet_id, held, spent)
    select by_transaction, instant, m.id, m.wallet_id, held_change, spent_change
      from credits.mandates m where m.id = charged_mandate
    on conflict (transaction_id, charged_at)
    do update set held = u.held + excluded.held, spent = u.spent + excluded.spent;
  if held_change + spent_change = 0 then return; end if;
  update credits.mandates m
     set spent = case when p.started_at > m.period_started_at then held_change + spent_change
                      when instant >= m.period_started_at then m.spent + held_change + spent_change
                      else m.spent end,
         period_started_at = greatest(p.started_at, m.period_started_at)
    from credits.mandates o
   cross join lateral (select credits.period_start(o.period, instant, o.period_started_at) as started_at) p
   where m.id = charged_mandate and o.id = m.id;
end $$;

-- Gives a mandate back what a refund returns of a spend or capture, what was charged last first: exactly to the periods
-- that it was taken from. Without a mandate nothing happens.
create function credits.give_back_allowance(refunded uuid, by_refund uuid, amount bigint) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  charge record;
  part bigint;
begin
  for charge in
    select u.mandate_id, u.charged_at, sum(u.spent)::bigint as spent
      from credits.mandate_usage u
     where u.transaction_id = refunded
        or u.transaction_id in (select t.id from credits.transactions t
                                 where t.reverses_id = refunded and t.type = 'refund')
     group by u.mandate_id, u.charged_at
     order by u.charged_at desc
  loop
    part := least(amount, charge.spent);
    continue when part <= 0;
    perform credits.charge_mandate(charge.mandate_id, by_refund, charge.charged_at, 0, -part);
    amount := amount - part;
  end loop;
end $$;

-- A mandate as the API shows it at an instant.
create function credits.mandate_view(mandate credits.mandates, instant timestamptz) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object(
    'id', mandate.id, 'walletId', mandate.wallet_id, 'appId', mandate.app_id,
    'allowance', mandate.allowance, 'period', mandate.period, 'kinds', to_jsonb(mandate.kinds),
    'maxPerSpend', mandate.spend_max, 'overrun', mandate.overrun, 'overrunMax', mandate.overrun_max,
    'used', credits.used_of(mandate, instant),
    'remaining', greatest(mandate.allowance - credits.used_of(mandate, instant), 0),
    'periodStartedAt', credits.iso_time(
      greatest(credits.period_start(mandate.period, instant, mandate.period_started_at), mandate.period_started_at)),
    'resetsAt', credits.iso_time(credits.next_period_start(mandate.period, instant)),
    'status', case when mandate.status <> 'revoked' and mandate.expires_at <= instant then 'expired'
                   else mandate.status end,
    'expiresAt', credits.iso_time(mandate.expires_at), 'createdAt', credits.iso_time(mandate.created_at),
    'updatedAt', credits.iso_time(mandate.updated_at))
$$;

-- Gives an app leave to spend from the caller's wallet. Refuses with auth.session_ended, request.invalid when there is
-- no such application, mandate.exists when it has a mandate already.
create function credits.create_mandate(
  caller_user uuid, caller_session uuid, new_id uuid, terms jsonb, at_time timestamptz
) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  mandate credits.mandates := jsonb_populate_record(null::credits.mandates, terms);
  existing uuid;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  if not exists (select from apps.applications a where a.client_id = mandate.app_id and a.is_active) then
    perform obol.refuse('request.invalid', jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
      'path', '/body/appId', 'message', 'is not the client id of an application'))));
  end if;
  mandate.id := new_id;
  mandate.wallet_id := caller_user;
  mandate.member_id := null;
  mandate.spent := 0;
  mandate.period_started_at := credits.period_start(mandate.period, at_time, at_time);
  mandate.status := 'active';
  mandate.created_at := at_time;
  mandate.updated_at := at_time;
  insert into credits.mandates select mandate.*
    on conflict (wallet_id, app_id) where status <> 'revoked' and member_id is null do nothing;
  if not found then
    select m.id into existing from credits.mandates m
     where m.wallet_id = caller_user and m.app_id = mandate.app_id and m.member_id is null and m.status <> 'revoked';
    perform obol.refuse('mandate.exists', jsonb_build_object('mandateId', existing));
  end if;
  return credits.mandate_view(mandate, at_time);
end $$;

-- Changes the terms of a locked mandate: those named in `changes`, by column. Under another period, what has been
-- charged since the beginning of that period counts.
create function credits.change_terms(mandate credits.mandates, changes jsonb, at_time timestamptz)
  returns credits.mandates
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  period_before text := mandate.period;
begin
  mandate := jsonb_populate_record(mandate, changes);
  if mandate.period <> period_before then
    mandate.period_started_at := credits.period_start(
      mandate.period, credits.charging_instant(mandate, at_time), mandate.created_at);
    select coalesce(sum(u.held + u.spent), 0) into mandate.spent
      from credits.mandate_usage u
     where u.mandate_id = mandate.id and u.charged_at >= mandate.period_started_at;
  end if;
  mandate.updated_at := at_time;
  update credits.mandates m
     set (allowance, period, kinds, spend_max, overrun, overrun_max, spent, period_started_at, status, expires_at,
          updated_at)
       = (mandate.allowance, mandate.period, mandate.kinds, mandate.spend_max, mandate.overrun, mandate.overrun_max,
          mandate.spent, mandate.period_started_at, mandate.status, mandate.expires_at, mandate.updated_at)
   where m.id = mandate.id;
  return mandate;
end $$;

-- Changes the terms of a mandate of the caller, see change_terms. Refuses with auth.session_ended, request.not_found,
-- mandate.revoked.
create function credits.change_mandate(
  caller_user uuid, caller_session uuid, changed_id uuid, changes jsonb, at_time timestamptz
) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  mandate credits.mandates;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  select m.* into mandate from credits.mandates m
   where m.id = changed_id and m.wallet_id = caller_user and m.member_id is null for no key update;
  if not found then perform obol.refuse('request.not_found'); end if;
  if mandate.status = 'revoked' then
    if changes = '{"status": "revoked"}' then return credits.mandate_view(mandate, at_time); end if;
    perform obol.refuse('mandate.revoked');
  end if;
  mandate := credits.change_terms(mandate, changes, at_time);
  return credits.mandate_view(mandate, at_time);
end $$;

-- What mandates have been charged is what their transactions have set aside and spent; see verify_wallets.
create function credits.verify_mandates(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with own as materialized (
    select m.* from credits.mandates m where m.wallet_id = any (wallets)
  ), moved as (
    select t.wallet_id, t.id, t.mandate_id, e.held, e.spent
      from credits.transactions t
     cross join lateral (
       select coalesce(sum(s.amount) filter (where s.account = 'wallet:' || t.wallet_id || ':held'), 0) as held,
              coalesce(sum(s.amount) filter (where s.account like 'revenue:%'), 0) as spent
         from credits.entries s where s.transaction_id = t.id) e
     where t.wallet_id = any (wallets) and t.mandate_id is not null
  ), charged as (
    select m.wallet_id, u.transaction_id, m.id as mandate_id, sum(u.held) as held, sum(u.spent) as spent
      from own m join credits.mandate_usage u on u.mandate_id = m.id
     group by m.wallet_id, u.transaction_id, m.id
  )
  select coalesce(t.wallet_id, c.wallet_id), 0::bigint, 'transaction ' || coalesce(t.id, c.transaction_id),
         'its mandate was not charged with what it set aside and spent'
    from moved t full join charged c on c.transaction_id = t.id and c.mandate_id = t.mandate_id
   where (t.held, t.spent) is distinct from (c.held, c.spent)
  union all
  select m.wallet_id, 0, 'mandate ' || m.id, 'spent is not what it has been charged since its period began'
    from own m
   where m.spent <> coalesce((select sum(u.held + u.spent) from credits.mandate_usage u
                               where u.mandate_id = m.id and u.charged_at >= m.period_started_at), 0)
$$;

grant execute on function credits.period_start(text, timestamptz, timestamptz),
  credits.next_period_start(text, timestamptz), credits.used_of(credits.mandates, timestamptz),
  credits.iso_time(timestamptz), credits.mandate_view(credits.mandates, timestamptz),
  credits.create_mandate(uuid, uuid, uuid, jsonb, timestamptz),
  credits.change_mandate(uuid, uuid, uuid, jsonb, timestamptz) to obol_app;
