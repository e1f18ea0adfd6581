-- Sign-in through other identity providers: ways there and back that are under way, one-time codes that become tokens,
-- sessions of bearer tokens that others issued, and what happens to an account whose address turns out to be somebody
-- else's.

-- The account at another provider by which a session was opened. One without a cookie stands for the bearer tokens of
-- that account.
alter table auth.sessions add column account_id uuid,
  add constraint sessions_account_id_accounts_id_fk
    foreign key (account_id) references auth.accounts (id) on delete set null;
create index sessions_account_idx on auth.sessions (account_id, created_at) where account_id is not null;

create table auth.upstream_attempts (
  state_hash bytea primary key not null,
  browser_hash bytea,
  provider text not null,
  user_id uuid,
  session_id uuid,
  callback_path text not null,
  return_to text not null,
  fail_to text not null,
  hands_over text not null,
  code_challenge text,
  created_at timestamp (3) with time zone not null,
  expires_at timestamp (3) with time zone not null,
  constraint upstream_attempts_hands_over_check check (hands_over in ('nothing', 'person', 'code', 'tokens')),
  constraint upstream_attempts_user_id_users_id_fk foreign key (user_id) references auth.users (id) on delete cascade
);
create index upstream_attempts_user_idx on auth.upstream_attempts (user_id) where user_id is not null;
create index upstream_attempts_expires_idx on auth.upstream_attempts (expires_at);

create table auth.session_codes (
  code_hash bytea primary key not null,
  session_id uuid,
  account_id uuid,
  bound_to text not null,
  code_challenge text,
  created_at timestamp (3) with time zone not null,
  expires_at timestamp (3) with time zone not null,
  consumed_at timestamp (3) with time zone,
  constraint session_codes_session_id_sessions_id_fk
    foreign key (session_id) references auth.sessions (id) on delete cascade on update cascade,
  constraint session_codes_account_id_accounts_id_fk
    foreign key (account_id) references auth.accounts (id) on delete cascade,
  constraint session_codes_stands_for_check check (num_nonnulls(session_id, account_id) = 1)
);
create index session_codes_session_idx on auth.session_codes (session_id) where session_id is not null;
create index session_codes_account_idx on auth.session_codes (account_id) where account_id is not null;
create index session_codes_expires_idx on auth.session_codes (expires_at);

select obol.protect('auth.upstream_attempts', null);
select obol.protect('auth.session_codes', null);

-- In how many ways a person can sign in without anybody's help: a password, and accounts at other providers. What adds
-- another way replaces this function.
create function auth.count_ways_in(person uuid) returns integer
  language sql stable security definer set search_path = pg_catalog
as $$
  select (select count(*) from auth.passwords p where p.user_id = person)::integer
       + (select count(*) from auth.accounts a where a.user_id = person)::integer
$$;

-- Makes void what whoever had the account before may have put into it, because its address has now been shown to be
-- somebody's who may be another: password, factors, accounts at other providers, links on their way, sessions, and
-- what applications were allowed. Rows are locked in the order in which other statements lock them. What adds another
-- way in replaces this function. Runs in the transaction of the service that notes why.
create function auth.void_ways_in(person uuid, at_time timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  app text;
begin
  perform oauth.assert_service();
  perform from auth.accounts a where a.user_id = person order by a.id for update;
  delete from auth.passwords p where p.user_id = person;
  delete from auth.two_factor_auth t where t.user_id = person;
  delete from auth.backup_codes b where b.user_id = person;
  update auth.verification_tokens v set consumed_at = at_time where v.user_id = person and v.consumed_at is null;
  perform from auth.sessions s where s.user_id = person and s.revoked_at is null order by s.id for update;
  update auth.sessions s set revoked_at = at_time, revoked_reason = 'reclaimed'
   where s.user_id = person and s.revoked_at is null;
  perform from apps.grants g where g.user_id = person and g.revoked_at is null order by g.id for no key update;
  update apps.grants g set revoked_at = at_time, updated_at = at_time
   where g.user_id = person and g.revoked_at is null;
  for app in
    select distinct m.app_id from credits.mandates m
     where m.wallet_id = person and m.member_id is null and m.status <> 'revoked' order by m.app_id
  loop
    perform credits.end_mandates(app, person, at_time);
  end loop;
  delete from auth.accounts a where a.user_id = person;
  update auth.users u set auth0_id = null where u.id = person and u.auth0_id is not null;
end $$;

-- The session as which a bearer token of another issuer acts: that of the account, opened when it is first seen and
-- kept as long as its tokens live. A token that is older than the end of a session opens none. Answers
--   entered      user_id, session_id, user_role
--   unknown      nobody has this account
--   deactivated  its owner may not sign in
--   ended        the token is from before somebody signed out
-- The account is locked, so that parallel first requests open one session, and none is opened for an account that is
-- being removed. `authenticated` is when the person showed who they are, as far as the token says.
create function auth.enter_by_account(
  given_issuer text, given_subject text, issued timestamptz, authenticated timestamptz, token_expires timestamptz,
  next_id uuid, ip text, agent text, at_time timestamptz,
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
   where a.provider = given_issuer and a.provider_account_id = given_subject for update;
  if not found then return; end if;

  select u.id, u.role, u.is_active into user_id, user_role, active from auth.users u where u.id = account.user_id;
  outcome := 'deactivated';
  if not active then return; end if;

  select * into current from auth.sessions s
   where s.account_id = account.id and s.cookie_hash is null
   order by s.created_at desc, s.id desc limit 1 for no key update;
  is_new := not found or current.revoked_at is not null;
  outcome := 'ended';
  if exists (select from auth.sessions s
              where s.account_id = account.id and s.cookie_hash is null and s.revoked_at >= issued) then
    return;
  end if;

  if is_new then
    insert into auth.sessions (id, user_id, account_id, ip_address, user_agent, created_at, authenticated_at,
                               last_used_at, expires_at)
    values (next_id, user_id, account.id, ip, agent, at_time, authenticated, at_time, token_expires)
    returning id into session_id;
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

grant execute on function
  auth.count_ways_in(uuid),
  auth.void_ways_in(uuid, timestamptz),
  auth.enter_by_account(text, text, timestamptz, timestamptz, timestamptz, uuid, text, text, timestamptz)
  to obol_app;
