-- What moves credits besides a person's own plain spends: holds and everything that happens to them, and spends of
-- applications, under mandates. One call takes a batch and answers each on its own, in the order given; a refused
-- neighbour changes nothing for the others. Refusals come in a fixed order: caller, replay, wallet, hold, mandate,
-- funds.

-- What is asked for: `operation` is spend, hold, extend, capture or void. A person asks through a session (user_id,
-- session_id), an application with a secret (application_id, secret_id); client_id is the application that acts, null
-- for a person's own token. `hold_id` names the hold, or is the id of a new one. `lasts` is in seconds.
create type credits.transact_request as (
  operation text, wallet_id uuid, user_id uuid, session_id uuid, application_id uuid, secret_id uuid, client_id text,
  app_id text, hold_id uuid, amount bigint, description text, metadata jsonb, idempotency_key text, request_hash bytea,
  transaction_id uuid, lasts integer, is_final boolean, overrun text
);

-- The answer. `code` is null for a success; balances are those right after the decision, `sequence` and `hash` those of
-- the transaction. `details` is the hold, or what a refusal says.
create type credits.transact_outcome as (
  ordinal integer, code text, is_replay boolean, transaction_id uuid, amount bigint, balance_before bigint, free bigint,
  paid bigint, held bigint, total_spent bigint, created_at timestamptz, sequence bigint, hash bytea, details jsonb
);

-- What a request is about, under the locks.
create type credits.transact_scene as (
  request credits.transact_request, wallet credits.balances, hold credits.holds, mandate credits.mandates,
  is_mandated boolean, instant timestamptz, at_time timestamptz
);

-- Who asks, before anything else: null when they may, or the code to refuse with. An application learns nothing of a
-- person who never gave it a mandate: unknown people, people without a wallet and people who did not consent are alike.
create function credits.judge_caller(
  request credits.transact_request, wallet credits.balances, hold credits.holds, at_time timestamptz
) returns text
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  if request.session_id is not null then
    if not exists (select from auth.live_sessions s
                    where s.session_id = request.session_id and s.user_id = request.user_id
                      and s.expires_at > at_time) then
      return 'auth.session_ended';
    elsif wallet.owner_id is distinct from request.user_id
      and not credits.may_spend_for_team(wallet, hold, request.user_id) then
      return 'request.not_found';
    end if;
  elsif not exists (select from apps.live_secrets s
                     where s.secret_id = request.secret_id and s.application_id = request.application_id
                       and s.client_id = request.client_id and (s.expires_at is null or s.expires_at > at_time)) then
    return 'auth.application_invalid';
  end if;
  if request.client_id is null then return null; end if;
  if request.operation not in ('spend', 'hold') then
    return case when hold.app_id is distinct from request.client_id then 'request.not_found' end;
  elsif not exists (select from credits.mandates m
                     where m.wallet_id = wallet.wallet_id and m.app_id = request.client_id and m.member_id is null) then
    return 'mandate.required';
  end if;
  return null;
end $$;

-- The member as whom a person spends from a team's wallet: under a mandate, like an app. Null in one's own.
create function credits.member_of(request credits.transact_request, wallet credits.balances) returns uuid
  language sql immutable
as $$ select case when wallet.kind = 'team' and request.client_id is null then request.user_id end $$;

-- What is decided on taking credits: the parts of lots and the debt, or the refusal.
create type credits.taking as (refusal jsonb, parts credits.lot_part[], debt bigint);

-- Decides whether `amount` may be taken, `amount_in_all` for this spend or hold: the wallet's state, then the mandate,
-- then the funds. Writes nothing; a quote asks the same. `may_owe`: what is missing may become debt, as far as the
-- mandate says.
create function credits.decide_taking(
  wallet credits.balances, mandate credits.mandates, is_mandated boolean, amount bigint, amount_in_all bigint,
  may_owe boolean, instant timestamptz
) returns credits.taking
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  taking credits.taking;
  available bigint;
begin
  taking.debt := 0;
  if wallet.status <> 'active' then
    taking.refusal := jsonb_build_object('code', 'credits.wallet_inactive');
    return taking;
  end if;
  if is_mandated then
    taking.refusal := credits.judge_mandate(mandate, amount, amount_in_all, instant);
    if taking.refusal is not null then return taking; end if;
  end if;
  taking.parts := credits.choose_lots(wallet.wallet_id,
    case when is_mandated then mandate.kinds else array['free', 'paid'] end, amount);
  available := credits.sum_of(taking.parts);
  if available < amount then
    if may_owe and wallet.debt + amount - available <= mandate.overrun_max then
      taking.debt := amount - available;
    else
      taking.refusal := jsonb_build_object('code', 'credits.insufficient', 'required', amount, 'available', available);
    end if;
  end if;
  return taking;
