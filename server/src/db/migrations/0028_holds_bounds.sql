-- What one wallet may cost everybody: open holds are bounded, ending many at once takes one pass, credits that are
-- transferred bit by bit become one lot, and answers show a bounded number of lots. And keys of applications get a
-- scope of their own.

-- Open lots by wallet and expiry: the next one to expire is one look away.
DROP INDEX "credits"."lots_open_idx";
CREATE INDEX "lots_open_idx" ON "credits"."lots" USING btree ("wallet_id","expires_at")
  WHERE "credits"."lots"."closed_at" is null;

-- Time ---------------------------------------------------------------------------------------------------------------

-- Lets go of everything in the wallet that expires at or before at_time, except what holds have set aside: that is
-- given to its hold's end. One transaction per lot. The wallet is locked; the caller saves it. Nothing open is due
-- before wallet.next_expiry_at, so index entries of what this transaction has ended already are not read again.
create or replace function credits.expire_lots(wallet credits.balances, at_time timestamptz) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
begin
  for lot in select l.* from credits.lots l
              where l.wallet_id = wallet.wallet_id and l.closed_at is null
                and l.expires_at >= wallet.next_expiry_at and l.expires_at <= at_time and l.remaining > l.held
              order by l.expires_at, l.id loop
    wallet := credits.append_expiry(wallet, lot, lot.remaining - lot.held);
    update credits.lots l
       set remaining = lot.held, closed_at = case when lot.held = 0 then at_time end
     where l.id = lot.id;
  end loop;
  wallet.next_expiry_at := least(
    (select l.expires_at from credits.lots l
      where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.expires_at > at_time
      order by l.expires_at limit 1),
    (select h.expires_at from credits.holds h
      where h.wallet_id = wallet.wallet_id and h.status = 'open' and h.expires_at > at_time
      order by h.expires_at limit 1));
  return wallet;
end $$;

-- The transaction by which `amount` of a lot expires. Changes no lot.
create function credits.append_expiry(wallet credits.balances, lot credits.lots, amount bigint) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  made credits.transactions;
begin
  made.id := credits.new_id(lot.expires_at);
  made.type := 'expire';
  made.amount := -amount;
  made.description := 'Expired credits';
  made.created_at := lot.expires_at;
  return credits.append_transaction(wallet, made,
    case when lot.kind = 'free' then -amount else 0 end, case when lot.kind = 'paid' then -amount else 0 end,
    jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), -amount, lot.id),
      jsonb_build_array('expired', amount, null)));
end $$;

