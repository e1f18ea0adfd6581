-- Webhooks by turns of their endpoints, so that one that hangs holds up no other, and what waits costs nothing.

ALTER TABLE "webhooks"."endpoints" ADD COLUMN "slow_attempts" integer DEFAULT 0 NOT NULL;
ALTER TABLE "webhooks"."endpoints" ADD COLUMN "wakes_at" timestamp (3) with time zone;
CREATE INDEX "deliveries_pending_idx" ON "webhooks"."deliveries" USING btree ("endpoint_id","next_attempt_at")
  WHERE "webhooks"."deliveries"."status" = 'pending';
CREATE INDEX "deliveries_untried_idx" ON "webhooks"."deliveries" USING btree ("endpoint_id","completed_at")
  WHERE "webhooks"."deliveries"."status" = 'failed' and "webhooks"."deliveries"."attempt_count" = 0;

-- The endpoints of some applications that want an event of this type. What happens with every spend must be asked for.
-- At most a hundred, those that have been there longest: a person in many applications is not a loudspeaker.
create or replace function webhooks.receivers(event_type text, application_ids uuid[]) returns uuid[]
  language sql stable set search_path = pg_catalog
as $$
  select array_agg(r.id)
    from (select e.id
            from webhooks.endpoints e join apps.applications a on a.id = e.application_id
           where e.application_id = any (application_ids) and e.is_enabled and a.is_active
             and case when e.event_types is null then event_type <> 'credits.spent'
                      else event_type = any (e.event_types) end
           order by e.created_at, e.id limit 100) r
$$;

-- Whether so much waits for an endpoint already that nothing more is kept for it. Reads no more than that.
create function webhooks.is_full(wanted uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog
as $$
  select exists (select from webhooks.deliveries d where d.endpoint_id = wanted and d.status = 'pending' offset 999)
$$;
grant execute on function webhooks.is_full(uuid) to obol_app;

-- Puts into the log of an endpoint that an event was not kept for it; one a minute, so that the log stays small, and
-- without a lock, so that nobody waits. Returns whether it did.
create function webhooks.note_full(wanted uuid, dropped_event uuid, at_time timestamptz) returns boolean
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  delivery_id uuid := credits.new_id(at_time);
begin
  if exists (select from webhooks.deliveries d
              where d.endpoint_id = wanted and d.status = 'failed' and d.attempt_count = 0
                and d.completed_at > at_time - interval '1 minute') then
    return false;
  end if;
  insert into webhooks.deliveries (id, endpoint_id, event_id, status, created_at, completed_at)
    values (delivery_id, wanted, dropped_event, 'failed', at_time, at_time);
  insert into webhooks.attempts (id, delivery_id, started_at, duration_ms, error)
    values (credits.new_id(at_time), delivery_id, at_time, 0,
      'Not sent, nor are others of these minutes: 1000 events wait for this endpoint already');
  return true;
end $$;

-- Writes an event with a delivery for each receiver, and the job that lets it have a turn. An event that brings an id
-- of its own is written once. What finds a thousand others waiting at its endpoint is not kept for it.
create or replace function webhooks.write_event(
  event_type text, at_time timestamptz, payload jsonb, receiver_ids uuid[], own_id uuid default null
) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  written uuid := coalesce(own_id, credits.new_id(at_time));
  receiver uuid;
  is_wanted boolean := false;
begin
  if coalesce(cardinality(receiver_ids), 0) = 0 then return; end if;
  insert into webhooks.events (id, type, data, happened_at) values (written, event_type, payload, at_time)
    on conflict (id) do nothing;
  if not found then return; end if;
  foreach receiver in array receiver_ids loop
    if webhooks.is_full(receiver) then
      is_wanted := webhooks.note_full(receiver, written, at_time) or is_wanted;
      continue;
    end if;
    is_wanted := true;
    insert into webhooks.deliveries (id, endpoint_id, event_id, created_at, next_attempt_at)
      values (credits.new_id(at_time), receiver, written, at_time, at_time);
    perform obol.enqueue_job('serve-endpoint', jsonb_build_object('endpointId', receiver));
  end loop;
  if not is_wanted then delete from webhooks.events e where e.id = written; end if;
end $$;
