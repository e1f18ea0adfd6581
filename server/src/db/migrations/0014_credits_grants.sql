-- Movements of credits that somebody asks for one at a time: grants, adjustments, refunds, clawbacks, codes, transfers.
-- All of them go the same way: who asks, lock the wallet, replay, the wallet's state, the movement's own rules.

-- What was done by whom stands in the audit trail, in the transaction of what was done.
create function audit.append(
  action text, actor_type text, actor_id text, target_type text, target_id text, reason text, ip_address text,
  details jsonb, at_time timestamptz
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into audit.events (id, action, actor_type, actor_id, target_type, target_id, reason, ip_address, details,
      created_at)
    values (credits.new_id(at_time), action, actor_type, actor_id, target_type, target_id, reason, ip_address, details,
      at_time)
$$;

-- What is asked for, and by whom: a signed-in person (user_id, session_id), an application with its own credentials
-- (application_id, secret_id), or, with neither, the service itself. target_id is what the movement is about.
create type credits.movement_request as (
  user_id uuid, session_id uuid, application_id uuid, secret_id uuid, ip_address text, wallet_id uuid, target_id uuid,
  amount bigint, kind text, source text, priority integer, expires_at timestamptz, description text, code_hash bytea,
  idempotency_key text, request_hash bytea
);

-- The answer: `code` is null for a success. `made` is the transaction as the API shows it, the balances are those right
-- after the decision. `details` become members of a refusal's problem document.
create type credits.movement_outcome as (
  code text, is_replay boolean, made jsonb, free bigint, paid bigint, held bigint, total_spent bigint, details jsonb
);

-- A transaction with its entries as the API shows it.
create function credits.transaction_view(wanted uuid) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_build_object('id', t.id, 'sequence', t.sequence, 'type', t.type, 'status', t.status, 'amount', t.amount,
           'balanceBefore', t.balance_before, 'balanceAfter', t.balance_after, 'appId', t.app_id,
           'description', t.description, 'metadata', t.metadata, 'idempotencyKey', t.idempotency_key,
           'createdAt', t.created_at, 'hash', encode(t.hash, 'hex'), 'reversesId', t.reverses_id, 'entries', (
             select jsonb_agg(jsonb_build_object('account', e.account, 'amount', e.amount, 'lotId', e.lot_id)
                      order by e.ordinal)
               from credits.entries e where e.transaction_id = t.id))
    from credits.transactions t where t.id = wanted
$$;

-- Refuses with auth.admin_required unless an administrator asks, as the role is now, or the service itself.
create function credits.assert_administration(request credits.movement_request, at_time timestamptz) returns void
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  if request.user_id is null and request.application_id is null then return; end if;
  if request.user_id is null
    or auth.assert_session(request.user_id, request.session_id, at_time) <> 'admin' then
    perform obol.refuse('auth.admin_required');
  end if;
end $$;

-- Locks one wallet and brings it up to at_time. Refuses with request.not_found.
create function credits.lock_wallet(
  wanted_wallet uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallets credits.balances[] := credits.lock_wallets(array[wanted_wallet], at_time, daily_amount, daily_cap);
begin
  if cardinality(wallets) = 0 then perform obol.refuse('request.not_found'); end if;
  return wallets[1];
end $$;

-- The first answer to the request's key, given again, or idempotency.mismatch; null when the key is new. Keys belong to
-- a wallet and a scope: the app; 'obol' for the person's own movements; '' for the administration. No app has an empty
-- id, so nobody can use up the administration's keys. The wallet is locked.
create function credits.replay_movement(locked_wallet uuid, scope text, request credits.movement_request)
  returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  first_answer credits.idempotency_keys;
begin
  select k.* into first_answer from credits.idempotency_keys k
   where k.wallet_id = locked_wallet and k.app_id = scope and k.key = request.idempotency_key;
  if not found then return null; end if;
  if first_answer.request_hash <> request.request_hash then
    return row('idempotency.mismatch', false, null, null, null, null, null, null)::credits.movement_outcome;
  end if;
  return row(first_answer.code, true, credits.transaction_view(first_answer.transaction_id), first_answer.free,
    first_answer.paid, first_answer.held, first_answer.total_spent, first_answer.details)::credits.movement_outcome;
end $$;

-- Ends a movement: saves the wallet, remembers the answer under the key, and returns it. `made_id` is the transaction
-- of a success; a refusal changes nothing but what is remembered.
create function credits.conclude_movement(
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
        wallet.total_spent, wallet.last_transaction_at, conclude_movement.details);
  end if;
  return row(refusal_code, false, view, wallet.free, wallet.paid, wallet.held, wallet.total_spent, details
    )::credits.movement_outcome;
end $$;

-- Whether the wallet could still count what comes in exactly: every sum of credits stays below 2^53.
create function credits.has_room(wallet credits.balances, amount bigint) returns boolean
  language sql immutable
as $$ select wallet.total_earned + amount <= 9007199254740991 $$;

-- An entry without a lot, as a list of one; of none when the amount is 0.
create function credits.side(account text, amount bigint) returns jsonb
  language sql immutable
as $$
  select case when amount = 0 then '[]'
    else pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_array(account, amount, null)) end
$$;

-- What was taken from lots: the changes of the wallet, the entries, and what was not there.
create type credits.taken_lots as (free_change bigint, paid_change bigint, sides jsonb, missing bigint);

-- Takes up to `amount` of what is available in a locked wallet, in the order of consumption. Changes the lots; the
-- transaction is the caller's.
create function credits.take_lots(wallet credits.balances, amount bigint, at_time timestamptz)
  returns credits.taken_lots
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  taken credits.taken_lots := row(0, 0, '[]', amount)::credits.taken_lots;
  lot record;
  part bigint;
begin
  for lot in select * from credits.spendable_lots(array[wallet]) loop
    part := least(taken.missing, lot.spendable);
    exit when part = 0;
    if lot.kind = 'free' then taken.free_change := taken.free_change - part;
    else taken.paid_change := taken.paid_change - part;
    end if;
    taken.missing := taken.missing - part;
    taken.sides := taken.sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), -part, lot.lot_id));
    update credits.lots l
       set remaining = l.remaining - part, closed_at = case when l.remaining = part then at_time end
     where l.id = lot.lot_id;
  end loop;
  return taken;
