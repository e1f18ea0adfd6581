-- Giving back and taking back. A refund returns what was spent to the very lots that it came from; a clawback takes
-- back what a transaction brought in, and what is no longer there becomes debt, which whatever comes in next repays
-- first.

-- What a transaction has been charged with on an account, and what has been given back of it since.
create function credits.undone(of_transaction uuid, by_type text, on_account text) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(sum(-e.amount), 0)::bigint
    from credits.transactions t join credits.entries e on e.transaction_id = t.id
   where t.reverses_id = of_transaction and t.type = by_type and e.account = on_account
$$;

-- Gives `amount` of a spend back to the wallet, what was consumed last first, so that what stays consumed is what a
-- smaller spend would have consumed. `given_back` of it has been given back before. What was charged as debt lowers the
-- debt or, where that has been repaid, comes back as a new free lot. Changes the lots; the transaction is the caller's.
create type credits.returned_lots as (
  free_change bigint, paid_change bigint, sides jsonb, debt_change bigint, new_lot bigint, lot_ids uuid[],
  first_expiry_at timestamptz
);

create function credits.return_to_lots(
  wallet credits.balances, charged_id uuid, given_back bigint, amount bigint
) returns credits.returned_lots
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  result credits.returned_lots := row(0, 0, '[]', 0, 0, '{}', null)::credits.returned_lots;
  side record;
  part bigint;
  skipped bigint;
  owed bigint;
begin
  for side in select e.lot_id, -e.amount as amount, l.kind, l.expires_at
                from credits.entries e left join credits.lots l on l.id = e.lot_id
               where e.transaction_id = charged_id and e.amount < 0
               order by e.ordinal desc loop
    exit when amount = 0;
    skipped := least(side.amount, given_back);
    given_back := given_back - skipped;
    part := least(side.amount - skipped, amount);
    continue when part = 0;
    amount := amount - part;
    if side.lot_id is null then
      owed := least(part, wallet.debt + result.debt_change);
      result.debt_change := result.debt_change - owed;
      result.new_lot := result.new_lot + part - owed;
      continue;
    end if;
    update credits.lots l set remaining = l.remaining + part, closed_at = null where l.id = side.lot_id;
    if side.kind = 'free' then result.free_change := result.free_change + part;
    else result.paid_change := result.paid_change + part;
    end if;
    result.sides := result.sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, side.kind), part, side.lot_id));
    result.lot_ids := result.lot_ids || side.lot_id;
    result.first_expiry_at := least(result.first_expiry_at, side.expires_at);
  end loop;
  if amount > 0 then
    raise exception 'the entries of transaction % do not cover what it charged', charged_id;
  end if;
  return result;
end $$;

-- Gives a spend or capture back (target_id), whole or in part (amount), on the word of an administrator, or of the
-- application that charged it. Usage statistics follow; the number of spends stays. Refuses with auth.session_ended,
-- auth.application_invalid, auth.admin_required, request.not_found; returns idempotency.mismatch,
-- credits.wallet_inactive, credits.refund_exceeds.
create function credits.refund_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  scope text := '';
  charged credits.transactions;
  revenue text;
  refundable bigint;
  given_back bigint;
  wallet credits.balances;
  outcome credits.movement_outcome;
begin
  if request.application_id is not null then
    scope := apps.assert_application(request.application_id, request.secret_id, at_time);
  else
    perform credits.assert_administration(request, at_time);
  end if;
  select t.* into charged from credits.transactions t
   where t.id = request.target_id and t.type in ('usage', 'capture') and scope in ('', t.app_id);
  if not found then perform obol.refuse('request.not_found'); end if;
  wallet := credits.lock_wallet(charged.wallet_id, at_time, daily_amount, daily_cap);
  outcome := credits.replay_movement(wallet.wallet_id, scope, request);
  if outcome.is_replay is not null then return outcome; end if;

  revenue := 'revenue:' || charged.app_id;
  given_back := credits.undone(charged.id, 'refund', revenue);
  select sum(e.amount) - given_back into refundable
    from credits.entries e where e.transaction_id = charged.id and e.account = revenue;
  request.amount := coalesce(request.amount, refundable);
  if wallet.status = 'closed' then
    return credits.conclude_movement(wallet, scope, request, null, 'credits.wallet_inactive');
  elsif request.amount = 0 or request.amount > refundable then
    return credits.conclude_movement(wallet, scope, request, null, 'credits.refund_exceeds',
      jsonb_build_object('refundable', refundable));
  end if;
  return credits.write_refund(wallet, charged, request, scope, given_back, at_time);
