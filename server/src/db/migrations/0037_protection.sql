-- Protection of accounts and of the signup bonus: one bonus for each mailbox, devices that people are known to use,
-- and challenges that were used up.

CREATE TABLE "credits"."bonus_mailboxes" (
	"mailbox_hash" "bytea" PRIMARY KEY NOT NULL,
	"address_hash" "bytea",
	"paid_at" timestamp(3) with time zone NOT NULL
);
CREATE TABLE "credits"."waiting_bonuses" (
	"wallet_id" uuid PRIMARY KEY NOT NULL,
	"amount" bigint NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL
);
CREATE TABLE "auth"."known_devices" (
	"user_id" uuid NOT NULL,
	"device_hash" "bytea" NOT NULL,
	"first_seen_at" timestamp(3) with time zone NOT NULL,
	"last_seen_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "known_devices_user_id_device_hash_pk" PRIMARY KEY("user_id","device_hash")
);
CREATE TABLE "auth"."spent_challenges" (
	"challenge_hash" "bytea" PRIMARY KEY NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL
);
ALTER TABLE "credits"."waiting_bonuses" ADD CONSTRAINT "waiting_bonuses_wallet_id_balances_wallet_id_fk"
  FOREIGN KEY ("wallet_id")
  REFERENCES "credits"."balances"("wallet_id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."known_devices" ADD CONSTRAINT "known_devices_user_id_users_id_fk"
  FOREIGN KEY ("user_id")
  REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
CREATE INDEX "bonus_mailboxes_address_idx" ON "credits"."bonus_mailboxes" USING btree ("address_hash","paid_at")
  WHERE "credits"."bonus_mailboxes"."address_hash" is not null;
CREATE INDEX "spent_challenges_expires_idx" ON "auth"."spent_challenges" USING btree ("expires_at");

select obol.protect('credits.bonus_mailboxes', null, '');
select obol.protect('credits.waiting_bonuses', null, '');
select obol.protect('auth.known_devices', 'user_id', '');
select obol.protect('auth.spent_challenges', null, 'select, insert, delete');

-- Opens a person's wallet, with the signup bonus unless their mailbox has had one: of several at once, the unique
-- mailbox lets one through, and the others wait for its commit. Sign-ups from one address are taken one after another;
-- after `per_address_max` bonuses within a day, each further one waits until its owner has confirmed the e-mail
-- address. Without an address, that limit does not count unless it is 0. Returns the bonus that is in the wallet now.
create function credits.open_personal_wallet(
  new_owner uuid, signup_bonus bigint, mailbox bytea, address bytea, per_address_max bigint, at_time timestamptz
) returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  must_wait boolean := per_address_max = 0;
begin
  if exists (select from credits.balances b where b.wallet_id = new_owner) then return 0; end if;
  if signup_bonus > 0 and address is not null and not must_wait then
    perform pg_advisory_xact_lock(hashtextextended(encode(address, 'hex'), 37));
    must_wait := per_address_max <= (
      select count(*) from credits.bonus_mailboxes m
       where m.address_hash = address and m.paid_at > at_time - interval '24 hours');
  end if;
  if signup_bonus > 0 and not must_wait then
    insert into credits.bonus_mailboxes (mailbox_hash, address_hash, paid_at)
      values (mailbox, address, at_time) on conflict (mailbox_hash) do nothing;
    if not found then signup_bonus := 0; end if;
  end if;
  perform credits.open_wallet(new_owner, case when must_wait then 0 else signup_bonus end, at_time);
  if not must_wait then return signup_bonus; end if;
  if signup_bonus > 0 then
    insert into credits.waiting_bonuses (wallet_id, amount, created_at) values (new_owner, signup_bonus, at_time);
  end if;
  return 0;
end $$;

-- Pays a bonus that has waited, once, and only if the mailbox has had none. Returns what was paid.
create function credits.pay_waiting_bonus(
  wanted_wallet uuid, mailbox bytea, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  wallets credits.balances[];
  lot credits.lots;
begin
  wallets := credits.lock_wallets(array[wanted_wallet], at_time, daily_amount, daily_cap);
  if wallets[1].status is distinct from 'active' then return 0; end if;
  delete from credits.waiting_bonuses w where w.wallet_id = wanted_wallet returning w.amount into lot.amount;
  if not found or not credits.has_room(wallets[1], lot.amount) then return 0; end if;
  insert into credits.bonus_mailboxes (mailbox_hash, address_hash, paid_at) values (mailbox, null, at_time)
    on conflict (mailbox_hash) do nothing;
  if not found then return 0; end if;
  lot.source := 'signup';
  lot.kind := 'free';
  lot.priority := 100;
  lot.created_at := at_time;
  perform credits.save_wallet(credits.add_lot(wallets[1], lot, 'bonus', 'Signup bonus', 'issued:bonus'));
  return lot.amount;
end $$;

-- Whichever way an address is confirmed, the bonus that waits for it is paid by a job.
create function credits.announce_confirmed_address() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  if exists (select from credits.waiting_bonuses w where w.wallet_id = new.id) then
    perform obol.enqueue_job('pay-waiting-bonus', jsonb_build_object('userId', new.id));
  end if;
  return null;
end $$;

create trigger users_announce_confirmed_address
  after update of email_verified_at on auth.users
  for each row when (new.email_verified_at is not null and old.email_verified_at is distinct from new.email_verified_at)
  execute function credits.announce_confirmed_address();

-- Notes the devices by which a sign-in is recognised again. `device` says whether the person has used one of them
-- before: 'known', 'new', or 'first' when nothing is known of them yet; of two at once with the same new device, one is
-- new. `failures` counts wrong passwords within the hour, to fifty; `addresses` are those of the sessions opened since
-- `burst_since`, to fifty.
create function auth.note_sign_in(person uuid, devices bytea[], burst_since timestamptz, at_time timestamptz)
  returns table (email text, device text, failures bigint, addresses text[])
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  had_any boolean := exists (select from auth.known_devices k where k.user_id = person);
  recognised boolean;
begin
  perform oauth.assert_service();
  with noted as (
    insert into auth.known_devices as k (user_id, device_hash, first_seen_at, last_seen_at)
      select person, given, at_time, at_time from unnest(devices) given order by given
      on conflict (user_id, device_hash) do update set last_seen_at = at_time
      returning k.xmax <> 0 as was_there)
  select bool_or(n.was_there) into recognised from noted n;
  delete from auth.known_devices k where k.user_id = person and k.last_seen_at < at_time - interval '400 days';
  return query
    select u.email, case when recognised then 'known' when had_any then 'new' else 'first' end,
           (select count(*) from (
              select from auth.security_events e
               where e.user_id = person and e.type = 'login.failed' and e.created_at > at_time - interval '1 hour'
               limit 50) failed),
           array(select s.ip_address from auth.sessions s
                  where s.user_id = person and s.created_at >= burst_since and s.last_used_at >= burst_since
                    and s.ip_address is not null
                  limit 50)
      from auth.users u where u.id = person;
end $$;

-- Whether this device or one of these addresses is known of the account with this e-mail address; addresses for the
-- caller to compare: of sessions used since `sessions_since`, and of resets of the password since `resets_since`, which
-- take the mailbox. One statement, so that an unknown account costs the same.
create function auth.known_places(
  account text, device bytea, sessions_since timestamptz, resets_since timestamptz
) returns table (is_known_device boolean, addresses text[])
  language sql stable security definer set search_path = pg_catalog
as $$
  select coalesce(bool_or(exists (
           select from auth.known_devices k where k.user_id = u.id and k.device_hash = device)), false),
         coalesce(array_agg(known.address) filter (where known.address is not null), '{}')
    from auth.users u left join lateral (
      select distinct places.address from (
        select s.ip_address as address from auth.sessions s
         where s.user_id = u.id and s.last_used_at >= sessions_since
        union all
        select e.ip_address from auth.security_events e
         where e.user_id = u.id and e.created_at >= resets_since and e.type = 'password.reset') places) known on true
   where u.email = account
$$;

grant execute on function auth.note_sign_in(uuid, bytea[], timestamptz, timestamptz),
  auth.known_places(text, bytea, timestamptz, timestamptz) to obol_app;

grant execute on function credits.open_personal_wallet(uuid, bigint, bytea, bytea, bigint, timestamptz),
  credits.pay_waiting_bonus(uuid, bytea, timestamptz, bigint, bigint) to obol_app;
