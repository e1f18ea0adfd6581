-- Jobs live in pg-boss's schema, which `installJobs` makes and protects after the migrations. A job is put there by
-- this function, in the transaction that it belongs to: it runs as the owner of the schema, so it works whatever
-- row-level-security context the transaction has, and the caller can neither read nor change jobs through it.
-- The settings of the queue (retries, expiry, dead letters) are copied into the job, as pg-boss does. Nobody takes the
-- job before `wait` has passed.
create function obol.enqueue_job(queue_name text, payload jsonb, wait interval default '0') returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
begin
  insert into pgboss.job
    (name, data, retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds, deletion_seconds,
     start_after, keep_until, policy, dead_letter)
  select q.name, payload, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max, q.expire_seconds,
         q.deletion_seconds, now() + wait, now() + wait + make_interval(secs => q.retention_seconds), q.policy,
         q.dead_letter
    from pgboss.queue q where q.name = queue_name;
  if not found then raise exception 'there is no queue %', queue_name; end if;
end $$;

grant execute on function obol.enqueue_job(text, jsonb, interval) to obol_app;