end $$;

-- The transaction that a request is to make, as far as the request says.
create function credits.requested_transaction(request credits.transact_request, instant timestamptz)
  returns credits.transactions
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  made credits.transactions;
begin
  made.id := request.transaction_id;
  made.app_id := request.app_id;
  made.description := request.description;
  made.metadata := request.metadata;
  made.idempotency_key := request.idempotency_key;
  made.created_at := instant;
  return made;
end $$;

-- The five operations. Each decides and writes, and returns the refusal, or the transaction it made (null for none) and
-- the hold as it is then.
create type credits.transact_result as (refusal jsonb, transaction_id uuid, hold credits.holds);

create function credits.transact_spend(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  taking credits.taking := credits.decide_taking(scene.wallet, scene.mandate, scene.is_mandated, request.amount,
    request.amount, false, scene.instant);
  made credits.transactions := credits.requested_transaction(request, scene.instant);
  result credits.transact_result;
begin
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  made.type := 'usage';
  made.mandate_id := (scene.mandate).id;
  perform credits.save_wallet(credits.book_spend(scene.wallet, made, '{}', taking.parts, 0));
  if scene.is_mandated then
    perform credits.charge_mandate(made.mandate_id, made.id, credits.charging_instant(scene.mandate, scene.instant), 0,
      request.amount);
  end if;
  result.transaction_id := made.id;
  return result;
end $$;

create function credits.transact_hold(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  wallet credits.balances := scene.wallet;
  taking credits.taking := credits.decide_taking(wallet, scene.mandate, scene.is_mandated, request.amount,
    request.amount, false, scene.instant);
  hold credits.holds;
  result credits.transact_result;
begin
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  hold := row(request.hold_id, wallet.wallet_id, request.app_id, (scene.mandate).id, request.amount, 0, request.amount,
    'open', request.description, request.metadata, scene.instant + make_interval(secs => request.lasts), scene.instant,
    null)::credits.holds;
  insert into credits.holds select hold.*;
  wallet.next_expiry_at := least(wallet.next_expiry_at, hold.expires_at);
  wallet := credits.set_aside(wallet, hold, credits.requested_transaction(request, scene.instant), taking.parts,
    credits.charging_instant(scene.mandate, scene.instant));
  perform credits.save_wallet(wallet);
  result.transaction_id := request.transaction_id;
  result.hold := hold;
  return result;
end $$;

-- Lets a hold live `lasts` seconds from now on, if that is longer, and sets `amount` more aside, if any is given. The
-- mandate must be in force for either.
create function credits.transact_extend(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  wallet credits.balances := scene.wallet;
  hold credits.holds := scene.hold;
  more bigint := coalesce(request.amount, 0);
  taking credits.taking := credits.decide_taking(wallet, scene.mandate, scene.is_mandated, more, hold.amount + more,
    false, scene.instant);
  made credits.transactions := credits.requested_transaction(request, scene.instant);
  result credits.transact_result;
begin
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  hold.expires_at := greatest(hold.expires_at, scene.instant + make_interval(secs => request.lasts));
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
-- says. An application has no say.
create function credits.overrun_of(scene credits.transact_scene) returns text
  language sql stable
as $$
  select case when scene.is_mandated then coalesce((scene.mandate).overrun, 'refuse')
    else coalesce((scene.request).overrun, 'refuse') end
$$;

-- Captures from a hold, and ends it when `is_final`. What is above the hold is refused, or taken from the next lots,
-- and what these do not have becomes debt, by the policy; it counts against the mandate like any spend.
create function credits.transact_capture(scene credits.transact_scene) returns credits.transact_result
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
    taking := credits.decide_taking(wallet, scene.mandate, scene.is_mandated, above, hold.captured + request.amount,
      credits.overrun_of(scene) = 'debt', scene.instant);
    if taking.refusal->>'code' in ('credits.wallet_inactive', 'mandate.required') then
      result.refusal := taking.refusal;
    elsif credits.overrun_of(scene) = 'refuse' then
      result.refusal := jsonb_build_object('code', 'hold.exceeded', 'required', request.amount,
        'remaining', hold.remaining);
    elsif taking.refusal->>'code' = 'credits.insufficient' then
      result.refusal := taking.refusal || jsonb_build_object('required', request.amount,
        'available', (taking.refusal->>'available')::bigint + held_amount);
    else
      result.refusal := taking.refusal;
    end if;
    if result.refusal is not null then return result; end if;
  end if;

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

-- Tells the hold's mandate of a capture: what was held is now spent, at the instants at which it was set aside, and
-- what is above the hold is spent now.
create function credits.charge_capture(
  scene credits.transact_scene, capture_id uuid, from_hold credits.lot_part[], above bigint
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  charge record;
  of_mandate uuid := (scene.hold).mandate_id;
begin
  if of_mandate is null then return; end if;
  for charge in select p.charged_at, sum(p.amount)::bigint as amount from unnest(from_hold) p group by 1 loop
    perform credits.charge_mandate(of_mandate, capture_id, charge.charged_at, -charge.amount, charge.amount);
  end loop;
  if above > 0 then
    perform credits.charge_mandate(of_mandate, capture_id, credits.charging_instant(scene.mandate, scene.instant), 0,
      above);
  end if;
end $$;

-- Ends a hold on request. Returns the wallet as it is then, for the caller to save.
create function credits.finish_hold(
  wallet credits.balances, scene credits.transact_scene, new_status text, description text
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  hold credits.holds;
  made credits.transactions;
begin
  select h.* into hold from credits.holds h where h.id = (scene.hold).id;
  made.id := credits.new_id(scene.at_time);
  made.description := description;
  made.created_at := scene.instant;
  return credits.end_hold(wallet, hold, new_status, made, scene.at_time);
end $$;

create function credits.transact_void(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallet credits.balances := credits.finish_hold(scene.wallet, scene, 'voided', 'Voided hold');
  result credits.transact_result;
begin
  perform credits.save_wallet(wallet);
  select h into result.hold from credits.holds h where h.id = (scene.hold).id;
  return result;
end $$;

-- Decides and writes one request whose caller may ask and whose key is new. Frozen or closed wallets still get back
-- what was held.
create function credits.perform_transact(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  operation text := (scene.request).operation;
  result credits.transact_result;
begin
  if (scene.wallet).status <> 'active' and operation <> 'void' then
    result.refusal := jsonb_build_object('code', 'credits.wallet_inactive');
    return result;
  end if;
  if operation in ('extend', 'capture', 'void') and (scene.hold).status <> 'open' then
    result.refusal := jsonb_build_object('code', 'hold.closed', 'holdStatus', (scene.hold).status);
    return result;
  end if;
  case operation
    when 'spend' then return credits.transact_spend(scene);
    when 'hold' then return credits.transact_hold(scene);
    when 'extend' then return credits.transact_extend(scene);
    when 'capture' then return credits.transact_capture(scene);
    when 'void' then return credits.transact_void(scene);
  end case;
end $$;

-- Sees what a request is about. The wallet is locked and up to date; the mandate is locked here.
create function credits.see_scene(request credits.transact_request, at_time timestamptz)
  returns credits.transact_scene
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  scene credits.transact_scene;
  wallet credits.balances;
  hold credits.holds;
  mandate credits.mandates;
  member uuid;
begin
  select b.* into wallet from credits.balances b where b.wallet_id = request.wallet_id;
  scene.at_time := at_time;
  scene.instant := greatest(at_time, wallet.last_transaction_at);
  if request.operation in ('spend', 'hold') then
    scene.is_mandated := request.client_id is not null or wallet.kind = 'team';
    if scene.is_mandated then
      mandate := credits.lock_mandate(wallet.wallet_id, request.client_id,
        case when request.client_id is null then request.user_id end);
    end if;
  else
    select h.* into hold from credits.holds h where h.id = request.hold_id;
    request.app_id := hold.app_id;
    -- A hold under a mandate stays under it, whoever moves it.
    scene.is_mandated := request.client_id is not null or hold.mandate_id is not null;
    if hold.mandate_id is not null then
      select m.* into mandate from credits.mandates m where m.id = hold.mandate_id for no key update;
    end if;
  end if;
  scene.request := request;
  scene.wallet := wallet;
  scene.hold := hold;
  scene.mandate := mandate;
  return scene;
end $$;

-- The outcome of a request, as it is answered and remembered: `result`, with the wallet and the transaction as they are
-- now.
create function credits.outcome_of(scene credits.transact_scene, result credits.transact_result)
  returns credits.transact_outcome
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  outcome credits.transact_outcome;
begin
  select b.free, b.paid, b.held, b.total_spent into outcome.free, outcome.paid, outcome.held, outcome.total_spent
    from credits.balances b where b.wallet_id = (scene.wallet).wallet_id;
  outcome.code := result.refusal->>'code';
  outcome.is_replay := false;
  outcome.transaction_id := result.transaction_id;
  outcome.balance_before := (scene.wallet).free + (scene.wallet).paid;
  outcome.created_at := scene.instant;
  outcome.details := case when outcome.code is not null then result.refusal - 'code'
    when (result.hold).id is not null then credits.hold_view(result.hold) end;
  return outcome;
end $$;

-- Remembers an answer. A refusal that its mandate is the reason of is not remembered: the same request may go through
-- once the person has changed the mandate.
create function credits.remember_outcome(request credits.transact_request, outcome credits.transact_outcome)
  returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, code, transaction_id, balance_before,
      free, paid, held, total_spent, created_at, details)
    select request.wallet_id, request.app_id, request.idempotency_key, request.request_hash, outcome.code,
           outcome.transaction_id, outcome.balance_before, outcome.free, outcome.paid, outcome.held,
           outcome.total_spent, outcome.created_at, outcome.details
     where request.idempotency_key is not null and coalesce(outcome.code, '') not like 'mandate.%'
$$;

-- Answers one request of a batch whose wallets are locked.
create function credits.answer_transact(request credits.transact_request, at_time timestamptz)
  returns credits.transact_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  scene credits.transact_scene := credits.see_scene(request, at_time);
  refusal_code text := credits.judge_caller(request, scene.wallet, scene.hold, at_time);
  first_answer credits.idempotency_keys;
  result credits.transact_result;
  outcome credits.transact_outcome;
begin
  request := scene.request;
  outcome.is_replay := false;
  if refusal_code is not null then
    outcome.code := refusal_code;
    return outcome;
  end if;
  select k.* into first_answer from credits.idempotency_keys k
   where k.wallet_id = request.wallet_id and k.app_id = request.app_id and k.key = request.idempotency_key;
  if found and first_answer.request_hash <> request.request_hash then
    outcome.code := 'idempotency.mismatch';
    return outcome;
  elsif found then
    outcome := row(null, first_answer.code, true, first_answer.transaction_id, null, first_answer.balance_before,
      first_answer.free, first_answer.paid, first_answer.held, first_answer.total_spent, first_answer.created_at,
      null, null, first_answer.details)::credits.transact_outcome;
  else
    result := credits.perform_transact(scene);
    if result.refusal->>'code' = 'mandate.exceeded' then
      perform webhooks.note_exceeded_mandate(scene.mandate, result.refusal, scene.instant);
    end if;
    outcome := credits.outcome_of(scene, result);
    perform credits.remember_outcome(request, outcome);
  end if;
  select t.amount, t.sequence, t.hash into outcome.amount, outcome.sequence, outcome.hash
    from credits.transactions t where t.id = outcome.transaction_id;
  return outcome;
end $$;

-- Answers a batch: `requests` is an array of objects with the fields of transact_request. One outcome each.
create function credits.transact(requests jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns setof credits.transact_outcome
  language plpgsql volatile security definer
  set search_path = pg_catalog set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  batch credits.transact_request[];
  outcome credits.transact_outcome;
begin
  select array_agg(jsonb_populate_record(null::credits.transact_request, r.asked) order by r.place) into batch
    from jsonb_array_elements(requests) with ordinality as r (asked, place);
  -- A hold knows its wallet, which never changes.
  for i in 1 .. cardinality(batch) loop
    if batch[i].operation not in ('spend', 'hold') then
      batch[i].wallet_id := (select h.wallet_id from credits.holds h where h.id = batch[i].hold_id);
    end if;
  end loop;
  perform credits.lock_wallets(array(select distinct b.wallet_id from unnest(batch) b), at_time, daily_amount,
    daily_cap);
  for i in 1 .. cardinality(batch) loop
    outcome := credits.answer_transact(batch[i], at_time);
    outcome.ordinal := i;
    return next outcome;
  end loop;
end $$;

grant execute on function credits.transact(jsonb, timestamptz, bigint, bigint) to obol_app;
