-- What an import of people may do to accounts that are there already: it joins them with what the file brings
-- only where both sides have confirmed the address, and says what it leaves out.

-- Locks the accounts that have the addresses of a batch, in the order in which everybody locks people, so
-- that what is judged of them still holds when it is done: addresses, and whether they are confirmed.
create function auth.lock_for_import(people jsonb) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off
as $$
begin
  perform from auth.users u
    where u.email = any (array(select g->>'email' from jsonb_array_elements(people) g))
    order by u.id for no key update;
end $$;

-- Judges the people of a batch against those who are there and against each other: what keeps each of them
-- out, and which of their names are taken. Whoever was brought by the same file before is a duplicate in it.
-- Of a record whose address nobody has confirmed, nothing that signs somebody in goes into an account that is
-- there: whoever had the address in the old system may be another than who has it here. By index only, so
-- that a plan which was made when the tables were empty still serves when they are full.
create or replace function auth.judge_import(of_import uuid, people jsonb, policy text)
  returns setof auth.judged_import
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with given as (
    select g as person, g.record, u.id as existing_id, u.username as existing_username,
           u.is_active as existing_is_active, u.role as existing_role,
           u.id is not null and g.email_verified_at is null as is_unconfirmed,
           row_number() over (partition by g.email order by g.record) > 1
             or exists (select from auth.imported_people i where i.import_id = of_import and i.user_id = u.id)
             as is_duplicate,
           exists (select from auth.users o where o.id = g.id and o.id is distinct from u.id)
             or row_number() over (partition by g.id order by g.record) > 1 as has_no_id,
           exists (select from auth.users o where lower(o.username) = lower(g.username)
                      and o.id is distinct from u.id)
             or row_number() over (partition by lower(g.username) order by g.record) > 1 as has_no_username,
           exists (select from auth.users o where o.auth0_id = g.auth0_id and o.id is distinct from u.id)
             or row_number() over (partition by g.auth0_id order by g.record) > 1 as has_no_auth0_id
      from jsonb_populate_recordset(null::auth.person_to_import, people) g
      left join auth.users u on u.email = g.email
  )
  select (
      (g.person).record, (g.person).line, (g.person).external_id,
      coalesce(g.existing_id, case when g.has_no_id then null else (g.person).id end, (g.person).new_id),
      (g.person).new_id, (g.person).email, (g.person).email_verified_at, (g.person).name,
      case when not g.has_no_username then (g.person).username end, (g.person).picture, (g.person).role,
      (g.person).is_active,
      case when not (g.has_no_auth0_id or g.is_unconfirmed) then (g.person).auth0_id end, (g.person).created_at,
      case when not g.is_unconfirmed then (g.person).hash end,
      case when g.is_unconfirmed then '[]' else (g.person).accounts end, (g.person).credits, (g.person).free_credits
    )::auth.person_to_import,
    g.existing_id,
    case when g.is_duplicate then 'duplicate_in_file'
         when g.existing_id is not null and policy <> 'update' then 'email_taken' end,
    array_remove(array[
      case when (g.person).id is not null and g.has_no_id and g.existing_id is null then 'id_taken' end,
      case when (g.person).username is not null and g.has_no_username then 'username_taken' end,
      case when (g.person).auth0_id is not null and g.has_no_auth0_id then 'auth0_id_taken' end,
      case when g.is_unconfirmed and ((g.person).hash is not null or (g.person).auth0_id is not null
                                      or (g.person).accounts <> '[]') then 'email_unconfirmed' end,
      case when g.existing_id is not null and ((g.person).credits > 0 or (g.person).free_credits > 0)
           then 'credits_left_out' end,
      case when g.existing_is_active and not (g.person).is_active then 'deactivation_left_out' end,
      case when g.existing_role <> 'admin' and (g.person).role = 'admin' then 'role_left_out' end], null)
    from given g
$$;

