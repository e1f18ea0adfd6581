-- Who may still do what: consents that are over show nothing, who is gone neither pays nor charges, invitations are
-- worth what their senders may give, a role says what may be spent, and what is transferred keeps its age.

-- Consents ------------------------------------------------------------------------------------------------------------

-- What limits a spender right now, the smallest first: the wallet's and the mandate's state (0 when not in force), the
-- funds of the kinds that may be spent, what is left of the allowance, the maximum per spend. Of the wallet, a spender
-- whose mandate is not in force sees nothing.
create or replace function credits.limits_of(
  wallet credits.balances, mandate credits.mandates, is_mandated boolean, instant timestamptz
) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  with asked as (
    select is_mandated and (mandate.id is null or mandate.status <> 'active'
             or coalesce(mandate.expires_at <= instant, false)) as is_over
  )
  select jsonb_agg(jsonb_build_object('limit', l.name, 'amount', l.amount, 'until', credits.iso_time(l.until))
           order by l.amount, l.place)
    from (
      select 1 as place, 'wallet' as name, 0 as amount, null::timestamptz as until
        from asked where wallet.status <> 'active'
      union all
      select 2, 'mandate', 0, null from asked where is_over
      union all
      select 3, 'funds', (select coalesce(sum(l.remaining - l.held), 0)::bigint
                            from credits.lots l
                           where l.wallet_id = wallet.wallet_id and l.closed_at is null
                             and (not is_mandated or l.kind = any (mandate.kinds))), null
        from asked where not is_over
      union all
      select 4, 'allowance', greatest(mandate.allowance - credits.used_of(mandate, instant), 0),
             credits.next_period_start(mandate.period, instant)
        from asked where mandate.id is not null and not is_over
      union all
      select 5, 'maxPerSpend', mandate.spend_max, null from asked where mandate.spend_max is not null and not is_over) l
$$;

-- The applications that may hear of a person or a wallet at an instant: those that the person is a member of, and those
-- with a mandate over the wallet, which for a personal wallet has the person's id. A consent that has expired is none;
-- one that is paused ends spending, not hearing.
drop function webhooks.applications_of(uuid, uuid);
create function webhooks.applications_of(about_user uuid, about_wallet uuid, at_time timestamptz) returns setof uuid
  language sql stable set search_path = pg_catalog
as $$
  select m.application_id from apps.memberships m where m.user_id = about_user
  union
  select a.id
    from credits.mandates m join apps.applications a on a.client_id = m.app_id
   where m.wallet_id = about_wallet and m.status <> 'revoked' and (m.expires_at is null or m.expires_at > at_time)
$$;

