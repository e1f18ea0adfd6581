-- Administration: what a ban and a deactivation have to do with each other, what both end, lists without those who are
-- erased, and what the operator does for people who cannot ask themselves.

-- Activity ------------------------------------------------------------------------------------------------------------

-- An account is active while it is neither deactivated nor banned, each of which has its own time: a ban no longer
-- notes one of a deactivation.
update auth.users u set deactivated_at = null where u.deactivated_at = u.banned_at;

-- Whoever is erased stays inactive; a ban of theirs would have made them active when it was over.
update auth.users u
   set is_active = false, deactivated_at = null, banned_at = null, ban_ends_at = null, ban_reason = null
 where u.erased_at is not null and u.role = 'user'
   and (u.is_active or u.deactivated_at is not null or u.banned_at is not null);

-- Whoever deactivates an account, and however: its sessions end for good, with their refresh tokens and cookies, the
-- impersonations by it, sign-ins under way, its API keys with their budgets, and what it consented to; no device is
-- remembered any more. Once more when it is activated, so that nothing comes back to life that began while it was being
-- deactivated. Rows are locked in the order in which other statements lock them: a key before its budget, mandates and
-- budgets in the order of their ids, and no wallet.
create or replace function auth.end_access() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  delete from auth.remembered_devices d where d.user_id = new.id;
  delete from auth.pending_sign_ins i where i.user_id = new.id;
  perform from auth.api_keys k where k.user_id = new.id and k.revoked_at is null order by k.id for update;
  update auth.api_keys k set revoked_at = new.updated_at, updated_at = new.updated_at
   where k.user_id = new.id and k.revoked_at is null;
  perform from auth.sessions s
    where (s.user_id = new.id or s.impersonator_id = new.id) and s.revoked_at is null
    order by s.id for update;
  update auth.sessions s set revoked_at = new.updated_at, revoked_reason = 'deactivated'
   where (s.user_id = new.id or s.impersonator_id = new.id) and s.revoked_at is null;
  perform from apps.grants g where g.user_id = new.id and g.revoked_at is null order by g.id for no key update;
  update apps.grants g set revoked_at = new.updated_at, updated_at = new.updated_at
   where g.user_id = new.id and g.revoked_at is null;
  -- Of applications and of keys; what members of a team may spend there is the team's.
  perform from credits.mandates m
    where m.wallet_id = new.id and m.member_id is null and m.status <> 'revoked' order by m.id for no key update;
  update credits.mandates m set status = 'revoked', updated_at = new.updated_at
   where m.wallet_id = new.id and m.member_id is null and m.status <> 'revoked';
  insert into auth.security_events (id, user_id, type, details, created_at)
  values (credits.new_id(new.updated_at), new.id,
    case when new.is_active then 'account.reactivated' else 'account.deactivated' end, '{}', new.updated_at);
  return null;
end $$;

-- Lists ---------------------------------------------------------------------------------------------------------------

-- Lists show nobody who is erased, so neither do the indexes by which they are read, and nobody needs to look at the
-- rows for it. Those by name and username have no rows of theirs anyway, the one by domain is read with its rows.
drop index auth.users_created_idx;
drop index auth.users_active_idx;
drop index auth.users_email_search_idx;
create index users_created_idx on auth.users (created_at, id) where erased_at is null;
create index users_active_idx on auth.users (is_active, created_at, id) where erased_at is null;
create index users_email_search_idx on auth.users (email collate "C", created_at, id) where erased_at is null;
create index users_banned_idx on auth.users (created_at, id) where banned_at is not null;

alter type auth.user_filter add attribute is_banned boolean;

-- A filter without its search, as a condition on `u`. Every value is quoted as a literal. Whoever is erased is nobody.
create or replace function auth.user_conditions(filter auth.user_filter) returns text
  language sql immutable set search_path = pg_catalog
as $$
  select concat_ws(' and ', 'u.erased_at is null',
    case when filter.role is not null then format('u.role = %L', filter.role) end,
    case when filter.is_active then 'u.is_active' when not filter.is_active then 'not u.is_active' end,
    case when filter.is_banned then 'u.banned_at is not null' when not filter.is_banned then 'u.banned_at is null' end,
    case when filter.created_from is not null then format('u.created_at >= %L', filter.created_from) end,
    case when filter.created_to is not null then format('u.created_at < %L', filter.created_to) end)
$$;

-- What people may ask for ---------------------------------------------------------------------------------------------

-- Some rows of a section, behind the row `after` (null: from the first on), without what proves who somebody is: bytes
-- are digests and sealed secrets, and a password has its hash left out. Transactions come with their entries; what
-- others did to the person comes without the address that they did it from.
create or replace function auth.read_personal_rows(person uuid, wanted text, after jsonb, rows_max integer)
  returns setof jsonb
  language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
  found_section record;
  secret_columns text[];
  order_list text;
