-- The audit trail proves itself. What happened is one table (audit.events), written in the transaction of what it tells
-- of; the chain over it is another (audit.seals), written a moment later by one process at a time, so that nobody who
-- writes an event waits for anybody else. See docs/decisions/audit-trail.md.

-- Of each event a salt of 122 random bits: the chain holds a digest over it, the address and the reason, so that these
-- can be forgotten when a person is erased, and what is left still proves to be unaltered.
alter table audit.events add column personal_salt bytea default uuid_send(gen_random_uuid());

drop index audit.events_target_idx;
create index events_target_idx on audit.events (target_id, created_at, id);
create index events_actor_idx on audit.events (actor_id, created_at, id);
create index events_action_idx on audit.events (action, created_at, id);
create index events_created_idx on audit.events (created_at, id);

create table audit.seals (
  sequence bigint primary key,
  event_id uuid not null,
  personal_hash bytea not null,
  previous_hash bytea not null,
  hash bytea not null,
  sealed_at timestamptz(3) not null
);
create unique index seals_event_id_key on audit.seals (event_id);
select obol.protect('audit.seals', null, 'select');

create table audit.unsealed (
  event_id uuid primary key
);
select obol.protect('audit.unsealed', null, 'select');
insert into audit.unsealed (event_id) select e.id from audit.events e;

create function audit.await_seal() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  insert into audit.unsealed (event_id) values (new.id);
  return null;
end $$;

create trigger events_await_seal after insert on audit.events
  for each row execute function audit.await_seal();

create function audit.forbid_change() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception 'the audit trail is append-only: % on %.% is not allowed', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

-- The only change to an event is to forget its address and its reason, and with them the salt.
create trigger events_append_only_rows before update on audit.events
  for each row when (
    (new.id, new.action, new.actor_type, new.actor_id, new.target_type, new.target_id, new.details, new.created_at)
      is distinct from
    (old.id, old.action, old.actor_type, old.actor_id, old.target_type, old.target_id, old.details, old.created_at)
    or new.ip_address is not null or new.reason is not null or new.personal_salt is not null)
  execute function audit.forbid_change();
create trigger events_append_only before delete or truncate on audit.events
  for each statement execute function audit.forbid_change();
create trigger seals_append_only before update or delete or truncate on audit.seals
  for each statement execute function audit.forbid_change();

-- What the chain holds of address and reason.
create function audit.personal_hash(event audit.events) returns bytea
  language sql immutable
as $$
  select pg_catalog.sha256(coalesce(event.personal_salt, '\x'::bytea)
    || pg_catalog.convert_to(pg_catalog.jsonb_build_array(event.ip_address, event.reason)::text, 'UTF8'))
$$;

-- The hash that seals an event and, through previous_hash, all that were sealed before it.
create function audit.seal_hash(seal audit.seals, event audit.events) returns bytea
  language sql immutable
as $$
  select pg_catalog.sha256(seal.previous_hash || pg_catalog.convert_to(pg_catalog.jsonb_build_array(
    seal.sequence, event.id, event.action, event.actor_type, event.actor_id, event.target_type, event.target_id,
    event.details, (extract(epoch from event.created_at) * 1000)::bigint,
    pg_catalog.encode(seal.personal_hash, 'hex'))::text, 'UTF8'))
$$;

-- Seals up to events_max events that wait for it, the oldest first, and returns how many. Who seals at the same time
-- waits: the chain has one end.
create function audit.seal_events(events_max integer, at_time timestamptz) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  seal audit.seals;
  event audit.events;
  head audit.seals;
  sealed integer := 0;
begin
  perform pg_advisory_xact_lock(x'0b010035'::int);
  select s.* into head from audit.seals s order by s.sequence desc limit 1;
  for event in
    select e.* from audit.unsealed u join audit.events e on e.id = u.event_id
     order by e.created_at, e.id limit events_max
  loop
    seal.sequence := coalesce(head.sequence, 0) + 1;
    seal.event_id := event.id;
    seal.personal_hash := audit.personal_hash(event);
    seal.previous_hash := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
    seal.sealed_at := at_time;
    seal.hash := audit.seal_hash(seal, event);
    insert into audit.seals select seal.*;
    delete from audit.unsealed u where u.event_id = event.id;
    head := seal;
    sealed := sealed + 1;
  end loop;
  return sealed;
end $$;

grant execute on function audit.seal_events(integer, timestamptz) to obol_app;

-- Recomputes up to seals_max links of the chain behind after_sequence: where that ended, how many they were, and what
-- is off, as [{sequence, eventId, problem}].
create function audit.verify_seals(after_sequence bigint, seals_max integer)
  returns table (last_sequence bigint, seals bigint, findings jsonb)
  language sql stable security definer set search_path = pg_catalog
as $$
  with links as (
    select s as seal, lag(s.sequence, 1, after_sequence) over ordered as sequence_before,
           coalesce(lag(s.hash) over ordered,
             (select b.hash from audit.seals b where b.sequence = after_sequence),
             decode(repeat('00', 32), 'hex')) as hash_before
      from (select * from audit.seals where sequence > after_sequence order by sequence limit seals_max) s
    window ordered as (order by s.sequence)
  ), judged as (
    select (l.seal).sequence, (l.seal).event_id, case
        when (l.seal).sequence <> l.sequence_before + 1 then 'the seal before it is missing'
        when (l.seal).previous_hash <> l.hash_before then 'it does not continue the chain'
        when e.id is null then 'its event is missing'
        when audit.seal_hash(row((l.seal).*)::audit.seals, row(e.*)::audit.events) <> (l.seal).hash
          then 'the event was altered'
        when (e.personal_salt is not null or e.ip_address is not null or e.reason is not null)
          and audit.personal_hash(row(e.*)::audit.events) <> (l.seal).personal_hash
          then 'the address or the reason was altered'
      end as problem
      from links l left join audit.events e on e.id = (l.seal).event_id
  )
  select max(j.sequence), count(*), coalesce(
      jsonb_agg(jsonb_build_object('sequence', j.sequence, 'eventId', j.event_id, 'problem', j.problem)
        order by j.sequence) filter (where j.problem is not null), '[]')
    from judged j
$$;

-- Events that are neither sealed nor wait for it: they came in past the trail. At most ten of them.
create function audit.find_strays() returns setof uuid
  language sql stable security definer set search_path = pg_catalog
as $$
  select e.id from audit.events e
   where not exists (select from audit.seals s where s.event_id = e.id)
     and not exists (select from audit.unsealed u where u.event_id = e.id)
   order by e.id limit 10
$$;

grant execute on function audit.verify_seals(bigint, integer), audit.find_strays() to obol_app;

-- Forgets, for good, what the trail holds about a person besides their id: addresses they acted from, and reasons of
-- what was done to them. The chain proves what is left. Returns how many events it touched.
create function audit.forget_person(person uuid) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  forgotten integer;
begin
  update audit.events e set ip_address = null, reason = null, personal_salt = null
   where (e.actor_id = person::text or e.target_id = person::text)
     and (e.ip_address is not null or e.reason is not null);
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

grant execute on function audit.forget_person(uuid) to obol_app;
