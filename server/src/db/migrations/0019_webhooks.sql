-- Events for applications, noted by triggers in the transaction of their cause: an event exists exactly when its cause
-- is committed, whichever code caused it. An event that no endpoint wants is not written.

select obol.protect('webhooks.endpoints', null);
select obol.protect('webhooks.endpoint_secrets', null);
select obol.protect('webhooks.events', null);
select obol.protect('webhooks.deliveries', null);
select obol.protect('webhooks.attempts', null);

-- The time of what happens without a time of its own: the service's clock, where it opened the transaction.
create function webhooks.moment() returns timestamptz
  language sql stable set search_path = pg_catalog
as $$ select coalesce(nullif(current_setting('obol.at', true), '')::timestamptz, now()) $$;

-- The applications that may hear of a person or a wallet: those that the person is a member of, and those with a
-- mandate over the wallet, which for a personal wallet has the person's id.
create function webhooks.applications_of(about_user uuid, about_wallet uuid) returns setof uuid
  language sql stable set search_path = pg_catalog
as $$
  select m.application_id from apps.memberships m where m.user_id = about_user
  union
  select a.id
    from credits.mandates m join apps.applications a on a.client_id = m.app_id
   where m.wallet_id = about_wallet and m.status <> 'revoked'
$$;

-- The endpoints of some applications that want an event of this type. What happens with every spend must be asked for.
create function webhooks.receivers(event_type text, application_ids uuid[]) returns uuid[]
  language sql stable set search_path = pg_catalog
as $$
  select array_agg(e.id)
    from webhooks.endpoints e join apps.applications a on a.id = e.application_id
   where e.application_id = any (application_ids) and e.is_enabled and a.is_active
     and case when e.event_types is null then event_type <> 'credits.spent' else event_type = any (e.event_types) end
$$;

