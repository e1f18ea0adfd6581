-- Erasure: what the books must keep of a person loses its name, everything else goes. See docs/decisions/erasure.md.

alter table auth.users add column erased_at timestamptz(3);

-- The log of events is searched by person only here; what it says of time is how long it is kept.
create index security_events_created_idx on auth.security_events (created_at);
create index sessions_expires_idx on auth.sessions (expires_at);
create index verification_tokens_expires_idx on auth.verification_tokens (expires_at);
create index access_requests_created_idx on apps.access_requests (created_at);

-- Transactions whose words are forgotten. `seal` is over the hash that sealed them with their words and over what is
-- left of them, so what is left is still proven, and so is the chain.
create table credits.erased_texts (
  transaction_id uuid primary key,
  wallet_id uuid not null,
  seal bytea not null,
  erased_at timestamptz(3) not null
);
select obol.protect('credits.erased_texts', null, 'select');

-- The journal is append-only; what applications and people wrote into it in their own words may be forgotten, by
-- credits.erase_texts alone.
create or replace function credits.forbid_change() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  if tg_op = 'UPDATE' and tg_table_name = 'transactions' and current_setting('obol.erasing', true) = 'on' then
    return null;
  end if;
  raise exception 'the journal is append-only: % on %.% is not allowed', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

-- While words are forgotten, nothing else of a row changes.
create function credits.forbid_change_of_row() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception 'the journal is append-only: only the words of a transaction can be forgotten'
    using errcode = 'insufficient_privilege';
end $$;
create trigger transactions_keep_all_but_texts before update on credits.transactions
  for each row
  when ((to_jsonb(new) - 'description' - 'metadata') <> (to_jsonb(old) - 'description' - 'metadata'))
  execute function credits.forbid_change_of_row();

-- The entries of a transaction as they are sealed.
create function credits.sides_of(of_transaction uuid) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  select jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal)
    from credits.entries e where e.transaction_id = of_transaction
$$;

-- What seals a transaction whose words are forgotten.
create function credits.erased_seal(left_over credits.transactions, sides jsonb) returns bytea
  language sql stable
as $$
  select pg_catalog.sha256(left_over.hash || pg_catalog.convert_to(credits.sealed_text(left_over, sides), 'UTF8'))
$$;

