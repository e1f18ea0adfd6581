-- Events lose their deliveries one by one, or all at once with an endpoint or an application: what nothing
-- refers to any more is found by its age.
create index events_happened_idx on webhooks.events (happened_at);

-- Removes up to rows_max rows of a kind that ended before an instant, the oldest first; returns how many. The
-- journal and the audit trail are no such kind.
create or replace function obol.forget_old(kind text, before_time timestamptz, rows_max integer) returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  forgotten bigint := 0;
  emptied uuid[];
begin
  case kind
    when 'security_events' then
      delete from auth.security_events e
       where e.id in (select o.id from auth.security_events o where o.created_at < before_time
                       order by o.created_at limit rows_max for update skip locked);
    when 'sessions' then
      delete from auth.sessions s
       where s.id in (select o.id from auth.sessions o where o.expires_at < before_time
                       order by o.expires_at limit rows_max for update skip locked);
    when 'verification_tokens' then
      delete from auth.verification_tokens t
       where t.id in (select o.id from auth.verification_tokens o where o.expires_at < before_time
                       order by o.expires_at limit rows_max for update skip locked);
    when 'access_requests' then
      delete from apps.access_requests r
       where r.id in (select o.id from apps.access_requests o
                       where o.created_at < before_time and coalesce(o.decided_at, o.created_at) < before_time
                         and o.status <> 'pending'
                       order by o.created_at limit rows_max for update skip locked);
    when 'webhook_deliveries' then
      with removed as (
        delete from webhooks.deliveries d
         where d.id in (select o.id from webhooks.deliveries o where o.completed_at < before_time
                         order by o.completed_at limit rows_max for update skip locked)
        returning d.event_id)
      select count(*), array_agg(r.event_id) into forgotten, emptied from removed r;
      -- A statement of its own, which sees what has been sent again meanwhile.
      delete from webhooks.events e
       where e.id = any (emptied) and not exists (select from webhooks.deliveries d where d.event_id = e.id);
      return forgotten;
    when 'webhook_events' then
      delete from webhooks.events e
       where e.id in (select o.id from webhooks.events o
                       where o.happened_at < before_time
                         and not exists (select from webhooks.deliveries d where d.event_id = o.id)
                       order by o.happened_at limit rows_max for update of o skip locked);
    when 'import_notes' then
      delete from auth.import_notes n
       where (n.import_id, n.record, n.reason) in (
         select o.import_id, o.record, o.reason
           from auth.imports i join auth.import_notes o on o.import_id = i.id
          where i.finished_at < before_time limit rows_max for update of o skip locked);
  end case;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;
grant execute on function obol.forget_old(text, timestamptz, integer) to obol_app;
