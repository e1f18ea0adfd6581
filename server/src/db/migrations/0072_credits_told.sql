-- What an app is told of a wallet is found out in the call that moves its credits: asked for afterwards, it could not
-- be told when the database was lost in between, and the repeated request was answered otherwise than the first.

-- Whether who moves credits is told what the wallet has: a person by a token of their own (no `named_app`) is, an app
-- while a mandate of the person is in force and the person is active.
create function credits.sees_wallet(named_app text, wanted uuid, at_time timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog
as $$
  select named_app is null or exists (
    select from credits.mandates m join auth.users u on u.id = m.wallet_id and u.is_active
     where m.wallet_id = wanted and m.app_id = named_app and m.member_id is null and m.status = 'active'
       and (m.expires_at is null or m.expires_at > at_time))
$$;

grant execute on function credits.sees_wallet(text, uuid, timestamptz) to obol_app;