-- Forgets what was written about the spends and movements of a person: in their own wallet, and in a team's where they
-- spent as its member. What the service wrote itself stays. The wallets are locked.
create function credits.erase_texts(person uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  erased uuid[];
begin
  perform set_config('obol.erasing', 'on', true);
  with changed as (
    update credits.transactions t set description = 'Erased', metadata = null
     where (t.wallet_id = person
         or t.mandate_id in (select m.id from credits.mandates m where m.member_id = person))
       and t.type not in ('daily', 'expire', 'repayment')
       and (t.description <> 'Erased' or t.metadata is not null)
    returning t.id)
  select coalesce(array_agg(c.id), '{}') into erased from changed c;
  perform set_config('obol.erasing', 'off', true);
  insert into credits.erased_texts (transaction_id, wallet_id, seal, erased_at)
    select t.id, t.wallet_id, credits.erased_seal(row(t.*)::credits.transactions, credits.sides_of(t.id)), at_time
      from credits.transactions t where t.id = any (erased);
  update credits.holds h set description = 'Erased', metadata = null
   where h.wallet_id = person
      or h.mandate_id in (select m.id from credits.mandates m where m.member_id = person);
end $$;

-- The journal of some wallets, of each from behind `after_sequences` on (up to `up_to`, null for all): gaps, broken
-- seals, balances that do not follow from each other, entries that do not sum to zero. One row and its entries at a
-- time, by index, whatever the size of the wallet. Where words were forgotten, what is left has its own seal.
create or replace function credits.verify_journal(wallets uuid[], after_sequences bigint[], up_to bigint)
  returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with checked as (
    select t.*, s.total, s.is_own, s.is_complete, s.wallet_change,
           credits.transaction_hash(t, s.sides) = t.hash
             or exists (select from credits.erased_texts x
                         where x.transaction_id = t.id and x.seal = credits.erased_seal(t, s.sides)) as is_sealed,
           lag(t.sequence, 1, w.after) over wallet as sequence_before,
           lag(t.hash, 1, case w.after when 0 then decode(repeat('00', 32), 'hex') else b.hash end) over wallet
             as hash_before,
           lag(t.balance_after, 1, case w.after when 0 then 0 else b.balance_after end) over wallet
             as balance_before_it,
           lag(t.created_at, 1, b.created_at) over wallet as time_before
      from unnest(wallets, after_sequences) as w (wallet_id, after)
      left join credits.transactions b on b.wallet_id = w.wallet_id and b.sequence = w.after
      join credits.transactions t on t.wallet_id = w.wallet_id and t.sequence > w.after
       and t.sequence <= coalesce(up_to, 9223372036854775807)
     cross join lateral (
        select jsonb_agg(jsonb_build_array(e.account, e.amount, e.lot_id) order by e.ordinal) as sides,
               sum(e.amount) as total, bool_and(e.wallet_id = t.wallet_id) as is_own,
               min(e.ordinal) = 1 and max(e.ordinal) = count(*) as is_complete,
               sum(e.amount) filter (where e.account like 'wallet:%') as wallet_change
          from credits.entries e where e.transaction_id = t.id) s
    window wallet as (partition by t.wallet_id order by t.sequence)
  ), judged as (
    select c.wallet_id, c.sequence, c.id, case
        when c.sequence <> c.sequence_before + 1 then 'the transaction before it is missing'
        when c.is_sealed is not true then 'the transaction or its entries do not match its hash'
        when c.previous_hash is distinct from c.hash_before
          then 'previous_hash is not the hash of the transaction before it'
        when c.balance_before is distinct from c.balance_before_it
          then 'balance_before is not the balance after the one before it'
        when c.created_at < c.time_before then 'it is older than the transaction before it'
        when c.created_at <> date_trunc('milliseconds', c.created_at) then 'its time is finer than its hash says'
        when c.total <> 0 then 'its entries do not sum to zero'
        when not c.is_own or not c.is_complete then 'its entries are numbered or owned wrongly'
        when c.balance_after - c.balance_before <> coalesce(c.wallet_change, 0)
          then 'its entries do not make its change of balance'
      end as problem
      from checked c
  )
  select j.wallet_id, j.sequence, 'transaction ' || j.id, j.problem from judged j where j.problem is not null
   order by j.wallet_id, j.sequence
$$;

-- What a person must settle before they can be erased: teams that others are in and applications, which would be left
-- without an owner or administrator. Null when there is nothing.
create function auth.ties_of(person uuid) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  with ties as (
    select (select jsonb_agg(jsonb_build_object('id', t.wallet_id, 'name', t.name) order by t.name)
              from credits.team_members m join credits.teams t on t.wallet_id = m.wallet_id
             where m.user_id = person and m.role = 'owner'
               and exists (select from credits.team_members o
                            where o.wallet_id = m.wallet_id and o.user_id <> person)
               and not exists (select from credits.team_members o
                                where o.wallet_id = m.wallet_id and o.user_id <> person and o.role = 'owner')) as teams,
           (select jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name) order by a.name)
              from apps.memberships m join apps.applications a on a.id = m.application_id
             where m.user_id = person and m.role = 'admin'
               and not exists (select from apps.memberships o
                                where o.application_id = m.application_id and o.user_id <> person
                                  and o.role = 'admin')) as applications)
  select case when coalesce(t.teams, t.applications) is not null
    then jsonb_build_object('teams', coalesce(t.teams, '[]'), 'applications', coalesce(t.applications, '[]')) end
    from ties t
$$;

-- Ends a person's part in the books: open holds are voided, mandates revoked, the wallet and those of teams that nobody
-- else is in are closed, and words are forgotten. Balances and history stay.
create function credits.close_wallets_of(person uuid, at_time timestamptz, daily_amount bigint, daily_cap bigint)
  returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallets credits.balances[];
  wallet credits.balances;
  closing uuid[] := array(
    select m.wallet_id from credits.team_members m
     where m.user_id = person
       and not exists (select from credits.team_members o where o.wallet_id = m.wallet_id and o.user_id <> person));