end $$;

-- Gives credits (wallet_id, amount, kind, source, priority, expires_at, description) on an administrator's word.
-- Refuses with auth.session_ended, auth.admin_required, request.not_found; returns idempotency.mismatch,
-- credits.wallet_inactive, credits.expires_in_past, credits.too_many.
create function credits.grant_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  wallet credits.balances;
  outcome credits.movement_outcome;
  lot credits.lots;
  made credits.transactions;
begin
  perform credits.assert_administration(request, at_time);
  wallet := credits.lock_wallet(request.wallet_id, at_time, daily_amount, daily_cap);
  outcome := credits.replay_movement(wallet.wallet_id, '', request);
  if outcome.is_replay is not null then return outcome; end if;
  if wallet.status = 'closed' then
    return credits.conclude_movement(wallet, '', request, null, 'credits.wallet_inactive');
  elsif request.expires_at <= at_time then
    return credits.conclude_movement(wallet, '', request, null, 'credits.expires_in_past');
  elsif not credits.has_room(wallet, request.amount) then
    return credits.conclude_movement(wallet, '', request, null, 'credits.too_many');
  end if;
  lot.source := request.source;
  lot.kind := request.kind;
  lot.amount := request.amount;
  lot.priority := request.priority;
  lot.expires_at := request.expires_at;
  lot.created_at := at_time;
  made.id := credits.new_id(at_time);
  made.description := request.description;
  made.idempotency_key := request.idempotency_key;
  made.type := case request.source when 'gift' then 'bonus' when 'adjustment' then 'adjustment' else 'purchase' end;
  wallet := credits.bring_in(wallet, lot, made,
    case request.source when 'gift' then 'issued:bonus' when 'adjustment' then 'adjustments' else 'sales:manual' end);
  perform audit.append('credits.granted', case when request.user_id is null then 'system' else 'user' end,
    request.user_id::text, 'wallet', wallet.wallet_id::text, request.description, request.ip_address,
    jsonb_build_object('transactionId', made.id, 'amount', request.amount), at_time);
  return credits.conclude_movement(wallet, '', request, made.id, null);
end $$;

-- Takes credits away (wallet_id, amount, description) on an administrator's word, in the order of consumption. What is
-- not there, or held, becomes debt. Refuses like grant_credits; returns idempotency.mismatch, credits.too_many.
create function credits.take_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  wallet credits.balances;
  outcome credits.movement_outcome;
  made credits.transactions;
  taken credits.taken_lots;
begin
  perform credits.assert_administration(request, at_time);
  wallet := credits.lock_wallet(request.wallet_id, at_time, daily_amount, daily_cap);
  outcome := credits.replay_movement(wallet.wallet_id, '', request);
  if outcome.is_replay is not null then return outcome; end if;
  if wallet.debt + request.amount > 9007199254740991 then
    return credits.conclude_movement(wallet, '', request, null, 'credits.too_many');
  end if;
  taken := credits.take_lots(wallet, request.amount, at_time);
  wallet.debt := wallet.debt + taken.missing;
  made.id := credits.new_id(at_time);
  made.type := 'adjustment';
  made.amount := taken.free_change + taken.paid_change;
  made.description := request.description;
  made.idempotency_key := request.idempotency_key;
  made.created_at := at_time;
  wallet := credits.append_transaction(wallet, made, taken.free_change, taken.paid_change,
    taken.sides || credits.side('receivable:' || wallet.wallet_id, -taken.missing)
      || credits.side('adjustments', request.amount));
  perform audit.append('credits.taken', case when request.user_id is null then 'system' else 'user' end,
    request.user_id::text, 'wallet', wallet.wallet_id::text, request.description, request.ip_address,
    jsonb_build_object('transactionId', made.id, 'amount', request.amount), at_time);
  return credits.conclude_movement(wallet, '', request, made.id, null);
end $$;

grant execute on function credits.grant_credits(jsonb, timestamptz, bigint, bigint),
  credits.take_credits(jsonb, timestamptz, bigint, bigint) to obol_app;