begin
  select * into found_section from auth.personal_sections() s where s.section = wanted;
  if not found then return; end if;
  select coalesce(array_agg(a.attname::text), '{}') into secret_columns
    from pg_attribute a
   where a.attrelid = found_section.place and a.attnum > 0
     and (a.atttypid = 'bytea'::regtype or (wanted = 'auth.passwords' and a.attname = 'hash'));
  select string_agg(format('t.%I', o.name), ', ' order by o.place) into order_list
    from unnest(found_section.order_columns) with ordinality as o (name, place);
  return query execute format($query$
    select to_jsonb(t) - $2 %s
      from %s t
     where (%s) and ($3 is null or (%s) > (select %s from jsonb_populate_record(null::%s, $3) t))
     order by %s limit $4$query$,
    case wanted
      when 'credits.transactions' then $entries$|| jsonb_build_object('entries', (
        select jsonb_agg(jsonb_build_object('account', e.account, 'amount', e.amount, 'lot_id', e.lot_id)
                 order by e.ordinal)
          from credits.entries e where e.transaction_id = t.id))$entries$
      when 'audit.events'
        then $own$- case when t.actor_id = $1::text then '{}'::text[] else array['ip_address'] end$own$
      else '' end,
    found_section.place, found_section.condition, order_list, order_list, found_section.place, order_list)
    using person, secret_columns, after, rows_max;
end $$;

drop function auth.erase_person(uuid, text, timestamptz, bigint, bigint);

-- Erases a person for good. What the ledger must keep stays under an id that leads to nobody; applications that they
-- used hear `user.deleted`. Refuses with request.not_found, users.erasure_blocked (see ties_of). `checked_hash`
-- is the password that was verified, null where there is none: when it is another by now, with auth.password_wrong.
-- `by_operator`: not the person asks but whoever runs the service, without the password, as the audit trail then says.
create function auth.erase_person(
  person uuid, checked_hash text, at_time timestamptz, daily_amount bigint, daily_cap bigint,
  by_operator boolean default false
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  found_email text;
  ties jsonb;
  ip_addresses text[];
begin
  select lower(u.email) into found_email from auth.users u where u.id = person and u.erased_at is null for update;
  if not found then perform obol.refuse('request.not_found'); end if;
  if not by_operator and (select p.hash from auth.passwords p where p.user_id = person) is distinct from checked_hash
  then
    perform obol.refuse('auth.password_wrong');
  end if;
  -- Teams and applications one after the other, so that of two last owners who leave at once one stays.
  perform from credits.balances b join credits.team_members m on m.wallet_id = b.wallet_id
    where m.user_id = person order by b.wallet_id for no key update of b;
  perform from apps.applications a join apps.memberships m on m.application_id = a.id
    where m.user_id = person and m.role = 'admin' order by a.id for update of a;
  ties := auth.ties_of(person, at_time);
  if ties is not null then perform obol.refuse('users.erasure_blocked', ties); end if;
  ip_addresses := array(
    select s.ip_address from auth.sessions s where s.user_id = person and s.ip_address is not null
    union select e.ip_address from auth.security_events e where e.user_id = person and e.ip_address is not null);

  -- Before the wallet is locked, as everybody does who applies what a provider sent or changes a request for a refund.
  perform auth.forget_mentions(person, found_email, ip_addresses);
  perform payments.forget_refund_texts(person);
  -- What is due in their wallets happens first: events tell of it, and are forgotten with the others.
  perform credits.lock_wallets(
    person || array(select m.wallet_id from credits.team_members m where m.user_id = person),
    at_time, daily_amount, daily_cap);
  perform webhooks.forget_events(person, found_email);
  perform webhooks.emit_event('user.deleted', at_time, jsonb_build_object('userId', person), person, person);
  perform credits.close_wallets_of(person, at_time, daily_amount, daily_cap);
  perform auth.delete_what_hangs_on(person);
  perform auth.bury_user(person, at_time);
  perform audit.append('user.erased', case when by_operator then 'operator' else 'user' end,
    case when not by_operator then person::text end, 'user', person::text, null, null, '{}', at_time);
  perform audit.forget_person(person);
  perform audit.forget_acts_on(auth.targets_of(person));
end $$;
grant execute on function auth.erase_person(uuid, text, timestamptz, bigint, bigint, boolean) to obol_app;

-- The signup bonus ----------------------------------------------------------------------------------------------------

-- Bonuses that wait for an address which had been confirmed before they began to wait: nothing else would pay them.
select obol.enqueue_job('pay-waiting-bonus', jsonb_build_object('userId', w.wallet_id))
  from credits.waiting_bonuses w join auth.users u on u.id = w.wallet_id
 where u.email_verified_at is not null and u.is_active;