begin
  wallets := credits.lock_wallets(person || closing, at_time, daily_amount, daily_cap);
  foreach wallet in array wallets loop
    wallet := credits.end_holds(wallet,
      array(select h from credits.holds h where h.wallet_id = wallet.wallet_id and h.status = 'open' order by h.id),
      'voided', 'Voided hold', at_time, at_time);
    perform credits.save_wallet(wallet);
    update credits.balances b set status = 'closed' where b.wallet_id = wallet.wallet_id;
  end loop;
  perform from credits.mandates m
    where m.status <> 'revoked' and (m.wallet_id = any (person || closing) or m.member_id = person)
    order by m.id for no key update;
  update credits.mandates m set status = 'revoked', updated_at = at_time
   where m.status <> 'revoked' and (m.wallet_id = any (person || closing) or m.member_id = person);
  perform credits.erase_texts(person, at_time);
end $$;

-- Deletes whatever hangs on a person by a foreign key that deletes it with them, in every table there is: a table that
-- a feature adds is covered by what its foreign key says. Twice, as deleting may leave notices behind.
create function auth.delete_what_hangs_on(person uuid) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  tie record;
begin
  for tie in
    select c.conrelid::regclass as hanging, a.attname as column_name
      from pg_constraint c
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     cross join generate_series(1, 2) turn
     where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and c.confdeltype = 'c'
     order by turn, c.conrelid::regclass::text
  loop
    execute format('delete from %s where %I = $1', tie.hanging, tie.column_name) using person;
  end loop;
end $$;

-- Forgets, in what belongs to nobody in particular, an address, the names of its owner and where they signed in from:
-- jobs and their failures, events sent and answers to them, requests under way, contacts, what payment providers sent.
create function auth.forget_mentions(person uuid, email text, ip_addresses text[]) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  -- Whole texts of a document: an address may be the end of another one.
  quoted_email text := '"' || email || '"';
  quoted_id text := '"' || person || '"';
begin
  delete from pgboss.job j
   where position(quoted_email in lower(j.data::text)) > 0 or position(quoted_id in j.data::text) > 0;
  update pgboss.job j set output = null where position(email in lower(j.output::text)) > 0;
  delete from webhooks.events e
   where position(quoted_email in lower(e.data::text)) > 0 or position(quoted_id in e.data::text) > 0;
  update webhooks.attempts a set response_excerpt = null where position(email in lower(a.response_excerpt)) > 0;
  update payments.events e set payload = '{}'
   where position(quoted_email in lower(e.payload::text)) > 0 or position(quoted_id in e.payload::text) > 0;
  delete from oauth.interactions i
   where position(email in lower(concat(i.parameters, i.details, i.result, i.last_submission))) > 0;
  delete from oauth.pushed_requests r where position(email in lower(r.request)) > 0;
  update oauth.device_codes d set ip_address = null, user_agent = null where d.ip_address = any (ip_addresses);
  delete from credits.team_invitations i where i.email = forget_mentions.email;
  update apps.applications a set contacts = array_remove(a.contacts, forget_mentions.email)
   where forget_mentions.email = any (a.contacts);
  -- Wrong addresses that they typed, and others from the same place: who it was is not known.
  update auth.security_events s set ip_address = null, user_agent = null
   where s.user_id is null and s.ip_address = any (ip_addresses);
end $$;

