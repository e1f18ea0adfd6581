-- Client credentials: how an application identifies itself.

-- The secrets that an application may ask with, as digests to compare in constant time; none when there is no such
-- application, or it is switched off.
create function apps.find_secrets(given_client_id text, at_time timestamptz)
  returns table (application_id uuid, secret_id uuid, secret_hash bytea)
  language sql stable security definer set search_path = pg_catalog
as $$
  select a.id, s.id, s.secret_hash
    from apps.applications a join apps.application_secrets s on s.application_id = a.id
   where a.client_id = given_client_id and a.is_active and (s.expires_at is null or s.expires_at > at_time)
$$;

grant execute on function apps.find_secrets(text, timestamptz) to obol_app;
