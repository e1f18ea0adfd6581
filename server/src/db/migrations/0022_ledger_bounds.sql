-- Bounds of the ledger: what nobody may grow without end. No total leaves what JavaScript counts exactly, no debt by
-- overrun is above what the service allows, no hold lives for longer than a month, no refusal is remembered for ever.

-- Checked before it is written; the constraints are for what the checks forget: then a call fails before it commits.
-- Not validated, so that an upgrade does not fail at a row that is off already; `obol ledger verify` names such a row.
alter table credits.balances
  add constraint balances_totals_check check (greatest(total_earned, total_spent, debt) <= 9007199254740991) not valid,
  add constraint balances_person_check check (owner_id is null or (kind = 'personal' and owner_id = wallet_id))
    not valid;
create index idempotency_keys_refused_idx on credits.idempotency_keys (created_at) where code is not null;

-- `debt_max`: what a wallet may owe by overrun at most, whatever its mandates say.
alter type credits.transact_request add attribute debt_max bigint;
-- `asked_at`: when, by the service's clock. `moves_bonus`: whether a transfer may take what the service gave away.
alter type credits.movement_request add attribute asked_at timestamptz, add attribute moves_bonus boolean;

-- Whether the wallet can owe so much more and still count everything exactly. What was spent is never more than what
-- came in and what is owed, so this bounds all three.
create function credits.can_owe(wallet credits.balances, more bigint) returns boolean
  language sql immutable
as $$ select wallet.total_earned + wallet.debt + more <= 9007199254740991 $$;