-- Writes an event with a delivery, and the job that makes it, for each receiver. An event that brings an id of its own
-- is written once.
create function webhooks.write_event(
  event_type text, at_time timestamptz, payload jsonb, receiver_ids uuid[], own_id uuid default null
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  event_id uuid := coalesce(own_id, credits.new_id(at_time));
  delivery_id uuid;
  receiver uuid;
begin
  if coalesce(cardinality(receiver_ids), 0) = 0 then return; end if;
  insert into webhooks.events (id, type, data, happened_at) values (event_id, event_type, payload, at_time)
    on conflict (id) do nothing;
  if not found then return; end if;
  foreach receiver in array receiver_ids loop
    delivery_id := credits.new_id(at_time);
    insert into webhooks.deliveries (id, endpoint_id, event_id, created_at, next_attempt_at)
      values (delivery_id, receiver, event_id, at_time, at_time);
    perform obol.enqueue_job('deliver-webhook', jsonb_build_object('deliveryId', delivery_id));
  end loop;
end $$;

-- An event about a person or a wallet, for every application that may hear of them.
create function webhooks.emit_event(
  event_type text, at_time timestamptz, payload jsonb, about_user uuid, about_wallet uuid
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  select webhooks.write_event(event_type, at_time, payload, webhooks.receivers(event_type,
    array(select webhooks.applications_of(about_user, about_wallet))))
$$;

-- An event of one application, for itself.
create function webhooks.emit_to_client(event_type text, at_time timestamptz, payload jsonb, client text) returns void
  language sql volatile set search_path = pg_catalog
as $$
  select webhooks.write_event(event_type, at_time, payload, webhooks.receivers(event_type,
    array(select a.id from apps.applications a where a.client_id = client)))
$$;

-- Credits -------------------------------------------------------------------------------------------------------------

-- A balance has fallen below one of the steps: tells those whose threshold it passed, each crossing once.
create function webhooks.note_low_balance() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  available_before bigint := old.free + old.paid - old.held;
  available_after bigint := new.free + new.paid - new.held;
  payload jsonb := jsonb_build_object('userId', new.owner_id, 'walletId', new.wallet_id,
    'available', available_after);
  application_ids uuid[] := array(select webhooks.applications_of(new.owner_id, new.wallet_id));
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

-- Fires when the available credits fall below one of the steps that `lowBalance` can be. Only functions that are built
-- in: PostgreSQL prepares the condition anew for every statement that updates a balance.
create trigger balances_note_low after update on credits.balances for each row
  when (width_bucket(new.free + new.paid - new.held, '{1,5,10,20,50,100,200,500,1000,2000,5000,10000,20000,50000,100000,
          200000,500000,1000000,2000000,5000000,10000000,20000000,50000000}'::bigint[])
      < width_bucket(old.free + old.paid - old.held, '{1,5,10,20,50,100,200,500,1000,2000,5000,10000,20000,50000,100000,
          200000,500000,1000000,2000000,5000000,10000000,20000000,50000000}'::bigint[]))
  execute function webhooks.note_low_balance();

create function webhooks.note_grant() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  owner uuid := (select b.owner_id from credits.balances b where b.wallet_id = new.wallet_id);
begin
  perform webhooks.emit_event('credits.granted', new.created_at, jsonb_build_object('userId', owner,
    'walletId', new.wallet_id, 'lotId', new.id, 'transactionId', new.transaction_id, 'amount', new.amount,
    'source', new.source, 'kind', new.kind, 'expiresAt', credits.iso_time(new.expires_at)), owner, new.wallet_id);
  return null;
end $$;

create trigger lots_note_grant after insert on credits.lots for each row execute function webhooks.note_grant();

-- What an application spent, for that application, if it asked for it. Once per statement: a batch of spends pays for
-- one look into an index that is usually empty.
create function webhooks.note_spends() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  made credits.transactions;
begin
  if not exists (select from webhooks.endpoints e where e.is_enabled and 'credits.spent' = any (e.event_types)) then
    return null;
  end if;
  for made in select n.* from new_transactions n where n.type in ('usage', 'capture') loop
    perform webhooks.emit_to_client('credits.spent', made.created_at, jsonb_build_object(
      'userId', (select b.owner_id from credits.balances b where b.wallet_id = made.wallet_id),
      'walletId', made.wallet_id, 'transactionId', made.id, 'type', made.type, 'amount', -made.amount,
      'description', made.description, 'metadata', made.metadata, 'holdId', made.hold_id,
      'mandateId', made.mandate_id, 'idempotencyKey', made.idempotency_key), made.app_id);
  end loop;
  return null;
end $$;

create trigger transactions_note_spends after insert on credits.transactions
  referencing new table as new_transactions for each statement execute function webhooks.note_spends();

create function webhooks.note_expired_hold() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform webhooks.emit_to_client('hold.expired', new.expires_at, jsonb_build_object('holdId', new.id,
    'userId', (select b.owner_id from credits.balances b where b.wallet_id = new.wallet_id),
    'walletId', new.wallet_id, 'amount', new.amount, 'captured', new.captured, 'returned', old.remaining,
    'description', new.description, 'expiresAt', credits.iso_time(new.expires_at)), new.app_id);
  return null;
end $$;

create trigger holds_note_expired after update on credits.holds for each row
  when (old.status = 'open' and new.status = 'expired') execute function webhooks.note_expired_hold();

-- A consent, its terms or its end, for the application that it is given to.
create function webhooks.note_mandate() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  event_type text := case when tg_op = 'INSERT' then 'mandate.created'
                          when new.status = 'revoked' then 'mandate.revoked' else 'mandate.changed' end;
begin
  perform webhooks.emit_to_client(event_type, new.updated_at, jsonb_build_object(
    'userId', (select b.owner_id from credits.balances b where b.wallet_id = new.wallet_id),
    'mandate', credits.mandate_view(new, new.updated_at)), new.app_id);
  return null;
end $$;

create trigger mandates_note_created after insert on credits.mandates for each row
  when (new.app_id is not null) execute function webhooks.note_mandate();
-- Charges change what is spent and the period, which are no terms.
create trigger mandates_note_changed after update on credits.mandates for each row
  when (new.app_id is not null and
        (old.allowance, old.period, old.kinds, old.spend_max, old.overrun, old.overrun_max, old.status, old.expires_at)
        is distinct from
        (new.allowance, new.period, new.kinds, new.spend_max, new.overrun, new.overrun_max, new.status, new.expires_at))
  execute function webhooks.note_mandate();

-- A mandate did not let its application spend: said once for each limit, period and wording of the terms, however often
-- it tries. Called where spends are answered, since a refusal changes no row.
create function webhooks.note_exceeded_mandate(mandate credits.mandates, refusal jsonb, at_time timestamptz)
  returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  started_at timestamptz := greatest(
    credits.period_start(mandate.period, at_time, mandate.period_started_at), mandate.period_started_at);
  -- The same for the same limit, period and terms; a hash as an id, not as a secret.
  own_id uuid := md5(concat_ws(' ', 'mandate.exceeded', mandate.id, refusal->>'limit', started_at at time zone 'UTC',
    mandate.updated_at at time zone 'UTC'))::uuid;
begin
  if mandate.app_id is null then return; end if;
  perform webhooks.write_event('mandate.exceeded', at_time, jsonb_build_object(
      'userId', (select b.owner_id from credits.balances b where b.wallet_id = mandate.wallet_id),
      'limit', refusal->'limit', 'required', refusal->'required', 'remaining', refusal->'remaining',
      'mandate', credits.mandate_view(mandate, at_time)),
    webhooks.receivers('mandate.exceeded', array(select a.id from apps.applications a
      where a.client_id = mandate.app_id)), own_id);
end $$;

-- People --------------------------------------------------------------------------------------------------------------

create function webhooks.note_user() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  changed text[];
begin
  if tg_op = 'DELETE' then
    perform webhooks.emit_event('user.deleted', webhooks.moment(), jsonb_build_object('userId', old.id),
      old.id, old.id);
    return old;
  end if;
  if tg_op = 'INSERT' then
    perform webhooks.emit_event('user.registered', new.created_at, jsonb_build_object('userId', new.id),
      new.id, new.id);
    return null;
  end if;
  if old.is_active <> new.is_active then
    perform webhooks.emit_event(case when new.is_active then 'user.reactivated' else 'user.deactivated' end,
      new.updated_at, jsonb_build_object('userId', new.id), new.id, new.id);
  end if;
  changed := array_remove(array[
    case when old.email <> new.email then 'email' end,
    case when old.email_verified_at is distinct from new.email_verified_at then 'emailVerified' end,
    case when old.name is distinct from new.name then 'name' end,
    case when old.username is distinct from new.username then 'username' end,
    case when old.picture is distinct from new.picture then 'picture' end], null);
  if cardinality(changed) > 0 then
    perform webhooks.emit_event('user.updated', new.updated_at,
      jsonb_build_object('userId', new.id, 'fields', changed), new.id, new.id);
  end if;
  return null;
end $$;

-- At the end of the transaction, when the membership that a registration came with is there too.
create constraint trigger users_note_registered after insert on auth.users
  deferrable initially deferred for each row execute function webhooks.note_user();
create trigger users_note_changed after update on auth.users for each row execute function webhooks.note_user();
-- Before their memberships and mandates are gone, too.
create trigger users_note_deleted before delete on auth.users for each row execute function webhooks.note_user();

create function webhooks.note_member() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
declare
  member apps.memberships := case when tg_op = 'DELETE' then old else new end;
  event_type text := case tg_op when 'INSERT' then 'member.added' when 'UPDATE' then 'member.role_changed'
                                else 'member.removed' end;
begin
  perform webhooks.write_event(event_type, webhooks.moment(),
    jsonb_build_object('userId', member.user_id, 'role', member.role),
    webhooks.receivers(event_type, array[member.application_id]));
  return null;
end $$;

create trigger memberships_note_added after insert or delete on apps.memberships
  for each row execute function webhooks.note_member();
create trigger memberships_note_changed after update on apps.memberships for each row
  when (old.role <> new.role) execute function webhooks.note_member();