-- An event about a person or a wallet, for every application that may hear of them.
create or replace function webhooks.emit_event(
  event_type text, at_time timestamptz, payload jsonb, about_user uuid, about_wallet uuid
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  select webhooks.write_event(event_type, at_time, payload, webhooks.receivers(event_type,
    array(select webhooks.applications_of(about_user, about_wallet, at_time))))
$$;

-- A balance has fallen below one of the steps: tells those whose threshold it passed, each crossing once.
create or replace function webhooks.note_low_balance() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  available_before bigint := old.free + old.paid - old.held;
  available_after bigint := new.free + new.paid - new.held;
  payload jsonb := jsonb_build_object('userId', new.owner_id, 'walletId', new.wallet_id,
    'available', available_after);
  application_ids uuid[] := array(select webhooks.applications_of(new.owner_id, new.wallet_id,
    new.last_transaction_at));
  receiver record;
begin
  if cardinality(application_ids) = 0 then return null; end if;
  for receiver in
    select e.low_balance, array_agg(e.id) as ids
      from webhooks.endpoints e
     where e.id = any (webhooks.receivers('credits.low', application_ids))
       and e.low_balance > available_after and e.low_balance <= available_before
     group by e.low_balance
  loop
    perform webhooks.write_event('credits.low', new.last_transaction_at,
      payload || jsonb_build_object('threshold', receiver.low_balance), receiver.ids);
  end loop;
  if available_before > 0 and available_after <= 0 then
    perform webhooks.write_event('credits.exhausted', new.last_transaction_at, payload,
      webhooks.receivers('credits.exhausted', application_ids));
  end if;
  return null;
end $$;

-- Who asks, before anything else: null when they may, or the code to refuse with. An application learns nothing of a
-- person who never gave it a mandate: unknown people, people without a wallet, people who are gone and people who did
-- not consent are alike. Nothing new is charged by an application that is gone, nor to a person who is; what is held of
-- such a person's credits can still be captured.
create or replace function credits.judge_caller(
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
    elsif request.client_id is not null and not exists (
      select from apps.applications a where a.client_id = request.client_id and a.is_active) then
      return 'auth.application_invalid';
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
                     where m.wallet_id = wallet.wallet_id and m.app_id = request.client_id and m.member_id is null)
    or not exists (select from auth.users u where u.id = wallet.owner_id and u.is_active) then
    return 'mandate.required';
  end if;
  return null;
end $$;

-- Teams ---------------------------------------------------------------------------------------------------------------

-- Locks a team, so that what is decided on who is in it stays true until the transaction ends.
create function credits.lock_team(of_team uuid) returns void
  language sql volatile security definer set search_path = pg_catalog
as $$ select from credits.teams t where t.wallet_id = of_team for update $$;
grant execute on function credits.lock_team(uuid) to obol_app;

-- Puts a person into a team, with a mandate to spend from its wallet: the one that they had before, if any, so that
-- what they have spent in its period still counts.
create or replace function credits.add_member(
  of_team uuid, new_member uuid, new_role text, spending_limit jsonb, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  terms jsonb := credits.member_terms(new_role, spending_limit);
  mandate credits.mandates := credits.lock_mandate(of_team, null, new_member);
begin
  insert into credits.team_members (wallet_id, user_id, role, created_at)
    values (of_team, new_member, new_role, at_time);
  if mandate.id is not null then
    mandate := credits.change_terms(mandate, terms || '{"status": "active"}', at_time);
    return;
  end if;
  mandate := jsonb_populate_record(mandate, terms);
  insert into credits.mandates (id, wallet_id, member_id, allowance, period, kinds, spend_max, overrun, overrun_max,
      spent, period_started_at, status, created_at, updated_at)
    values (credits.new_id(at_time), of_team, new_member, mandate.allowance, mandate.period, mandate.kinds,
      mandate.spend_max, 'refuse', 0, 0, credits.period_start(mandate.period, at_time, at_time), 'active', at_time,
      at_time);
end $$;

-- Takes up an invitation that was sent to the caller's own address, which they have confirmed, by somebody who may
-- still give that role. Returns the team. The team is locked before the invitation, like everywhere. Refuses with
-- auth.session_ended, users.email_unverified, request.not_found.
create or replace function credits.accept_invitation(
  caller_user uuid, caller_session uuid, invitation_id uuid, at_time timestamptz
) returns uuid
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  invited auth.users;
  invitation credits.team_invitations;
  sender_role text;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  select u.* into invited from auth.users u where u.id = caller_user;
  if invited.email_verified_at is null then perform obol.refuse('users.email_unverified'); end if;
  perform from credits.teams t
    where t.wallet_id = (select i.wallet_id from credits.team_invitations i
                          where i.id = invitation_id and i.email = invited.email) for update;
  delete from credits.team_invitations i
   where i.id = invitation_id and i.email = invited.email and i.expires_at > at_time
  returning * into invitation;
  if not found then perform obol.refuse('request.not_found'); end if;
  sender_role := credits.team_role(invitation.wallet_id, invitation.invited_by);
  if (sender_role = 'owner' or (sender_role = 'admin' and invitation.role = 'member')) is not true then
    perform obol.refuse('request.not_found');
  end if;
  if credits.team_role(invitation.wallet_id, caller_user) is null then
    perform credits.add_member(invitation.wallet_id, caller_user, invitation.role, invitation.spending_limit, at_time);
  end if;
  return invitation.wallet_id;
end $$;

-- Changes a member's role (owners only) and limit (owners; admins for members). `changes` names role, limit or both; a
-- limit of null is none. Who loses a role loses the invitations that only it let them send. Who has no limit of their
-- own spends what the new role lets them spend. Refuses with auth.session_ended, request.not_found,
-- teams.role_required, teams.last_owner.
create or replace function credits.change_member(
  caller_user uuid, caller_session uuid, of_team uuid, changed_user uuid, changes jsonb, at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  caller_role text := credits.enter_team(caller_user, caller_session, of_team, array['owner', 'admin'], at_time);
  old_role text := credits.team_role(of_team, changed_user);
  new_role text := coalesce(changes->>'role', old_role);
  mandate credits.mandates;
begin
  if old_role is null then perform obol.refuse('request.not_found'); end if;
  if caller_role = 'admin' and (old_role <> 'member' or changes ? 'role') then
    perform obol.refuse('teams.role_required');
  end if;
  if changes->>'role' <> 'owner' then perform credits.assert_other_owner(of_team, changed_user); end if;
  update credits.team_members m set role = new_role where m.wallet_id = of_team and m.user_id = changed_user;
  delete from credits.team_invitations i
   where i.wallet_id = of_team and i.invited_by = changed_user
     and (new_role = 'member' or (new_role = 'admin' and i.role <> 'member'));
  mandate := credits.lock_mandate(of_team, null, changed_user);
  if changes ? 'limit' then
    mandate := credits.change_terms(mandate, credits.member_terms('owner', changes->'limit'), at_time);
  elsif (new_role = 'member') <> (old_role = 'member')
    and mandate.allowance = (credits.member_terms(old_role, null)->>'allowance')::bigint then
    mandate := credits.change_terms(mandate, credits.member_terms(new_role, null), at_time);
  end if;
end $$;

-- Transfers -----------------------------------------------------------------------------------------------------------

-- Where credits come from that stay in the wallet that they were given to: what the service gives away to everybody,
-- and what a refund left of a debt, which such credits may have repaid.
create function credits.bound_sources(moves_bonus boolean) returns text[]
  language sql immutable
as $$
  select case when moves_bonus then '{}'::text[] else array['signup', 'daily', 'refund'] end
$$;

-- Takes up to `amount` of what is available in a locked wallet, in the order of consumption, but nothing of lots from
-- `but_sources`. Changes the lots; the transaction is the caller's.
drop function credits.take_lots(credits.balances, bigint, timestamptz);
create function credits.take_lots(
  wallet credits.balances, amount bigint, at_time timestamptz, but_sources text[] default '{}'
) returns credits.taken_lots
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  taken credits.taken_lots := row(0, 0, '[]', amount)::credits.taken_lots;
  lot record;
  part bigint;
begin
  for lot in select s.lot_id, s.kind, s.spendable
               from credits.spendable_lots(array[wallet]) with ordinality
                 as s (wallet_at, lot_id, kind, spendable, place)
               join credits.lots o on o.id = s.lot_id and o.source <> all (but_sources)
              order by s.place loop
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

-- Moves credits (amount, description) from the caller's own wallet into a team's (wallet_id), in the order of
-- consumption, as far as they may be moved; they keep source, kind, priority, expiry and age. One transaction in each
-- journal, each naming the other; what both book on `transfers` sums to zero. Both wallets are locked in the order of
-- their ids. Refuses with auth.session_ended, request.not_found; returns idempotency.mismatch, credits.wallet_inactive,
-- credits.in_debt, credits.insufficient, credits.too_many.
create or replace function credits.transfer_credits(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  wallets credits.balances[];
  source credits.balances;
  target credits.balances;
  outcome credits.movement_outcome;
  refusal text;
  available bigint;
begin
  perform auth.assert_session(request.user_id, request.session_id, at_time);
  if credits.team_role(request.wallet_id, request.user_id) is null then
    perform obol.refuse('request.not_found');
  end if;
  wallets := credits.lock_wallets(array[request.user_id, request.wallet_id], at_time, daily_amount, daily_cap);
  source := wallets[case when wallets[1].wallet_id = request.user_id then 1 else 2 end];
  target := wallets[case when wallets[1].wallet_id = request.user_id then 2 else 1 end];
  outcome := credits.replay_movement(source.wallet_id, 'obol', request);
  if outcome.is_replay is not null then return outcome; end if;
  select coalesce(sum(l.remaining - l.held), 0) into available
    from credits.lots l
   where l.wallet_id = source.wallet_id and l.closed_at is null
     and l.source <> all (credits.bound_sources(request.moves_bonus));
  refusal := case
    when source.status <> 'active' or target.status <> 'active' then 'credits.wallet_inactive'
    when source.debt > 0 then 'credits.in_debt'
    when available < request.amount then 'credits.insufficient'
    when not credits.has_room(target, request.amount) then 'credits.too_many'
  end;
  if refusal is not null then
    return credits.conclude_movement(source, 'obol', request, null, refusal,
      case when refusal = 'credits.insufficient'
        then jsonb_build_object('required', request.amount, 'available', available) end);
  end if;
  return credits.write_transfer(source, target, request, at_time);
end $$;

-- Writes a transfer that has been decided.
create or replace function credits.write_transfer(
  source credits.balances, target credits.balances, request credits.movement_request, at_time timestamptz
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  taken credits.taken_lots := credits.take_lots(source, request.amount, at_time,
    credits.bound_sources(request.moves_bonus));
  given credits.transactions;
  received credits.transactions;
  copied record;
begin
  given.id := credits.new_id(at_time);
  received.id := credits.new_id(at_time);
  given.type := 'transfer';
  given.amount := -request.amount;
  given.description := request.description;
  given.metadata := jsonb_build_object('toWalletId', target.wallet_id, 'transactionId', received.id);
  given.idempotency_key := request.idempotency_key;
  given.created_at := at_time;
  source := credits.append_transaction(source, given, taken.free_change, taken.paid_change,
    taken.sides || credits.side('transfers', request.amount));

  received.type := 'transfer';
  received.amount := request.amount;
  received.description := request.description;
  received.metadata := jsonb_build_object('fromWalletId', source.wallet_id, 'transactionId', given.id);
  received.created_at := at_time;
  select * into copied from credits.copy_lots(target.wallet_id, taken.sides, received.id, at_time);
  target.total_earned := target.total_earned + request.amount;
  target.next_expiry_at := least(target.next_expiry_at, copied.first_expiry_at);
  target := credits.append_transaction(target, received, -taken.free_change, -taken.paid_change,
    copied.sides || credits.side('transfers', -request.amount));
  if target.debt > 0 then target := credits.repay_debt(target, copied.lot_ids, at_time); end if;
  perform credits.save_wallet(target);
  return credits.conclude_movement(source, 'obol', request, given.id, null);
end $$;
