-- A sign-in that waits for its second factor knows by which account at a provider it came about, and bearer tokens
-- of other issuers no longer pass second factors by.

alter table auth.pending_sign_ins add column account_id uuid,
  add constraint pending_sign_ins_account_id_accounts_id_fk
    foreign key (account_id) references auth.accounts (id) on delete cascade;
create index pending_sign_ins_account_idx on auth.pending_sign_ins using btree (account_id)
  where account_id is not null;

-- Sessions of such tokens say how they came about, and those that passed a second factor by end.
update auth.sessions s set amr = '{fed}'
 where s.account_id is not null and s.cookie_hash is null and s.amr = '{pwd}';
update auth.sessions s set revoked_at = now(), revoked_reason = 'second_factor'
 where s.account_id is not null and s.cookie_hash is null and s.revoked_at is null and not 'mfa' = any (s.amr)
   and (exists (select from auth.two_factor_auth t where t.user_id = s.user_id and t.enabled_at is not null)
        or exists (select from auth.passkeys k where k.user_id = s.user_id));

drop function auth.enter_by_account(
  text, text, timestamptz, timestamptz, timestamptz, uuid, text, text, timestamptz);

-- The session as which a bearer token of another issuer acts: that of the account for tokens by these methods,
-- opened when it is first seen and kept as long as its tokens live. A token that is older than the end of a session
-- opens none. Answers
--   entered        user_id, session_id, user_role
--   unknown        nobody has this account
--   deactivated    its owner may not sign in
--   factor_needed  its owner has a second factor, and the methods are not enough for that
--   ended          the token is from before somebody signed out
-- The person is locked before the account, as everywhere: so parallel first requests open one session, none is
-- opened for an account that is being removed, and a second factor that is being switched on is seen.
-- `authenticated` is when the person showed who they are, as far as the token says; `details` are those of the event
-- of a session that is opened.
create function auth.enter_by_account(
  given_issuer text, given_subject text, issued timestamptz, authenticated timestamptz, token_expires timestamptz,
  methods text[], is_enough boolean, next_id uuid, ip text, agent text, details jsonb, at_time timestamptz,
  out outcome text, out user_id uuid, out session_id uuid, out user_role text
)
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  account auth.accounts;
  current auth.sessions;
  active boolean;
  is_new boolean;
begin
  outcome := 'unknown';
  select * into account from auth.accounts a
   where a.provider = given_issuer and a.provider_account_id = given_subject;
  if not found then return; end if;
  perform from auth.users u where u.id = account.user_id for no key update;
  perform from auth.accounts a where a.id = account.id for update;
  if not found then return; end if;

  select u.id, u.role, u.is_active into user_id, user_role, active from auth.users u where u.id = account.user_id;
  outcome := 'deactivated';
  if not active then return; end if;

  outcome := 'factor_needed';
  if not is_enough
    and (exists (select from auth.two_factor_auth t where t.user_id = account.user_id and t.enabled_at is not null)
         or exists (select from auth.passkeys k where k.user_id = account.user_id)) then
    return;
  end if;

  select * into current from auth.sessions s
   where s.account_id = account.id and s.cookie_hash is null and s.amr = methods
   order by s.created_at desc, s.id desc limit 1 for no key update;
  is_new := not found or current.revoked_at is not null;
  outcome := 'ended';
  if exists (select from auth.sessions s
              where s.account_id = account.id and s.cookie_hash is null and s.revoked_at >= issued) then
    return;
  end if;

  if is_new then
    insert into auth.sessions (id, user_id, account_id, ip_address, user_agent, amr, created_at, authenticated_at,
                               last_used_at, expires_at)
    values (next_id, user_id, account.id, ip, agent, methods, at_time, authenticated, at_time, token_expires)
    returning id into session_id;
    insert into auth.security_events (id, user_id, session_id, type, ip_address, user_agent, details, created_at)
    values (credits.new_id(at_time), user_id, session_id, 'login.succeeded', ip, agent, details, at_time);
  else
    update auth.sessions s
       set expires_at = greatest(s.expires_at, token_expires), last_used_at = at_time,
           authenticated_at = greatest(s.authenticated_at, authenticated)
     where s.id = current.id;
    session_id := current.id;
  end if;
  update auth.accounts a set last_used_at = at_time where a.id = account.id;
  outcome := 'entered';
end $$;
grant execute on function auth.enter_by_account(
  text, text, timestamptz, timestamptz, timestamptz, text[], boolean, uuid, text, text, jsonb, timestamptz
) to obol_app;