end $$;

-- Writes a refund that has been decided.
create function credits.write_refund(
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

-- The lot for what a refund owes after the debt that it had been charged as was repaid: free, and without an end.
create function credits.insert_refund_lot(
  of_wallet uuid, amount bigint, by_transaction uuid, at_time timestamptz
) returns credits.lots
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
begin
  insert into credits.lots (id, wallet_id, source, kind, amount, remaining, held, priority, transaction_id, created_at)
    values (credits.new_id(at_time), of_wallet, 'refund', 'free', amount, amount, 0, 100, by_transaction, at_time)
    returning * into lot;
  return lot;
end $$;

-- How much of a lot has expired; what was clawed back of that is not undone here. Looks only behind its expiry.
create function credits.expired_of(lot credits.lots) returns bigint
  language sql stable set search_path = pg_catalog
as $$
  select coalesce(sum(-e.amount), 0)::bigint
    from credits.transactions t join credits.entries e on e.transaction_id = t.id
   where t.wallet_id = lot.wallet_id and t.type = 'expire' and e.lot_id = lot.id
     and t.sequence > credits.sequence_before(lot.wallet_id, lot.expires_at)
$$;

-- Takes back what a transaction (target_id) brought in, whole or in part (amount): a payment that was charged back, a
-- grant made in error. What the lot still has, not held, is taken; what expired of it was never used and is not owed;
-- the rest has been spent and becomes debt. No other lot is touched. For administrators and, without a user, for the
-- service. Refuses with auth.session_ended, auth.admin_required, request.not_found; returns idempotency.mismatch,
-- credits.clawback_exceeds.
create function credits.claw_back_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  lot credits.lots;
  origin text;
  left_over bigint;
  wallet credits.balances;
  outcome credits.movement_outcome;
begin
  perform credits.assert_administration(request, at_time);
  select l.* into lot
    from credits.transactions t
    join credits.entries e on e.transaction_id = t.id and e.amount > 0
    join credits.lots l on l.id = e.lot_id and l.transaction_id = t.id
   where t.id = request.target_id and t.type in ('purchase', 'bonus', 'adjustment');
  if not found then perform obol.refuse('request.not_found'); end if;
  select e.account into origin from credits.entries e
   where e.transaction_id = request.target_id and e.amount < 0;
  wallet := credits.lock_wallet(lot.wallet_id, at_time, daily_amount, daily_cap);
  outcome := credits.replay_movement(wallet.wallet_id, '', request);
  if outcome.is_replay is not null then return outcome; end if;

  left_over := lot.amount + credits.undone(request.target_id, 'clawback', origin);
  request.amount := coalesce(request.amount, left_over);
  if request.amount = 0 or request.amount > left_over then
    return credits.conclude_movement(wallet, '', request, null, 'credits.clawback_exceeds',
      jsonb_build_object('recoverable', left_over));
  end if;
  return credits.write_clawback(wallet, lot.id, request, origin, at_time);
end $$;

-- Writes a clawback that has been decided; reads the lot as it is under the wallet's lock.
create function credits.write_clawback(
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

grant execute on function credits.refund_credits(jsonb, timestamptz, bigint, bigint),
  credits.claw_back_credits(jsonb, timestamptz, bigint, bigint) to obol_app;