-- Brings a locked wallet up to at_time and saves it: expiries and daily grants in the order in which they fell due. Of
-- what expires at one instant, holds go first, so that what they give back to a lot expires with it. Between two
-- instants at which a lot expires or credits come in, all holds end in one pass.
create or replace function credits.refresh_wallet(
  wallet credits.balances, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  due_at timestamptz;
begin
  while least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time loop
    if wallet.next_expiry_at <= wallet.next_daily_at then
      due_at := least(at_time, wallet.next_daily_at, (
        select l.expires_at from credits.lots l
         where l.wallet_id = wallet.wallet_id and l.closed_at is null and l.expires_at >= wallet.next_expiry_at
         order by l.expires_at limit 1));
      wallet := credits.expire_lots(credits.expire_holds(wallet, due_at), due_at);
    else
      wallet := credits.grant_daily(wallet, at_time, daily_amount, daily_cap);
    end if;
  end loop;
  perform credits.save_wallet(wallet);
  return wallet;
end $$;

-- Holds --------------------------------------------------------------------------------------------------------------

-- What holds have set aside, hold by hold in the order given: its parts, and the place of each part's lot among all
-- lots that they touch, by id.
create function credits.parts_of_holds(ended credits.holds[])
  returns table (hold credits.holds, parts credits.lot_part[], lot_places integer[])
  language sql stable set search_path = pg_catalog
as $$
  select h, g.parts, g.lot_places
    from (select p.place, p.hold_id,
                 array_agg(row(p.lot_id, p.kind, p.amount, p.ordinal, p.charged_at)::credits.lot_part
                   order by p.ordinal) as parts,
                 array_agg(p.lot_place order by p.ordinal) as lot_places
            from (select e.ordinality as place, a.hold_id, a.lot_id, l.kind, a.amount, a.ordinal, a.charged_at,
                         (dense_rank() over (order by a.lot_id))::integer as lot_place
                    from unnest(ended) with ordinality as e
                    join credits.hold_lots a on a.hold_id = e.id and a.amount > 0
                    join credits.lots l on l.id = a.lot_id) p
           group by p.place, p.hold_id) g
    join credits.holds h on h.id = g.hold_id
   order by g.place
$$;

-- Ends open holds of one wallet in the order given, and gives what they still have set aside back to their lots and
-- mandates: one transaction each, and then every row that they touch is written once, however many there are. What of
-- such a lot has expired by then expires, too; what has not repays a debt: in a wallet that owes, holds are ended one
-- by one. `ended_at` and `at_time` say when, or else each ends at its own expiry. Returns the wallet as it is then,
-- for the caller to save.
create function credits.end_holds(
  wallet credits.balances, ended credits.holds[], new_status text, reason text, ended_at timestamptz,
  at_time timestamptz
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  given record;
  hold credits.holds;
  made credits.transactions;
  moment timestamptz;
  lots credits.lots[] := array(
    select l from credits.lots l
     where l.id in (select a.lot_id from credits.hold_lots a
                      join unnest(ended) h on h.id = a.hold_id where a.amount > 0)
     order by l.id);
  lot_left bigint[] := array(select l.remaining from unnest(lots) with ordinality l order by l.ordinality);
  lot_held bigint[] := array(select l.held from unnest(lots) with ordinality l order by l.ordinality);
  lot_ends timestamptz[] := array(select l.expires_at from unnest(lots) with ordinality l order by l.ordinality);
  lot_closed timestamptz[] := array_fill(null::timestamptz, array[cardinality(lots)]);
  place integer;
  hold_ids uuid[] := '{}';
  void_ids uuid[] := '{}';
  repaying uuid[];
begin
  for given in select * from credits.parts_of_holds(ended) loop
    hold := given.hold;
    moment := coalesce(at_time, hold.expires_at);
    made := null;
    made.id := credits.new_id(moment);
    made.type := 'void';
    made.amount := hold.remaining;
    made.description := reason;
    made.app_id := hold.app_id;
    made.hold_id := hold.id;
    made.mandate_id := hold.mandate_id;
    made.created_at := coalesce(ended_at, hold.expires_at);
    wallet.held := wallet.held - hold.remaining;
    wallet := credits.append_transaction(wallet, made, 0, 0, credits.held_sides(wallet.wallet_id, given.parts, 1));
    hold_ids := hold_ids || hold.id;
    void_ids := void_ids || made.id;
    for i in 1 .. cardinality(given.parts) loop
      place := given.lot_places[i];
      lot_held[place] := lot_held[place] - (given.parts[i]).amount;
    end loop;
    for place in select p.lot from unnest(given.lot_places) p (lot)
                  where lot_ends[p.lot] <= moment and lot_left[p.lot] > lot_held[p.lot]
                  group by p.lot order by lot_ends[p.lot], p.lot loop
      wallet := credits.append_expiry(wallet, lots[place], lot_left[place] - lot_held[place]);
      lot_left[place] := lot_held[place];
      if lot_left[place] = 0 then lot_closed[place] := moment; end if;
    end loop;
    if wallet.debt > 0 then repaying := array(select p.lot_id from unnest(given.parts) p); end if;
  end loop;
  if cardinality(hold_ids) > 0 then perform credits.uncharge_holds(wallet.wallet_id, hold_ids, void_ids); end if;
  update credits.hold_lots a set amount = 0 where a.hold_id = any (hold_ids) and a.amount > 0;
  update credits.holds h set status = new_status, remaining = 0, closed_at = coalesce(at_time, h.expires_at)
   where h.id in (select e.id from unnest(ended) e);
  update credits.lots l set remaining = s.remaining, held = s.held, closed_at = s.closed_at
    from unnest(array(select o.id from unnest(lots) with ordinality o order by o.ordinality), lot_left, lot_held,
           lot_closed) as s (id, remaining, held, closed_at)
   where l.id = s.id;
  if repaying is not null then wallet := credits.repay_debt(wallet, repaying, moment); end if;
  return wallet;
end $$;

-- Gives the mandates of holds back what these still had set aside, at the instants at which they were charged with it;
-- `void_ids` are the transactions that end them.
create function credits.uncharge_holds(of_wallet uuid, hold_ids uuid[], void_ids uuid[]) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  insert into credits.mandate_usage (transaction_id, charged_at, mandate_id, wallet_id, held, spent)
    select v.void_id, a.charged_at, h.mandate_id, of_wallet, -sum(a.amount), 0
      from unnest(hold_ids, void_ids) as v (hold_id, void_id)
      join credits.holds h on h.id = v.hold_id and h.mandate_id is not null
      join credits.hold_lots a on a.hold_id = h.id and a.amount > 0
     group by v.void_id, a.charged_at, h.mandate_id;
  update credits.mandates m set spent = m.spent - g.amount
    from (select o.id, sum(a.amount) as amount
            from credits.holds h
            join credits.mandates o on o.id = h.mandate_id
            join credits.hold_lots a on a.hold_id = h.id and a.amount > 0 and a.charged_at >= o.period_started_at
           where h.id = any (hold_ids)
           group by o.id) g
   where m.id = g.id;
end $$;

-- Ends the holds of a wallet that expire at or before at_time, each at its own time. The caller saves the wallet.
create or replace function credits.expire_holds(wallet credits.balances, at_time timestamptz) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  due credits.holds[];
begin
  loop
    due := array(
      select h from credits.holds h
       where h.wallet_id = wallet.wallet_id and h.status = 'open'
         and h.expires_at >= wallet.next_expiry_at and h.expires_at <= at_time
       order by h.expires_at, h.id
       limit case when wallet.debt > 0 then 1 end);
    exit when cardinality(due) = 0;
    wallet := credits.end_holds(wallet, due, 'expired', 'Expired hold', null, null);
  end loop;
  return wallet;
end $$;

-- Ends a hold on request. Returns the wallet as it is then, for the caller to save.
create or replace function credits.finish_hold(
  wallet credits.balances, scene credits.transact_scene, new_status text, description text
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  return credits.end_holds(wallet, array(select h from credits.holds h where h.id = (scene.hold).id), new_status,
    description, scene.instant, scene.at_time);
end $$;

drop function credits.end_hold(credits.balances, credits.holds, text, credits.transactions, timestamptz);

-- How many holds a wallet may have open at once comes with the request, as the limits of daily credits do.
alter type credits.transact_request add attribute holds_max integer;

-- Sets credits aside. Counts the open holds first, under the wallet's lock: at most as many as are allowed are read. A
-- hold lives for so long by the clock of the service, also in a wallet whose last transaction bears a later time.
create or replace function credits.transact_hold(scene credits.transact_scene) returns credits.transact_result
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  request credits.transact_request := scene.request;
  wallet credits.balances := scene.wallet;
  taking credits.taking;
  hold credits.holds;
  result credits.transact_result;
begin
  if (select count(*) from (select from credits.holds h
        where h.wallet_id = wallet.wallet_id and h.status = 'open' and h.expires_at >= wallet.next_expiry_at
        limit request.holds_max) open) >= request.holds_max then
    result.refusal := jsonb_build_object('code', 'hold.too_many', 'holdsMax', request.holds_max);
    return result;
  end if;
  taking := credits.decide_taking(wallet, scene.mandate, scene.is_mandated, request.amount, request.amount, false,
    scene.instant);
  if taking.refusal is not null then
    result.refusal := taking.refusal;
    return result;
  end if;
  hold := row(request.hold_id, wallet.wallet_id, request.app_id, (scene.mandate).id, request.amount, 0, request.amount,
    'open', request.description, request.metadata, scene.at_time + make_interval(secs => request.lasts), scene.at_time,
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

-- The wallet that a hold, or a transaction, belongs to, which never changes: for the service, so that it knows in whose
-- turn to ask. Says nothing of who may.
create function credits.wallet_of_hold(wanted uuid) returns uuid
  language sql stable security definer set search_path = pg_catalog
as $$ select h.wallet_id from credits.holds h where h.id = wanted $$;

create function credits.wallet_of_transaction(wanted uuid) returns uuid
  language sql stable security definer set search_path = pg_catalog
as $$ select t.wallet_id from credits.transactions t where t.id = wanted $$;

grant execute on function credits.wallet_of_hold(uuid), credits.wallet_of_transaction(uuid) to obol_app;

-- Lots ---------------------------------------------------------------------------------------------------------------

-- Copies what a transfer takes of lots into the target's wallet. A part keeps source, kind, priority, expiry and age;
-- where an open lot has come by a transfer with all of these the same, it grows instead of getting a neighbour, so
-- that many small transfers leave few lots. Returns the entries, and the lots in their order.
create or replace function credits.copy_lots(
  target uuid, taken_sides jsonb, by_transaction uuid, at_time timestamptz,
  out sides jsonb, out lot_ids uuid[], out first_expiry_at timestamptz
)
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  part record;
  given_lot uuid;
  new_ids uuid[] := array(select credits.new_id(at_time) from jsonb_array_elements(taken_sides) order by 1);
begin
  sides := '[]';
  lot_ids := '{}';
  for part in select l.*, -(side.parts->>1)::bigint as moved, side.ordinal
                from jsonb_array_elements(taken_sides) with ordinality as side (parts, ordinal)
                join credits.lots l on l.id = (side.parts->>2)::uuid
               order by side.ordinal loop
    update credits.lots l set amount = l.amount + part.moved, remaining = l.remaining + part.moved
     where l.id = (
       select o.id from credits.lots o
        where o.wallet_id = target and o.closed_at is null and o.expires_at is not distinct from part.expires_at
          and (o.source, o.kind, o.priority, o.created_at) = (part.source, part.kind, part.priority, part.created_at)
          and exists (select from credits.transactions t where t.id = o.transaction_id and t.type = 'transfer')
        order by o.id limit 1)
    returning l.id into given_lot;
    if not found then
      given_lot := new_ids[part.ordinal];
      insert into credits.lots (id, wallet_id, source, kind, amount, remaining, held, priority, expires_at,
          transaction_id, created_at)
        values (given_lot, target, part.source, part.kind, part.moved, part.moved, 0, part.priority, part.expires_at,
          by_transaction, part.created_at);
    end if;
    sides := sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', target, part.kind), part.moved, given_lot));
    lot_ids := lot_ids || given_lot;
    first_expiry_at := least(first_expiry_at, part.expires_at);
  end loop;
end $$;

-- Lots: what is left of each is the sum of its entries; what is held is what open holds say. A lot is as large as what
-- its transaction brought in, and what transfers have added since.
create or replace function credits.verify_lots(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with moved as (
    select t.wallet_id, e.lot_id, sum(e.amount) as remaining,
           sum(e.amount) filter (where e.transaction_id = l.transaction_id or t.type = 'transfer' and e.amount > 0)
             as amount,
           l.id is not null as exists, bool_and(l.wallet_id = t.wallet_id
             and e.account in ('wallet:' || l.wallet_id || ':' || l.kind, 'wallet:' || l.wallet_id || ':held'))
             as is_own
      from credits.transactions t
      join credits.entries e on e.transaction_id = t.id and e.lot_id is not null
      left join credits.lots l on l.id = e.lot_id
     where t.wallet_id = any (wallets)
     group by t.wallet_id, e.lot_id, l.id
  ), judged as (
    select coalesce(l.wallet_id, m.wallet_id) as wallet_id, coalesce(l.id, m.lot_id) as id, case
        when l.id is null and not m.exists then 'entries name it, but it does not exist'
        when l.id is null or not m.is_own then 'entries of other accounts name it'
        when l.amount is distinct from m.amount then 'amount is not what its transaction brought in'
        when l.remaining is distinct from m.remaining then 'remaining is not the sum of its entries'
        when l.held <> coalesce(s.held, 0) then 'held is not what open holds have set aside'
      end as problem
      from (select l.* from credits.lots l where l.wallet_id = any (wallets)) l
      full join moved m on m.lot_id = l.id and m.wallet_id = l.wallet_id
      left join lateral (
        select sum(h.amount) as held
          from credits.hold_lots h join credits.holds o on o.id = h.hold_id and o.status = 'open'
         where h.lot_id = l.id) s on true
  )
  select j.wallet_id, 0::bigint, 'lot ' || j.id, j.problem from judged j where j.problem is not null
   order by j.wallet_id, j.id
$$;

-- The wallet with its first hundred open lots in the order of consumption, as of one snapshot. Without settings of its
-- own, so that PostgreSQL inlines it and keeps the plan.
create or replace function credits.wallet_with_lots(wanted_wallet uuid, wanted_owner uuid)
  returns table (wallet credits.balances, lots jsonb)
  language sql stable
as $$
  select b, coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', l.id, 'source', l.source, 'kind', l.kind,
               'remaining', l.remaining, 'expiresAt', l.expires_at)
               order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
        from (select o.* from credits.lots o
               where o.wallet_id = b.wallet_id and o.closed_at is null
               order by o.kind, o.priority, o.expires_at, o.created_at, o.id limit 100) l), '[]')
    from credits.balances b
   where b.wallet_id = wanted_wallet and b.owner_id = wanted_owner
$$;

-- Who sees holds ------------------------------------------------------------------------------------------------------

-- The teams that the person in whose context the transaction runs owns or administers, see own_teams.
create function credits.managed_teams() returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select m.wallet_id from credits.team_members m
   where m.user_id = auth.uid() and m.role in ('owner', 'admin') and auth.role() in ('user', 'admin')
$$;

-- The mandates of that person as a member of teams.
create function credits.own_member_mandates() returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select m.id from credits.mandates m
   where m.member_id = auth.uid() and m.wallet_id in (select credits.own_teams())
$$;
grant execute on function credits.managed_teams(), credits.own_member_mandates() to obol_app;

-- What a member holds is theirs to see, and its owners' and admins'.
drop policy member_read on credits.holds;
create policy member_read on credits.holds for select
  using (wallet_id in (select credits.managed_teams()) or mandate_id in (select credits.own_member_mandates()));
drop policy member_read on credits.hold_lots;
create policy member_read on credits.hold_lots for select using (wallet_id in (select credits.managed_teams()));

-- Keys ---------------------------------------------------------------------------------------------------------------

-- Where the keys of an application belong: a scope that no app's name can be (a control character is in none), so that
-- a person who spends for an app by a token of their own uses up none of its keys.
create function credits.application_scope(client_id text) returns text
  language sql immutable
as $$ select pg_catalog.chr(31) || client_id $$;

-- What applications asked for with keys before now.
update credits.idempotency_keys k set app_id = credits.application_scope(k.app_id)
 where k.app_id in (select a.client_id from apps.applications a);

-- Where the key of a request belongs: the application that asks, or else the app that a person names.
create function credits.scope_of(request credits.transact_request) returns text
  language sql immutable
as $$ select coalesce(credits.application_scope(request.client_id), request.app_id) $$;

-- Remembers an answer. A refusal that its mandate is the reason of is not remembered: the same request may go through
-- once the person has changed the mandate.
create or replace function credits.remember_outcome(
  request credits.transact_request, outcome credits.transact_outcome
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, code, transaction_id, balance_before,
      free, paid, held, total_spent, created_at, details)
    select request.wallet_id, credits.scope_of(request), request.idempotency_key, request.request_hash, outcome.code,
           outcome.transaction_id, outcome.balance_before, outcome.free, outcome.paid, outcome.held,
           outcome.total_spent, outcome.created_at, outcome.details
     where request.idempotency_key is not null and coalesce(outcome.code, '') not like 'mandate.%'
$$;

-- Answers one request of a batch whose wallets are locked.
create or replace function credits.answer_transact(request credits.transact_request, at_time timestamptz)
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
   where k.wallet_id = request.wallet_id and k.app_id = credits.scope_of(request) and k.key = request.idempotency_key;
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

-- Gives a spend or capture back (target_id), whole or in part (amount), on the word of an administrator, or of the
-- application that charged it. Usage statistics follow; the number of spends stays. Refuses with auth.session_ended,
-- auth.application_invalid, auth.admin_required, request.not_found; returns idempotency.mismatch,
-- credits.wallet_inactive, credits.refund_exceeds.
create or replace function credits.refund_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  charged_by text := '';   -- the application that asks, or '' for the administration
  scope text;
  charged credits.transactions;
  revenue text;
  refundable bigint;
  given_back bigint;
  wallet credits.balances;
  outcome credits.movement_outcome;
begin
  if request.application_id is not null then
    charged_by := apps.assert_application(request.application_id, request.secret_id, at_time);
  else
    perform credits.assert_administration(request, at_time);
  end if;
  select t.* into charged from credits.transactions t
   where t.id = request.target_id and t.type in ('usage', 'capture') and charged_by in ('', t.app_id);
  if not found then perform obol.refuse('request.not_found'); end if;
  scope := case charged_by when '' then '' else credits.application_scope(charged_by) end;
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

-- What only the whole history of some wallets can show: totals, usage statistics, remembered answers.
create or replace function credits.verify_sums(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with judged as (
    select b.wallet_id, case
        when b.total_spent <> coalesce(s.spent, 0) then 'total_spent is not the sum of its spends and refunds'
        when b.debt <> coalesce(s.debt, 0) then 'debt is not what its entries leave receivable'
        when (coalesce(c.spent, 0), coalesce(c.spends, 0)) <> (coalesce(s.spent, 0), coalesce(s.spends, 0))
          then 'its usage statistics do not sum to its spends'
      end as problem
      from credits.balances b
      left join lateral (
        select sum(e.amount) filter (where e.account like 'revenue:%') as spent,
               -sum(e.amount) filter (where e.account = 'receivable:' || b.wallet_id) as debt,
               count(*) filter (where e.account like 'revenue:%' and t.type in ('usage', 'capture')) as spends
          from credits.transactions t join credits.entries e on e.transaction_id = t.id and e.lot_id is null
         where t.wallet_id = b.wallet_id) s on true
      left join lateral (
        select sum(u.amount) as spent, sum(u.count) as spends
          from credits.usage_stats u where u.wallet_id = b.wallet_id) c on true
     where b.wallet_id = any (wallets)
  )
  select j.wallet_id, 0::bigint, 'balance ' || j.wallet_id, j.problem from judged j where j.problem is not null
  union all
  select k.wallet_id, 0, 'idempotency key ' || k.key, 'the transaction that it answers with is another one or missing'
    from credits.idempotency_keys k
   where k.wallet_id = any (wallets) and k.transaction_id is not null
     and not exists (select from credits.transactions t where t.id = k.transaction_id and t.wallet_id = k.wallet_id
                        and (k.app_id = '' or coalesce(t.app_id, k.app_id) in (k.app_id, ltrim(k.app_id, chr(31))))
                        and t.idempotency_key = k.key)
$$;