-- Empties the row of a person: whatever may be null becomes null, the address one that nobody can have.
create function auth.bury_user(person uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  emptied text;
begin
  select string_agg(format('%I = null', a.attname), ', ') into emptied
    from pg_attribute a
   where a.attrelid = 'auth.users'::regclass and a.attnum > 0 and not a.attisdropped and not a.attnotnull;
  execute format($update$update auth.users set %s, role = 'user', is_active = false, subscription_status = 'none',
    subscription_tier = 'free', email = $1 || '@erased.invalid', updated_at = $2 where id = $1::uuid$update$, emptied)
    using person::text, at_time;
  update auth.users u set erased_at = at_time where u.id = person;
end $$;

-- Erases a person for good. What the ledger must keep stays under an id that leads to nobody; applications that they
-- used hear `user.deleted`. Refuses with request.not_found, users.erasure_blocked (teams, applications). `checked_hash`
-- is the password that was verified, null where there is none: when it is another by now, with auth.password_wrong.
create function auth.erase_person(
  person uuid, checked_hash text, at_time timestamptz, daily_amount bigint, daily_cap bigint
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
  if (select p.hash from auth.passwords p where p.user_id = person) is distinct from checked_hash then
    perform obol.refuse('auth.password_wrong');
  end if;
  -- Teams and applications one after the other, so that of two last owners who leave at once one stays.
  perform from credits.balances b join credits.team_members m on m.wallet_id = b.wallet_id
    where m.user_id = person order by b.wallet_id for no key update of b;
  perform from apps.applications a join apps.memberships m on m.application_id = a.id
    where m.user_id = person and m.role = 'admin' order by a.id for update of a;
  ties := auth.ties_of(person);
  if ties is not null then perform obol.refuse('users.erasure_blocked', ties); end if;
  ip_addresses := array(
    select s.ip_address from auth.sessions s where s.user_id = person and s.ip_address is not null
    union select e.ip_address from auth.security_events e where e.user_id = person and e.ip_address is not null);

  perform auth.forget_mentions(person, found_email, ip_addresses);
  perform webhooks.emit_event('user.deleted', at_time, jsonb_build_object('userId', person), person, person);
  perform credits.close_wallets_of(person, at_time, daily_amount, daily_cap);
  perform auth.delete_what_hangs_on(person);
  perform auth.bury_user(person, at_time);
  perform audit.append('user.erased', 'user', person::text, 'user', person::text, null, null, '{}', at_time);
  perform audit.forget_person(person);
end $$;
grant execute on function auth.erase_person(uuid, text, timestamptz, bigint, bigint) to obol_app;

-- Whoever spent in a team is erased, never deleted: the books refer to their mandate there.
alter table credits.mandates drop constraint mandates_member_id_users_id_fk;
alter table credits.mandates add constraint mandates_member_id_users_id_fk
  foreign key (member_id) references auth.users (id) on delete restrict;

-- Everything held about a person ------------------------------------------------------------------------------------

-- Where something about a person stands: a name for it, the table, which of its rows are theirs ($1 is the person), and
-- an order in which they can be read in pages. Every table that hangs on a person by a foreign key is among them, so
-- one that a feature adds is, too.
create function auth.personal_sections()
  returns table (section text, place regclass, condition text, order_columns text[])
  language sql stable set search_path = pg_catalog
as $$
  with places as (
    select 'auth.users'::regclass as place, 'id = $1' as condition
    union all
    select c.conrelid::regclass, string_agg(format('%I = $1', a.attname), ' or ' order by a.attname)
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and c.confdeltype = 'c'
     group by c.conrelid
    union all
    select v.place::regclass, v.condition
      from (values ('credits.balances', 'wallet_id = $1'), ('credits.lots', 'wallet_id = $1'),
                   ('credits.transactions', 'wallet_id = $1'), ('credits.holds', 'wallet_id = $1'),
                   ('credits.mandates', 'wallet_id = $1 or member_id = $1'), ('credits.purchases', 'user_id = $1'),
                   ('credits.redemptions', 'wallet_id = $1'), ('credits.usage_stats', 'wallet_id = $1'),
                   ('audit.events', 'target_id = $1::text or actor_id = $1::text')) as v (place, condition)
  )
  select n.nspname || '.' || c.relname, p.place, p.condition,
         case when p.place = 'credits.transactions'::regclass then array['wallet_id', 'sequence'] else (
           select array_agg(a.attname::text order by k.place)
             from pg_index i
            cross join unnest(i.indkey) with ordinality as k (number, place)
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
            where i.indrelid = p.place and i.indisprimary) end
    from places p join pg_class c on c.oid = p.place join pg_namespace n on n.oid = c.relnamespace
   order by 1
$$;

-- Some rows of a section, behind the row `after` (null: from the first on), without what proves who somebody is: bytes
-- are digests and sealed secrets, and a password has its hash left out. Transactions come with their entries.
create function auth.read_personal_rows(person uuid, wanted text, after jsonb, rows_max integer) returns setof jsonb
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
    select to_jsonb(t) - $2 || %s
      from %s t
     where (%s) and ($3 is null or (%s) > (select %s from jsonb_populate_record(null::%s, $3) t))
     order by %s limit $4$query$,
    case when wanted = 'credits.transactions'
      then $entries$jsonb_build_object('entries', (
        select jsonb_agg(jsonb_build_object('account', e.account, 'amount', e.amount, 'lot_id', e.lot_id)
                 order by e.ordinal)
          from credits.entries e where e.transaction_id = t.id))$entries$
      else '''{}''::jsonb' end,
    found_section.place, found_section.condition, order_list, order_list, found_section.place, order_list)
    using person, secret_columns, after, rows_max;
end $$;

create function auth.list_personal_sections() returns setof text
  language sql stable security definer set search_path = pg_catalog
as $$ select s.section from auth.personal_sections() s order by 1 $$;
grant execute on function auth.read_personal_rows(uuid, text, jsonb, integer), auth.list_personal_sections()
  to obol_app;

-- Leaving -------------------------------------------------------------------------------------------------------------

-- People behind an id as `obol import users` takes them, with their hashes and what their wallets hold; not those who
-- are erased.
create function auth.export_people(after uuid, rows_max integer) returns table (id uuid, person jsonb)
  language sql stable security definer set search_path = pg_catalog
as $$
  select u.id, jsonb_build_object('id', u.id, 'email', u.email, 'emailVerified', u.email_verified_at, 'name', u.name,
           'username', u.username, 'picture', u.picture, 'role', u.role, 'isActive', u.is_active,
           'auth0Id', u.auth0_id, 'createdAt', u.created_at, 'passwordHash', p.hash,
           'credits', coalesce(b.paid, 0), 'freeCredits', coalesce(b.free, 0),
           'accounts', coalesce((
             select jsonb_agg(jsonb_build_object('provider', a.provider, 'id', a.provider_account_id, 'email', a.email)
                      order by a.id)
               from auth.accounts a where a.user_id = u.id), '[]'))
    from auth.users u
    left join auth.passwords p on p.user_id = u.id
    left join credits.balances b on b.wallet_id = u.id
   where (after is null or u.id > after) and u.erased_at is null
   order by u.id limit rows_max
$$;

-- Transactions behind an id, with their entries.
create function credits.export_transactions(after uuid, rows_max integer) returns table (id uuid, made jsonb)
  language sql stable security definer set search_path = pg_catalog
as $$
  select t.id, to_jsonb(t) - 'hash' - 'previous_hash'
           || jsonb_build_object('hash', encode(t.hash, 'hex'), 'previous_hash', encode(t.previous_hash, 'hex'),
                'entries', (select jsonb_agg(jsonb_build_object('account', e.account, 'amount', e.amount,
                                     'lot_id', e.lot_id) order by e.ordinal)
                              from credits.entries e where e.transaction_id = t.id))
    from credits.transactions t
   where after is null or t.id > after
   order by t.id limit rows_max
$$;
grant execute on function auth.export_people(uuid, integer), credits.export_transactions(uuid, integer) to obol_app;

-- Retention -----------------------------------------------------------------------------------------------------------

-- Removes up to rows_max rows of a kind that ended before an instant, the oldest first; returns how many. The journal
-- and the audit trail are no such kind.
create function obol.forget_old(kind text, before_time timestamptz, rows_max integer) returns bigint
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  forgotten bigint := 0;
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
        returning d.id, d.event_id),
      orphaned as (
        delete from webhooks.events e
         where e.id in (select r.event_id from removed r)
           and not exists (select from webhooks.deliveries d
                            where d.event_id = e.id and d.id not in (select r.id from removed r)))
      select count(*) into forgotten from removed;
      return forgotten;
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
