-- Team wallets. A team's wallet has no owner; its members may read it, and each spends from it under a mandate of their
-- own, the very mechanism by which apps are limited. Whoever changes who is in a team locks the team first, then the
-- mandate; whoever spends locks wallet and mandate only.

select obol.protect('credits.teams', null, 'select');
select obol.protect('credits.team_members', 'user_id', 'select');
select obol.protect('credits.team_invitations', null, 'select, insert, update, delete');

-- The teams of the person in whose context the transaction runs. Reads as the owner of the schema, so that the policies
-- below do not ask themselves.
create function credits.own_teams() returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select m.wallet_id from credits.team_members m
   where m.user_id = auth.uid() and auth.role() in ('user', 'admin')
$$;
grant execute on function credits.own_teams() to obol_app;

-- What a team has is its members' to read.
create policy member_read on credits.teams for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.team_members for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.balances for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.lots for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.transactions for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.entries for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.holds for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.hold_lots for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.mandates for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.mandate_usage for select using (wallet_id in (select credits.own_teams()));
create policy member_read on credits.usage_stats for select using (wallet_id in (select credits.own_teams()));

-- What a person is in a team, null when nothing.
create function credits.team_role(of_team uuid, of_user uuid) returns text
  language sql stable set search_path = pg_catalog
as $$ select m.role from credits.team_members m where m.wallet_id = of_team and m.user_id = of_user $$;

-- Refuses unless the person's session lives and they have one of these roles in the team; locks the team, so that
-- what is decided on who is in it stays true. Refuses with auth.session_ended, request.not_found (also for who is no
-- member), teams.role_required.
create function credits.enter_team(
  caller_user uuid, caller_session uuid, entered_team uuid, roles text[], at_time timestamptz
) returns text
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  caller_role text;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  perform from credits.teams t where t.wallet_id = entered_team for update;
  caller_role := credits.team_role(entered_team, caller_user);
  if caller_role is null then perform obol.refuse('request.not_found'); end if;
  if caller_role <> all (roles) then perform obol.refuse('teams.role_required'); end if;
  return caller_role;
end $$;

-- The terms under which a member spends, as columns of a mandate. Without a limit, owners and admins spend what there
-- is, and members nothing until they are given one.
create function credits.member_terms(role text, spending_limit jsonb) returns jsonb
  language sql immutable set search_path = pg_catalog
as $$
  select jsonb_build_object('allowance', 9007199254740991, 'period', 'total', 'kinds', array['free', 'paid'],
      'spend_max', null)
    || case when role = 'member' and spending_limit is null then '{"allowance": 0}' else '{}'::jsonb end
    || coalesce(nullif(spending_limit, 'null'), '{}')
$$;