-- Gives the daily credits of the window that is due, as far as the unspent daily credits stay within the cap, and all
-- that ever came in within what can be counted. When nothing may be added, all windows up to at_time pass without a
-- grant, or up to the next expiry: only the end of a hold whose credits repay a debt can make room between them. The
-- wallet is locked; the caller saves it.
create or replace function credits.grant_daily(
  wallet credits.balances, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  unspent bigint;
begin
  select coalesce(sum(l.remaining), 0) into unspent
    from credits.lots l
   where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.source = 'daily';
  lot.amount := least(daily_amount, daily_cap - unspent, 9007199254740991 - wallet.total_earned);
  if lot.amount <= 0 then
    wallet.next_daily_at := wallet.next_daily_at + interval '24 hours' * case
      when wallet.next_expiry_at <= at_time
        then ceil(extract(epoch from wallet.next_expiry_at - wallet.next_daily_at) / 86400)
      else 1 + floor(extract(epoch from at_time - wallet.next_daily_at) / 86400) end;
    return wallet;
  end if;
  lot.source := 'daily';
  lot.kind := 'free';
  lot.priority := 100;
  lot.daily_window_at := wallet.next_daily_at;
  lot.created_at := wallet.next_daily_at;
  wallet.next_daily_at := wallet.next_daily_at + interval '24 hours';
  return credits.add_lot(wallet, lot, 'daily', 'Daily free credits', 'issued:bonus');
end $$;

-- Ends holds that have expired, in the wallets of the `holds_max` oldest of them but those in `left_out`, as whoever
-- looks at these wallets next would. Returns each of these wallets, with what went wrong with it, if anything: one that
-- cannot be brought up to date holds up no other. Only tidies: nothing waits for it.
drop function credits.end_expired_holds(integer, timestamptz, bigint, bigint);
create function credits.end_expired_holds(
  holds_max integer, left_out uuid[], at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns table (wallet_id uuid, problem text)
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  due uuid[] := array(
    select distinct h.wallet_id
      from (select o.wallet_id from credits.holds o
             where o.status = 'open' and o.expires_at <= at_time and o.wallet_id <> all (left_out)
             order by o.expires_at limit holds_max) h
     order by h.wallet_id);
begin
  foreach wallet_id in array due loop
    problem := null;
    begin
      perform credits.lock_wallets(array[wallet_id], at_time, daily_amount, daily_cap);
    exception when others then
      problem := sqlerrm;
    end;
    return next;
  end loop;
end $$;
grant execute on function credits.end_expired_holds(integer, uuid[], timestamptz, bigint, bigint) to obol_app;

-- Holds ---------------------------------------------------------------------------------------------------------------

-- When a hold ends at the latest, however often it is extended: so nobody keeps credits beyond their expiry for ever.
create function credits.hold_end_max(hold credits.holds) returns timestamptz
  language sql stable
as $$ select hold.created_at + interval '720 hours' $$;

-- Lets a hold live `lasts` seconds from now on, if that is longer, and sets `amount` more aside, if any is given. The
-- mandate must be in force for either. Not beyond the hold's longest life.
create or replace function credits.transact_extend(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  wallet credits.balances := scene.wallet;
  hold credits.holds := scene.hold;
  more bigint := coalesce(request.amount, 0);
  ends_at timestamptz := scene.at_time + make_interval(secs => request.lasts);
  taking credits.taking;
  made credits.transactions := credits.requested_transaction(request, scene.instant);
  result credits.transact_result;
begin
  if ends_at > credits.hold_end_max(hold) then
    result.refusal := jsonb_build_object('code', 'hold.too_long',
      'expiresAtMax', credits.iso_time(credits.hold_end_max(hold)));
    return result;
  elsif hold.amount + more > 9007199254740991 then
    result.refusal := jsonb_build_object('code', 'credits.too_many');
    return result;
  end if;
  taking := credits.decide_taking(wallet, scene.mandate, scene.is_mandated, more, hold.amount + more, false,
    scene.instant);
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  hold.expires_at := greatest(hold.expires_at, ends_at);
  hold.amount := hold.amount + more;
  hold.remaining := hold.remaining + more;
  update credits.holds h set (amount, remaining, expires_at) = (hold.amount, hold.remaining, hold.expires_at)
   where h.id = hold.id;
  if more > 0 then
    made.description := hold.description;
    made.metadata := hold.metadata;
    perform credits.save_wallet(credits.set_aside(wallet, hold, made, taking.parts,
      credits.charging_instant(scene.mandate, scene.instant)));
    result.transaction_id := made.id;
  end if;
  result.hold := hold;
  return result;
end $$;

-- How a capture may go above its hold: as the hold's mandate says; without one, as the request of the wallet's owner
-- says. An application has no say. A debt is repaid by credits of any kind, so a mandate for one kind leaves none.
create or replace function credits.overrun_of(scene credits.transact_scene) returns text
  language sql stable
as $$
  select case
    when not scene.is_mandated then coalesce((scene.request).overrun, 'refuse')
    when (scene.mandate).overrun = 'debt' and cardinality((scene.mandate).kinds) < 2 then 'refuse'
    else coalesce((scene.mandate).overrun, 'refuse') end
$$;

-- Captures from a hold, and ends it when `is_final`. What is above the hold is refused, or taken from the next lots,
-- and what these do not have becomes debt, by the policy and up to what the service allows; it counts against the
-- mandate like any spend.
create or replace function credits.transact_capture(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  wallet credits.balances := scene.wallet;
  hold credits.holds := scene.hold;
  held_amount bigint := least(request.amount, hold.remaining);
  above bigint := request.amount - least(request.amount, hold.remaining);
  from_hold credits.lot_part[];
  taking credits.taking := row(null, '{}', 0)::credits.taking;
  made credits.transactions := credits.requested_transaction(request, scene.instant);
  result credits.transact_result;
begin
  if above > 0 then
    taking := credits.judge_overrun(scene, above);
    result.refusal := taking.refusal;
  end if;
  if result.refusal is null
    and (hold.captured + request.amount > 9007199254740991
      or taking.debt > 0 and not credits.can_owe(wallet, taking.debt)) then
    result.refusal := jsonb_build_object('code', 'credits.too_many');
  end if;
  if result.refusal is not null then return result; end if;

  made.type := 'capture';
  made.app_id := hold.app_id;
  made.description := coalesce(request.description, hold.description);
  made.metadata := coalesce(request.metadata, hold.metadata);
  made.hold_id := hold.id;
  made.mandate_id := hold.mandate_id;
  from_hold := credits.drain_hold(hold.id, held_amount);
  wallet := credits.book_spend(wallet, made, from_hold, taking.parts, taking.debt);
  perform credits.charge_capture(scene, made.id, from_hold, above);
  hold.captured := hold.captured + request.amount;
  hold.remaining := hold.remaining - held_amount;
  update credits.holds h set (captured, remaining) = (hold.captured, hold.remaining) where h.id = hold.id;
  if request.is_final then wallet := credits.finish_hold(wallet, scene, 'captured', 'Rest of a hold'); end if;
  perform credits.save_wallet(wallet);
  select h into result.hold from credits.holds h where h.id = hold.id;
  result.transaction_id := made.id;
  return result;
end $$;

-- Decides what a capture takes `above` its hold.
create function credits.judge_overrun(scene credits.transact_scene, above bigint) returns credits.taking
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  hold credits.holds := scene.hold;
  mandate credits.mandates := scene.mandate;
  taking credits.taking;
begin
  mandate.overrun_max := least(mandate.overrun_max, coalesce(request.debt_max, 0));
  taking := credits.decide_taking(scene.wallet, mandate, scene.is_mandated, above, hold.captured + request.amount,
    credits.overrun_of(scene) = 'debt', scene.instant);
  if taking.refusal->>'code' in ('credits.wallet_inactive', 'mandate.required') then
    return taking;
  elsif credits.overrun_of(scene) = 'refuse' then
    taking.refusal := jsonb_build_object('code', 'hold.exceeded', 'required', request.amount,
      'remaining', hold.remaining);
  elsif taking.refusal->>'code' = 'credits.insufficient' then
    taking.refusal := taking.refusal || jsonb_build_object('required', request.amount,
      'available', (taking.refusal->>'available')::bigint + hold.remaining);
  end if;
  return taking;
end $$;

-- Mandates ------------------------------------------------------------------------------------------------------------

-- Refuses terms that contradict each other with request.invalid: a debt is repaid by credits of any kind.
create function credits.assert_terms(mandate credits.mandates) returns void
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  if mandate.overrun = 'debt' and cardinality(mandate.kinds) < 2 then
    perform obol.refuse('request.invalid', jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
      'path', '/body/overrun', 'message', 'may be debt only where credits of both kinds may be spent'))));
  end if;
end $$;

-- Gives an app leave to spend from the caller's wallet. Refuses with auth.session_ended, request.invalid when there is
-- no such application or the terms contradict each other, mandate.exists when it has a mandate already.
create or replace function credits.create_mandate(
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
  perform credits.assert_terms(mandate);
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

-- Changes the terms of a mandate of the caller, see change_terms. Refuses with auth.session_ended, request.not_found,
-- mandate.revoked, request.invalid when the terms contradict each other then.
create or replace function credits.change_mandate(
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
  if changes ?| array['kinds', 'overrun'] then perform credits.assert_terms(mandate); end if;
  return credits.mandate_view(mandate, at_time);
end $$;

-- Movements -----------------------------------------------------------------------------------------------------------

-- Ends a movement: saves the wallet, remembers the answer under the key, and returns it. `made_id` is the transaction
-- of a success; a refusal changes nothing but what is remembered.
create or replace function credits.conclude_movement(
  wallet credits.balances, scope text, request credits.movement_request, made_id uuid, refusal_code text,
  details jsonb default null
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  view jsonb := credits.transaction_view(made_id);
begin
  if refusal_code is null then perform credits.save_wallet(wallet); end if;
  if request.idempotency_key is not null then
    insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, code, transaction_id, balance_before,
        free, paid, held, total_spent, created_at, details)
      values (wallet.wallet_id, scope, request.idempotency_key, request.request_hash, refusal_code, made_id,
        coalesce((view->>'balanceBefore')::bigint, wallet.free + wallet.paid), wallet.free, wallet.paid, wallet.held,
        wallet.total_spent, greatest(wallet.last_transaction_at, request.asked_at), conclude_movement.details);
  end if;
  return row(refusal_code, false, view, wallet.free, wallet.paid, wallet.held, wallet.total_spent, details
    )::credits.movement_outcome;
end $$;

-- Writes a refund that has been decided. Refuses with credits.too_many, and then changes nothing, when a new lot for
-- what had been charged as debt could not be counted exactly.
create or replace function credits.write_refund(
  wallet credits.balances, charged credits.transactions, request credits.movement_request, scope text,
  given_back bigint, at_time timestamptz
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  returned credits.returned_lots := credits.return_to_lots(wallet, charged.id, given_back, request.amount);
  made credits.transactions;
  lot credits.lots;
begin
  made.id := credits.new_id(at_time);
  made.type := 'refund';
  made.app_id := charged.app_id;
  made.description := request.description;
  made.idempotency_key := request.idempotency_key;
  made.hold_id := charged.hold_id;
  made.mandate_id := charged.mandate_id;
  made.reverses_id := charged.id;
  made.created_at := at_time;
  if returned.new_lot > 0 then
    lot := credits.insert_refund_lot(wallet.wallet_id, returned.new_lot, made.id, at_time);
    returned.free_change := returned.free_change + lot.amount;
    returned.lot_ids := returned.lot_ids || lot.id;
    returned.sides := returned.sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:free', wallet.wallet_id), lot.amount, lot.id));
    wallet.total_earned := wallet.total_earned + lot.amount;
  end if;
  made.amount := returned.free_change + returned.paid_change;
  wallet.debt := wallet.debt + returned.debt_change;
  if not credits.can_owe(wallet, 0) and returned.new_lot > 0 then perform obol.refuse('credits.too_many'); end if;
  wallet.total_spent := wallet.total_spent - request.amount;
  wallet.next_expiry_at := least(wallet.next_expiry_at, returned.first_expiry_at);
  wallet := credits.append_transaction(wallet, made, returned.free_change, returned.paid_change,
    returned.sides || credits.side('receivable:' || wallet.wallet_id, -returned.debt_change)
      || credits.side('revenue:' || charged.app_id, -request.amount));
  insert into credits.usage_stats as u (wallet_id, day, app_id, model, count, amount)
    values (wallet.wallet_id, (charged.created_at at time zone 'UTC')::date, charged.app_id,
      coalesce(left(charged.metadata->>'model', 100), ''), 0, -request.amount)
    on conflict (wallet_id, day, app_id, model) do update set amount = u.amount + excluded.amount;
  perform credits.give_back_allowance(charged.id, made.id, request.amount);
  -- Back in a lot that has expired meanwhile, credits go where the rest of it went; the others repay what is owed, what
  -- was consumed last first: it is rather of the lot that was clawed back.
  if wallet.next_expiry_at <= at_time then wallet := credits.expire_lots(wallet, at_time); end if;
  if wallet.debt > 0 then wallet := credits.repay_debt(wallet, returned.lot_ids, at_time); end if;
  if scope = '' then
    perform audit.append('credits.refunded', case when request.user_id is null then 'system' else 'user' end,
      request.user_id::text, 'transaction', charged.id::text, request.description, request.ip_address,
      jsonb_build_object('transactionId', made.id, 'amount', request.amount), at_time);
  end if;
  return credits.conclude_movement(wallet, scope, request, made.id, null);
end $$;

-- Writes a clawback that has been decided; reads the lot as it is under the wallet's lock. Returns credits.too_many
-- when the wallet would owe more than can be counted exactly.
create or replace function credits.write_clawback(
  wallet credits.balances, clawed_lot uuid, request credits.movement_request, origin text, at_time timestamptz
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  made credits.transactions;
  taken bigint;
  unused bigint := 0;
  owed bigint;
begin
  select l.* into lot from credits.lots l where l.id = clawed_lot;
  taken := least(request.amount, lot.remaining - lot.held);
  if lot.expires_at <= at_time then
    unused := least(request.amount - taken,
      credits.expired_of(lot) - credits.undone(request.target_id, 'clawback', 'expired'));
  end if;
  owed := request.amount - taken - unused;
  if wallet.debt + owed > 9007199254740991 then
    return credits.conclude_movement(wallet, '', request, null, 'credits.too_many');
  end if;
  update credits.lots l
     set remaining = l.remaining - taken, closed_at = case when l.remaining = taken then at_time else l.closed_at end
   where l.id = lot.id and taken > 0;
  wallet.debt := wallet.debt + owed;
  made.id := credits.new_id(at_time);
  made.type := 'clawback';
  made.amount := -taken;
  made.description := request.description;
  made.idempotency_key := request.idempotency_key;
  made.reverses_id := request.target_id;
  made.created_at := at_time;
  wallet := credits.append_transaction(wallet, made,
    case when lot.kind = 'free' then -taken else 0 end, case when lot.kind = 'paid' then -taken else 0 end,
    case when taken = 0 then '[]' else jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), -taken, lot.id)) end
      || credits.side('expired', -unused) || credits.side('receivable:' || wallet.wallet_id, -owed)
      || credits.side(origin, request.amount));
  perform audit.append('credits.clawed_back', case when request.user_id is null then 'system' else 'user' end,
    request.user_id::text, 'transaction', request.target_id::text, request.description, request.ip_address,
    jsonb_build_object('transactionId', made.id, 'amount', request.amount, 'debt', owed), at_time);
  return credits.conclude_movement(wallet, '', request, made.id, null);
end $$;

-- Forgets refusals that were remembered before an instant, up to rows_max of them, the oldest first; returns how many.
-- The same key then is a new request. What went through is remembered as long as the journal.
create function credits.forget_refusals(before_time timestamptz, rows_max integer) returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  forgotten bigint;
begin
  delete from credits.idempotency_keys k
   using (select o.wallet_id, o.app_id, o.key from credits.idempotency_keys o
           where o.code is not null and o.created_at < before_time order by o.created_at limit rows_max
             for update skip locked) old
   where k.wallet_id = old.wallet_id and k.app_id = old.app_id and k.key = old.key;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;
grant execute on function credits.forget_refusals(timestamptz, integer) to obol_app;
