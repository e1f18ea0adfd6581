-- Moving people in: which files have been taken in how far, whom they brought, and what was left out and why.

CREATE TABLE "auth"."imports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"digest" "bytea" NOT NULL,
	"mapping" text NOT NULL,
	"records_done" bigint NOT NULL,
	"created" bigint NOT NULL,
	"updated" bigint NOT NULL,
	"skipped" bigint NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone
);

CREATE TABLE "auth"."import_notes" (
	"import_id" uuid NOT NULL,
	"record" bigint NOT NULL,
	"reason" text NOT NULL,
	"line" bigint NOT NULL,
	"outcome" text NOT NULL,
	CONSTRAINT "import_notes_pk" PRIMARY KEY("import_id","record","reason"),
	CONSTRAINT "import_notes_outcome_check" CHECK ("auth"."import_notes"."outcome" in ('created', 'updated', 'skipped'))
);

CREATE TABLE "auth"."imported_people" (
	"import_id" uuid NOT NULL,
	"record" bigint NOT NULL,
	"user_id" uuid NOT NULL,
	"external_id" text,
	CONSTRAINT "imported_people_pk" PRIMARY KEY("import_id","record")
);

ALTER TABLE "auth"."import_notes" ADD CONSTRAINT "import_notes_import_id_imports_id_fk"
	FOREIGN KEY ("import_id") REFERENCES "auth"."imports"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."imported_people" ADD CONSTRAINT "imported_people_import_id_imports_id_fk"
	FOREIGN KEY ("import_id") REFERENCES "auth"."imports"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."imported_people" ADD CONSTRAINT "imported_people_user_id_users_id_fk"
	FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
CREATE UNIQUE INDEX "imports_digest_key" ON "auth"."imports" USING btree ("digest");
CREATE INDEX "imported_people_user_idx" ON "auth"."imported_people" USING btree ("user_id");

select obol.protect('auth.imports', null, 'select, insert, update');
select obol.protect('auth.import_notes', null, 'select, insert');
select obol.protect('auth.imported_people', null, 'select');

-- A person as a file says. `id` is the one they have had elsewhere, if it is a UUID, and `new_id` the one for whoever
-- has none or finds it taken. `accounts` are [{provider, id, email}]; credits are what the old wallet held.
create type auth.person_to_import as (
  record bigint, line bigint, external_id text, id uuid, new_id uuid, email text, email_verified_at timestamptz,
  name text, username text, picture text, role text, is_active boolean, auth0_id text, created_at timestamptz,
  hash text, accounts jsonb, credits bigint, free_credits bigint
);

-- What was found out about them: who has the address already, what keeps the person out, and what is left out of them.
create type auth.judged_import as (
  person auth.person_to_import, existing_id uuid, refusal text, notes text[]
);

-- Opens the wallet of somebody who has been imported, with what their old one held, as lots of an adjustment.
create function auth.open_imported_wallet(person auth.person_to_import, signup_bonus bigint, at_time timestamptz)
  returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  wallet credits.balances;
  lot credits.lots;
  part record;
begin
  perform credits.open_wallet(person.id, signup_bonus, at_time);
  for part in select v.kind, v.amount
                from (values ('free', person.free_credits), ('paid', person.credits)) as v (kind, amount)
               where v.amount > 0 loop
    select * into wallet from credits.balances b where b.wallet_id = person.id;
    lot := null;
    lot.source := 'adjustment';
    lot.kind := part.kind;
    lot.amount := part.amount;
    lot.priority := 100;
    lot.created_at := at_time;
    perform credits.save_wallet(
      credits.add_lot(wallet, lot, 'adjustment', 'Balance brought along', 'adjustments'));
  end loop;
end $$;

-- Judges the people of a batch against those who are there and against each other: what keeps each of them out, and
-- which of their names are taken. Whoever was brought by the same file before is a duplicate in it. By index only, so
-- that a plan which was made when the tables were empty still serves when they are full.
create function auth.judge_import(of_import uuid, people jsonb, policy text)
  returns setof auth.judged_import
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with given as (
    select g as person, g.record, u.id as existing_id, u.username as existing_username,
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
      (g.person).is_active, case when not g.has_no_auth0_id then (g.person).auth0_id end, (g.person).created_at,
      (g.person).hash, (g.person).accounts, (g.person).credits, (g.person).free_credits
    )::auth.person_to_import,
    g.existing_id,
    case when g.is_duplicate then 'duplicate_in_file'
         when g.existing_id is not null and policy <> 'update' then 'email_taken' end,
    array_remove(array[
      case when (g.person).id is not null and g.has_no_id and g.existing_id is null then 'id_taken' end,
      case when (g.person).username is not null and g.has_no_username then 'username_taken' end,
      case when (g.person).auth0_id is not null and g.has_no_auth0_id then 'auth0_id_taken' end], null)
    from given g
$$;

-- Makes the people of a batch that nothing keeps out, with password, accounts and the beginning of their trail. What
-- somebody else took in the meantime stays theirs. Returns those who were made.
create function auth.insert_imported(people auth.person_to_import[], at_time timestamptz)
  returns auth.person_to_import[]
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  made_ids uuid[];
  made auth.person_to_import[];