-- Puts a person into a team, with a mandate to spend from its wallet.
create function credits.add_member(
  of_team uuid, new_member uuid, new_role text, spending_limit jsonb, at_time timestamptz
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  mandate credits.mandates :=
    jsonb_populate_record(null::credits.mandates, credits.member_terms(new_role, spending_limit));
begin
  insert into credits.team_members (wallet_id, user_id, role, created_at)
    values (of_team, new_member, new_role, at_time);
  insert into credits.mandates (id, wallet_id, member_id, allowance, period, kinds, spend_max, overrun, overrun_max,
      spent, period_started_at, status, created_at, updated_at)
    values (credits.new_id(at_time), of_team, new_member, mandate.allowance, mandate.period, mandate.kinds,
      mandate.spend_max, 'refuse', 0, 0, credits.period_start(mandate.period, at_time, at_time), 'active', at_time,
      at_time);
end $$;

-- Whether a person may spend from this wallet as a member of its team: what their mandate lets them have. A hold is
-- moved by whoever placed it, and by owners and admins.
create function credits.may_spend_for_team(wallet credits.balances, hold credits.holds, spender uuid) returns boolean
  language sql stable set search_path = pg_catalog
as $$
  select wallet.kind = 'team' and exists (
    select from credits.team_members m
     where m.wallet_id = wallet.wallet_id and m.user_id = spender
       and (hold.id is null or m.role in ('owner', 'admin') or exists (
         select from credits.mandates d where d.id = hold.mandate_id and d.member_id = spender)))
$$;

-- Opens a team's wallet, empty and without daily credits, with the caller as its owner. Refuses with
-- auth.session_ended.
create function credits.create_team(
  caller_user uuid, caller_session uuid, new_team uuid, team_name text, at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  insert into credits.balances (wallet_id, owner_id, kind, status, free, paid, held, debt, total_earned, total_spent,
      next_daily_at, sequence, chain_head, last_transaction_at, created_at)
    values (new_team, null, 'team', 'active', 0, 0, 0, 0, 0, 0, '9999-12-31Z', 0,
      decode(repeat('00', 32), 'hex'), at_time, at_time);
  insert into credits.teams (wallet_id, name, created_by, created_at)
    values (new_team, team_name, caller_user, at_time);
  perform credits.add_member(new_team, caller_user, 'owner', null, at_time);
end $$;
grant execute on function credits.create_team(uuid, uuid, uuid, text, timestamptz) to obol_app;

-- Takes up an invitation that was sent to the caller's own address, which they have confirmed. Returns the team.
-- Refuses with auth.session_ended, users.email_unverified, request.not_found.
create function credits.accept_invitation(
  caller_user uuid, caller_session uuid, invitation_id uuid, at_time timestamptz
) returns uuid
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  invited auth.users;
  invitation credits.team_invitations;
begin
  perform auth.assert_session(caller_user, caller_session, at_time);
  select u.* into invited from auth.users u where u.id = caller_user;
  if invited.email_verified_at is null then perform obol.refuse('users.email_unverified'); end if;
  delete from credits.team_invitations i
   where i.id = invitation_id and i.email = invited.email and i.expires_at > at_time
  returning * into invitation;
  if not found then perform obol.refuse('request.not_found'); end if;
  perform from credits.teams t where t.wallet_id = invitation.wallet_id for update;
  if credits.team_role(invitation.wallet_id, caller_user) is null then
    perform credits.add_member(invitation.wallet_id, caller_user, invitation.role, invitation.spending_limit, at_time);
  end if;
  return invitation.wallet_id;
end $$;
grant execute on function credits.accept_invitation(uuid, uuid, uuid, timestamptz) to obol_app;

-- Changes a member's role (owners only) and limit (owners; admins for members). `changes` names role, limit or both; a
-- limit of null is none. Refuses with auth.session_ended, request.not_found, teams.role_required, teams.last_owner.
create function credits.change_member(
  caller_user uuid, caller_session uuid, of_team uuid, changed_user uuid, changes jsonb, at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  caller_role text := credits.enter_team(caller_user, caller_session, of_team, array['owner', 'admin'], at_time);
  old_role text := credits.team_role(of_team, changed_user);
  mandate credits.mandates;
begin
  if old_role is null then perform obol.refuse('request.not_found'); end if;
  if caller_role = 'admin' and (old_role <> 'member' or changes ? 'role') then
    perform obol.refuse('teams.role_required');
  end if;
  if changes->>'role' <> 'owner' then perform credits.assert_other_owner(of_team, changed_user); end if;
  update credits.team_members m set role = coalesce(changes->>'role', m.role)
   where m.wallet_id = of_team and m.user_id = changed_user;
  if not changes ? 'limit' then return; end if;
  mandate := credits.lock_mandate(of_team, null, changed_user);
  mandate := credits.change_terms(mandate, credits.member_terms('owner', changes->'limit'), at_time);
end $$;
grant execute on function credits.change_member(uuid, uuid, uuid, uuid, jsonb, timestamptz) to obol_app;

-- Refuses with teams.last_owner when nobody but this person owns the team. The team is locked.
create function credits.assert_other_owner(of_team uuid, but_user uuid) returns void
  language plpgsql stable set search_path = pg_catalog
as $$
begin
  if credits.team_role(of_team, but_user) = 'owner' and not exists (
    select from credits.team_members m
     where m.wallet_id = of_team and m.role = 'owner' and m.user_id <> but_user) then
    perform obol.refuse('teams.last_owner');
  end if;
end $$;

-- Lets a person leave (themselves), or removes them: owners anybody, admins members. What they may spend ends at once,
-- and so do the invitations that they have sent.
-- Refuses with auth.session_ended, request.not_found, teams.role_required, teams.last_owner.
create function credits.remove_member(
  caller_user uuid, caller_session uuid, of_team uuid, removed_user uuid, at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  caller_role text :=
    credits.enter_team(caller_user, caller_session, of_team, array['owner', 'admin', 'member'], at_time);
  old_role text := credits.team_role(of_team, removed_user);
begin
  if old_role is null then perform obol.refuse('request.not_found'); end if;
  if caller_user <> removed_user and caller_role <> 'owner' and (caller_role, old_role) <> ('admin', 'member') then
    perform obol.refuse('teams.role_required');
  end if;
  perform credits.assert_other_owner(of_team, removed_user);
  delete from credits.team_members m where m.wallet_id = of_team and m.user_id = removed_user;
  update credits.mandates m set status = 'revoked', updated_at = at_time
   where m.wallet_id = of_team and m.member_id = removed_user and m.status <> 'revoked';
  delete from credits.team_invitations i where i.wallet_id = of_team and i.invited_by = removed_user;
end $$;
grant execute on function credits.remove_member(uuid, uuid, uuid, uuid, timestamptz) to obol_app;

-- Puts parts of lots into another wallet as lots of the same source, kind, priority and expiry, brought in by the
-- transaction `by_transaction`. Returns the entries; the wallet and the transaction are the caller's.
create function credits.copy_lots(
  target uuid, taken_sides jsonb, by_transaction uuid, at_time timestamptz,
  out sides jsonb, out lot_ids uuid[], out first_expiry_at timestamptz
)
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  part record;
  new_lot uuid;
begin
  sides := '[]';
  lot_ids := '{}';
  for part in select l.*, -(side.parts->>1)::bigint as moved
                from jsonb_array_elements(taken_sides) with ordinality as side (parts, ordinal)
                join credits.lots l on l.id = (side.parts->>2)::uuid
               order by side.ordinal loop
    new_lot := credits.new_id(at_time);
    insert into credits.lots (id, wallet_id, source, kind, amount, remaining, held, priority, expires_at,
        transaction_id, created_at)
      values (new_lot, target, part.source, part.kind, part.moved, part.moved, 0, part.priority, part.expires_at,
        by_transaction, at_time);
    sides := sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', target, part.kind), part.moved, new_lot));
    lot_ids := lot_ids || new_lot;
    first_expiry_at := least(first_expiry_at, part.expires_at);
  end loop;
end $$;

-- Moves credits (amount, description) from the caller's own wallet into a team's (wallet_id), in the order of
-- consumption; they keep source, kind, priority and expiry. One transaction in each journal, each naming the other;
-- what both book on `transfers` sums to zero. Both wallets are locked in the order of their ids. Refuses with
-- auth.session_ended, request.not_found; returns idempotency.mismatch, credits.wallet_inactive, credits.in_debt,
-- credits.insufficient, credits.too_many.
create function credits.transfer_credits(
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
  available := source.free + source.paid - source.held;
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
grant execute on function credits.transfer_credits(jsonb, timestamptz, bigint, bigint) to obol_app;

-- Writes a transfer that has been decided.
create function credits.write_transfer(
  source credits.balances, target credits.balances, request credits.movement_request, at_time timestamptz
) returns credits.movement_outcome
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  taken credits.taken_lots := credits.take_lots(source, request.amount, at_time);
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

-- The accounts, as a pattern, that a refund or clawback gives back to.
create function credits.origin_of(reversal_type text) returns text
  language sql immutable
as $$ select case reversal_type when 'refund' then '^revenue:' else '^(sales:|issued:|adjustments$)' end $$;

-- What ties transactions to each other, to codes and to teams: no more is given back than was charged and no more taken
-- back than came in, both sides of a transfer agree, codes count their redemptions, and members have one mandate each.
create function credits.verify_movements(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with reversals as (
    select t.wallet_id, t.id, t.sequence, t.type, t.app_id, t.reverses_id,
           sum(abs(e.amount)) filter (where e.account ~ credits.origin_of(t.type)) as amount
      from credits.transactions t join credits.entries e on e.transaction_id = t.id
     where t.wallet_id = any (wallets) and t.type in ('refund', 'clawback')
     group by t.wallet_id, t.id
  ), reversed as (
    select r.*, sum(r.amount) over (partition by r.reverses_id, r.type order by r.sequence) as amount_in_all,
           o.wallet_id = r.wallet_id and case r.type
             when 'refund' then o.type in ('usage', 'capture') and o.app_id = r.app_id
             else o.type in ('purchase', 'bonus', 'adjustment') end as is_apt,
           (select sum(abs(e.amount)) from credits.entries e
             where e.transaction_id = o.id and e.account ~ credits.origin_of(r.type)) as amount_max
      from reversals r left join credits.transactions o on o.id = r.reverses_id
  ), transfers as (
    select t.wallet_id, t.sequence, t.id, t.amount,
           case when t.metadata->>'transactionId' ~ '^[0-9a-f-]{36}$'
             then (t.metadata->>'transactionId')::uuid end as other_id
      from credits.transactions t where t.wallet_id = any (wallets) and t.type = 'transfer'
  )
  select r.wallet_id, r.sequence, 'transaction ' || r.id, case
      when r.is_apt is not true then 'it reverses a transaction that it cannot reverse'
      else 'it reverses more than there was' end
    from reversed r where r.is_apt is not true or r.amount_in_all > r.amount_max
  union all
  select t.wallet_id, t.sequence, 'transaction ' || t.id, 'the other side of the transfer is missing or another one'
    from transfers t
   where not exists (select from credits.transactions o
                      where o.id = t.other_id and o.type = 'transfer' and o.amount = -t.amount
                        and o.metadata->>'transactionId' = t.id::text)
  union all
  select r.wallet_id, 0, 'redemption ' || r.code_id || '/' || r.ordinal, case
      when t.id is null then 'its transaction is missing or another one'
      else 'its code counts redemptions wrongly' end
    from credits.redemptions r
    join credits.codes c on c.id = r.code_id
    left join credits.transactions t on t.id = r.transaction_id and t.wallet_id = r.wallet_id and t.type = 'bonus'
   where r.wallet_id = any (wallets)
     and (t.id is null or c.redeemed <> (select count(*) from credits.redemptions o where o.code_id = c.id))
  union all
  select coalesce(w.wallet_id, m.wallet_id), 0, 'member ' || coalesce(w.user_id, m.member_id),
         'membership and mandate do not belong together'
    from (select * from credits.team_members w where w.wallet_id = any (wallets)) w
    full join (select * from credits.mandates m where m.wallet_id = any (wallets) and m.member_id is not null
                  and m.status <> 'revoked') m
      on m.wallet_id = w.wallet_id and m.member_id = w.user_id
   where w.user_id is null or m.id is null
$$;
