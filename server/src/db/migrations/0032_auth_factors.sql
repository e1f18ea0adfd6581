-- Second factors, passkeys, remembered devices, and sign-ins that are half done. A session says how its person showed
-- who they are (`amr`), and its id can change under what hangs on it, because showing it again gives it a new one.

alter table auth.sessions add column amr text[] not null default '{pwd}';

alter table auth.refresh_tokens
  drop constraint refresh_tokens_session_id_sessions_id_fk,
  add constraint refresh_tokens_session_id_sessions_id_fk
    foreign key (session_id) references auth.sessions (id) on delete cascade on update cascade;

alter table oauth.authorizations
  drop constraint authorizations_session_id_sessions_id_fk,
  add constraint authorizations_session_id_sessions_id_fk
    foreign key (session_id) references auth.sessions (id) on delete set null on update cascade;

alter table apps.applications add column require_second_factor boolean not null default false;

create table auth.passkeys (
  id uuid primary key not null,
  user_id uuid not null,
  credential_id bytea not null,
  public_key bytea not null,
  sign_count bigint not null,
  transports text[] not null,
  is_backed_up boolean not null,
  is_user_verified boolean not null,
  name text not null,
  created_at timestamp (3) with time zone not null,
  last_used_at timestamp (3) with time zone,
  constraint passkeys_user_id_users_id_fk
    foreign key (user_id) references auth.users (id) on delete cascade on update no action
);
create unique index passkeys_credential_id_key on auth.passkeys using btree (credential_id);
create index passkeys_user_idx on auth.passkeys using btree (user_id);

create table auth.used_challenges (
  challenge_hash bytea primary key not null,
  expires_at timestamp (3) with time zone not null
);
create index used_challenges_expires_idx on auth.used_challenges using btree (expires_at);

create table auth.pending_sign_ins (
  id uuid primary key not null,
  user_id uuid not null,
  token_hash bytea not null,
  amr text[] not null,
  device_id text,
  device_name text,
  attempts integer not null,
  created_at timestamp (3) with time zone not null,
  expires_at timestamp (3) with time zone not null,
  consumed_at timestamp (3) with time zone,
  constraint pending_sign_ins_user_id_users_id_fk
    foreign key (user_id) references auth.users (id) on delete cascade on update no action
);
create unique index pending_sign_ins_token_hash_key on auth.pending_sign_ins using btree (token_hash);
create index pending_sign_ins_user_idx on auth.pending_sign_ins using btree (user_id, expires_at);

create table auth.remembered_devices (
  id uuid primary key not null,
  user_id uuid not null,
  token_hash bytea not null,
  user_agent text,
  ip_address text,
  created_at timestamp (3) with time zone not null,
  last_used_at timestamp (3) with time zone not null,
  expires_at timestamp (3) with time zone not null,
  constraint remembered_devices_user_id_users_id_fk
    foreign key (user_id) references auth.users (id) on delete cascade on update no action
);
create unique index remembered_devices_token_hash_key on auth.remembered_devices using btree (token_hash);
create index remembered_devices_user_idx on auth.remembered_devices using btree (user_id);

create table auth.factor_attempts (
  user_id uuid not null,
  is_known_address boolean not null,
  attempts integer not null,
  window_started_at timestamp (3) with time zone not null,
  constraint factor_attempts_user_id_is_known_address_pk primary key (user_id, is_known_address),
  constraint factor_attempts_user_id_users_id_fk
    foreign key (user_id) references auth.users (id) on delete cascade on update no action
);

select obol.protect('auth.passkeys', 'user_id');
select obol.protect('auth.used_challenges', null);
select obol.protect('auth.pending_sign_ins', null);
select obol.protect('auth.remembered_devices', 'user_id');
select obol.protect('auth.factor_attempts', null);