begin
  with inserted as (
    insert into auth.users (id, email, email_verified_at, name, username, picture, role, auth0_id, is_active,
        created_at, updated_at)
      select p.id, p.email, p.email_verified_at, p.name, p.username, p.picture, p.role, p.auth0_id, p.is_active,
             p.created_at, at_time
        from unnest(people) p
      on conflict do nothing
      returning id)
  select coalesce(array_agg(i.id), '{}') into made_ids from inserted i;
  select coalesce(array_agg(p order by p.record), '{}') into made from unnest(people) p where p.id = any (made_ids);
  insert into auth.passwords (user_id, hash, created_at, updated_at)
    select p.id, p.hash, at_time, at_time from unnest(made) p where p.hash is not null;
  return made;
end $$;

-- Changes people who are there already (policy `update`): what the file says of them and they have not said
-- themselves, and the password when the file has one. An address that only the file knows to be confirmed makes void
-- what somebody set up under it before: password and sessions. So does a new password with the sessions.
create function auth.update_imported(people auth.person_to_import[], at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  reclaimed uuid[];
begin
  select coalesce(array_agg(u.id), '{}') into reclaimed
    from unnest(people) p join auth.users u on u.id = p.id
   where p.hash is not null or (u.email_verified_at is null and p.email_verified_at is not null);
  update auth.users u
     set name = coalesce(u.name, p.name), username = coalesce(u.username, p.username),
         picture = coalesce(u.picture, p.picture), auth0_id = coalesce(u.auth0_id, p.auth0_id),
         email_verified_at = coalesce(u.email_verified_at, p.email_verified_at), updated_at = at_time
    from unnest(people) p
   where u.id = p.id;
  delete from auth.passwords w where w.user_id = any (reclaimed);
  insert into auth.passwords (user_id, hash, created_at, updated_at)
    select p.id, p.hash, at_time, at_time from unnest(people) p where p.hash is not null;
  update auth.sessions s set revoked_at = at_time, revoked_reason = 'password_changed'
   where s.user_id = any (reclaimed) and s.revoked_at is null;
end $$;

-- What made and changed people have in common: accounts elsewhere, the trail, and where they came from. Returns the
-- accounts that belong to somebody else, by record.
create function auth.attach_imported(of_import uuid, people auth.person_to_import[], at_time timestamptz)
  returns bigint[]
  language plpgsql volatile set search_path = pg_catalog set enable_seqscan = off
as $$
declare
  taken bigint[];
begin
  insert into auth.imported_people (import_id, record, user_id, external_id)
    select of_import, p.record, p.id, p.external_id from unnest(people) p;
  insert into auth.accounts (id, user_id, provider, provider_account_id, email, created_at, last_used_at)
    select credits.new_id(at_time), p.id, a.account->>'provider', a.account->>'id', a.account->>'email', at_time,
           at_time
      from unnest(people) p cross join jsonb_array_elements(p.accounts) as a (account)
    on conflict do nothing;
  insert into auth.security_events (id, user_id, type, details, created_at)
    select credits.new_id(at_time), p.id, 'account.imported', '{}', at_time from unnest(people) p;
  select coalesce(array_agg(distinct p.record), '{}') into taken
    from unnest(people) p cross join jsonb_array_elements(p.accounts) as a (account)
    join auth.accounts c on c.provider = a.account->>'provider' and c.provider_account_id = a.account->>'id'
   where c.user_id <> p.id;
  return taken;
end $$;

-- Writes down what there is to say about the records of a batch. `notes` are what the reader said,
-- [{record, line, reason, isSkipped}]; the rest was found out here.
create function auth.note_imported(
  of_import uuid, notes jsonb, judged auth.judged_import[], made auth.person_to_import[], taken_accounts bigint[]
) returns void
  language sql volatile set search_path = pg_catalog
as $$
  with outcomes as (
    select (j.person).record, (j.person).line, j.notes, j.existing_id,
           case when j.refusal is not null then j.refusal
                when j.existing_id is null and m.record is null then 'taken_meanwhile' end as refusal
      from unnest(judged) j left join unnest(made) m on m.record = (j.person).record
  ), said as (
    select o.record, o.refusal as reason, o.line, 'skipped' as outcome from outcomes o where o.refusal is not null
    union all
    select o.record, n.reason, o.line, case when o.existing_id is null then 'created' else 'updated' end
      from outcomes o
     cross join lateral (
        select unnest(o.notes) as reason
        union select 'account_taken' where o.record = any (taken_accounts)
        union select g->>'reason' from jsonb_array_elements(note_imported.notes) g
               where (g->>'record')::bigint = o.record) n
     where o.refusal is null
    union all
    select (g->>'record')::bigint, g->>'reason', (g->>'line')::bigint, 'skipped'
      from jsonb_array_elements(note_imported.notes) g where (g->>'isSkipped')::boolean
  )
  insert into auth.import_notes (import_id, record, reason, line, outcome)
    select of_import, s.record, s.reason, s.line, s.outcome from said s
$$;

-- Takes in the records of a file between two positions, and notes the position: both or neither. Refuses with
-- auth.import_elsewhere when another run has come to these records first.
create function auth.import_people(
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
grant execute on function auth.import_people(uuid, bigint, bigint, jsonb, jsonb, text, bigint, timestamptz)
  to obol_app;