-- Changes people who are there already (policy `update`): what the file says of them and they have not said
-- themselves, and the password when the file has one, which ends the sessions. An address that only the file
-- knows to be confirmed makes void what somebody set up under it before; see auth.void_ways_in. What the file
-- brings comes after that.
create or replace function auth.update_imported(people auth.person_to_import[], at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  reclaimed uuid[];
  replaced uuid[] := array(select p.id from unnest(people) p where p.hash is not null);
begin
  select coalesce(array_agg(r.id), '{}') into reclaimed from (
    select u.id from unnest(people) p join auth.users u on u.id = p.id
     where u.email_verified_at is null and p.email_verified_at is not null
     order by u.id for no key update of u) r;
  perform auth.void_ways_in(r.id, at_time, false) from unnest(reclaimed) as r (id);
  insert into auth.security_events (id, user_id, type, details, created_at)
    select credits.new_id(at_time), r.id, 'account.reclaimed', '{}', at_time from unnest(reclaimed) as r (id);
  update auth.users u
     set name = coalesce(u.name, p.name), username = coalesce(u.username, p.username),
         picture = coalesce(u.picture, p.picture), auth0_id = coalesce(u.auth0_id, p.auth0_id),
         email_verified_at = coalesce(u.email_verified_at, p.email_verified_at), updated_at = at_time
    from unnest(people) p
   where u.id = p.id;
  delete from auth.passwords w where w.user_id = any (replaced);
  insert into auth.passwords (user_id, hash, created_at, updated_at)
    select p.id, p.hash, at_time, at_time from unnest(people) p where p.hash is not null;
  update auth.sessions s set revoked_at = at_time, revoked_reason = 'password_changed'
   where s.user_id = any (replaced) and s.revoked_at is null;
end $$;

-- Takes in the records of a file between two positions, and notes the position: both or neither. Refuses with
-- auth.import_elsewhere when another run has come to these records first.
create or replace function auth.import_people(
  of_import uuid, done_before bigint, done_after bigint, people jsonb, notes jsonb, policy text, signup_bonus bigint,
  at_time timestamptz
) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  judged auth.judged_import[];
  made auth.person_to_import[];
  to_change auth.person_to_import[];
  taken_accounts bigint[];
begin
  perform from auth.imports i
    where i.id = of_import and i.records_done = done_before and i.finished_at is null for update;
  if not found then perform obol.refuse('auth.import_elsewhere'); end if;
  if policy = 'update' then perform auth.lock_for_import(people); end if;
  select coalesce(array_agg(j), '{}') into judged from auth.judge_import(of_import, people, policy) j;
  made := auth.insert_imported(
    array(select j.person from unnest(judged) j where j.refusal is null and j.existing_id is null), at_time);
  to_change := array(select j.person from unnest(judged) j where j.refusal is null and j.existing_id is not null);
  perform auth.update_imported(to_change, at_time);
  taken_accounts := auth.attach_imported(of_import, made || to_change, at_time);
  perform auth.open_imported_wallet(p, signup_bonus, at_time) from unnest(made) p;
  perform auth.note_imported(of_import, notes, judged, made, taken_accounts);
  update auth.imports i
     set records_done = done_after, created = i.created + cardinality(made),
         updated = i.updated + cardinality(to_change),
         skipped = i.skipped + (done_after - done_before) - cardinality(made) - cardinality(to_change)
   where i.id = of_import;
end $$;

-- Accounts at GitHub were imported under the address of its web site, while sign-in knows GitHub by another
-- issuer: they signed nobody in, and counted as a way in. From now on they do, for whoever came with them:
-- their wallet is as old as the account.
update auth.accounts a set provider = 'https://github.com/login/oauth'
 where a.provider = 'https://github.com'
   and exists (select from credits.balances b where b.wallet_id = a.user_id and b.created_at = a.created_at)
   and not exists (select from auth.accounts o
                    where o.provider = 'https://github.com/login/oauth'
                      and o.provider_account_id = a.provider_account_id);

-- The others are forgotten. Those who have signed in by the same account at GitHub since keep it. What was
-- put into an account that was there before may be of a record whose address nobody had confirmed, so it must
-- not begin to sign anybody in; whoever has confirmed the address at GitHub, too, is joined with it at the
-- first sign-in.
delete from auth.accounts a where a.provider = 'https://github.com';
