-- What was written about a person and outlived them: in remembered answers, in reasons of administrators, in events
-- about teams and in the books of a team that they sent credits to. See docs/decisions/erasure.md.

-- The books -----------------------------------------------------------------------------------------------------------

-- What stays of the metadata of a transaction whose words are forgotten: which transaction is the other side of a
-- transfer, which the service wrote itself, and the model, which the usage statistics count by.
create function credits.lasting_metadata(made credits.transactions) returns jsonb
  language sql immutable
as $$
  select case
    when made.type = 'transfer' then made.metadata
    when made.type in ('usage', 'capture') and made.metadata->>'model' is not null
      then pg_catalog.jsonb_build_object('model', pg_catalog.left(made.metadata->>'model', 100)) end
$$;

-- Forgets what was written about the spends and movements of a person: in their own wallet, in a team's where they
-- spent as its member or which they sent credits to, and in the answers that are remembered under idempotency keys.
-- What the service wrote itself stays. The wallets are locked.
create or replace function credits.erase_texts(person uuid, at_time timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  mandates uuid[] := array(select m.id from credits.mandates m where m.member_id = person);
  teams uuid[] := array(select distinct m.wallet_id from credits.mandates m where m.member_id = person);
  -- The other sides of what they sent.
  received uuid[] := array(
    select (t.metadata->>'transactionId')::uuid from credits.transactions t
     where t.wallet_id = person and t.type = 'transfer' and t.metadata ? 'toWalletId');
  erased uuid[];
begin
  perform set_config('obol.erasing', 'on', true);
  with changed as (
    update credits.transactions t set description = 'Erased', metadata = credits.lasting_metadata(t)
     where (t.wallet_id = person
         or (t.wallet_id = any (teams) and t.mandate_id = any (mandates))
         or (t.id = any (received) and t.type = 'transfer' and t.metadata->>'fromWalletId' = person::text))
       and t.type not in ('daily', 'expire', 'repayment')
       and (t.description <> 'Erased' or t.metadata is distinct from credits.lasting_metadata(t))
    returning t.id)
  select coalesce(array_agg(c.id), '{}') into erased from changed c;
  perform set_config('obol.erasing', 'off', true);
  insert into credits.erased_texts (transaction_id, wallet_id, seal, erased_at)
    select t.id, t.wallet_id, credits.erased_seal(row(t.*)::credits.transactions, credits.sides_of(t.id)), at_time
      from credits.transactions t where t.id = any (erased);
  update credits.holds h set description = 'Erased', metadata = null
   where h.wallet_id = person or (h.wallet_id = any (teams) and h.mandate_id = any (mandates));
  -- Answers that show a hold.
  update credits.idempotency_keys k set details = k.details || '{"description": "Erased", "metadata": null}'
   where k.details ? 'description'
     and (k.wallet_id = person
       or (k.wallet_id = any (teams) and (k.details->>'mandateId')::uuid = any (mandates)));
end $$;

-- Events --------------------------------------------------------------------------------------------------------------

create or replace function webhooks.note_expired_hold() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform webhooks.emit_to_client('hold.expired', new.expires_at, jsonb_build_object('holdId', new.id,
    'userId', (select b.owner_id from credits.balances b where b.wallet_id = new.wallet_id),
    'walletId', new.wallet_id, 'amount', new.amount, 'captured', new.captured, 'returned', old.remaining,
    'description', new.description, 'mandateId', new.mandate_id, 'expiresAt', credits.iso_time(new.expires_at)),
    new.app_id);
  return null;
end $$;

-- Forgets the events that name a person, by id or address, or that are about what they spent as a member of a team.
create function webhooks.forget_events(person uuid, email text) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  -- Whole texts of a document: an address may be the end of another one.
  quoted_email text := '"' || email || '"';
  quoted_id text := '"' || person || '"';
  mandates text[] := array(select m.id::text from credits.mandates m where m.member_id = person);
begin
  delete from webhooks.events e
   where position(quoted_email in lower(e.data::text)) > 0 or position(quoted_id in e.data::text) > 0
      or e.data->>'mandateId' = any (mandates)
      -- Events of holds did not always name the mandate.
      or (e.type = 'hold.expired' and exists (
        select from credits.holds h where h.id = (e.data->>'holdId')::uuid and h.mandate_id::text = any (mandates)));
end $$;

-- Forgets, in what belongs to nobody in particular, an address, the names of its owner and where they signed in from:
-- jobs and their failures, answers to events, requests under way, contacts, what payment providers sent. Events go
-- by webhooks.forget_events.
create or replace function auth.forget_mentions(person uuid, email text, ip_addresses text[]) returns void
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
  update webhooks.attempts a set response_excerpt = null where position(email in lower(a.response_excerpt)) > 0;
  perform payments.forget_payloads(person, email);
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

-- The audit trail -----------------------------------------------------------------------------------------------------

-- Forgets, for good, address and reason of the acts whose target is one of these, as audit.forget_person does.
create function audit.forget_acts_on(target_ids text[]) returns void
  language sql volatile set search_path = pg_catalog
as $$
  update audit.events e set ip_address = null, reason = null, personal_salt = null
   where e.target_id = any (target_ids) and (e.ip_address is not null or e.reason is not null)
$$;

-- What administrators may have acted on, with a reason, when they acted on a person: transactions of theirs that were
-- given back or taken back, in their wallet or as a member of a team, their purchases, and refunds of these. Found by
-- what was given back, so that a long history means no longer list.
create function auth.targets_of(person uuid) returns text[]
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  mandates uuid[] := array(select m.id from credits.mandates m where m.member_id = person);
  teams uuid[] := array(select distinct m.wallet_id from credits.mandates m where m.member_id = person);
begin
  return array(
    select t.reverses_id::text from credits.transactions t
     where t.reverses_id is not null
       and (t.wallet_id = person or (t.wallet_id = any (teams) and t.mandate_id = any (mandates)))
    union select p.transaction_id::text from credits.purchases p
           where p.user_id = person and p.transaction_id is not null
    union select p.id::text from credits.purchases p where p.user_id = person
    union select q.id::text from payments.refund_requests q join credits.purchases p on p.id = q.purchase_id
           where p.user_id = person);
end $$;

-- Erasure -------------------------------------------------------------------------------------------------------------

-- Erases a person for good. What the ledger must keep stays under an id that leads to nobody; applications that they
-- used hear `user.deleted`. Refuses with request.not_found, users.erasure_blocked (see ties_of). `checked_hash`
-- is the password that was verified, null where there is none: when it is another by now, with auth.password_wrong.
create or replace function auth.erase_person(
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
  perform audit.append('user.erased', 'user', person::text, 'user', person::text, null, null, '{}', at_time);
  perform audit.forget_person(person);
  perform audit.forget_acts_on(auth.targets_of(person));
end $$;

-- Everything held about a person --------------------------------------------------------------------------------------

-- Where something about a person stands: a name for it, the table, which of its rows are theirs ($1 is the person), and
-- an order in which they can be read in pages. Every table that hangs on a person by a foreign key is among them, so
-- one that a feature adds is, too.
create or replace function auth.personal_sections()
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
                   ('credits.idempotency_keys', 'wallet_id = $1'),
                   ('payments.refund_requests',
                     'requested_by = $1 or purchase_id in (select p.id from credits.purchases p where p.user_id = $1)'),
                   ('payments.invoices', '(provider, provider_subscription_id) in (select s.provider,
                     s.provider_subscription_id from payments.subscriptions s where s.user_id = $1)'),
                   ('payments.periods',
                     'subscription_id in (select s.id from payments.subscriptions s where s.user_id = $1)'),
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

-- Who is erased already ----------------------------------------------------------------------------------------------

-- Forgets the same of people who were erased before. Their side of a transfer had lost which transaction the other
-- side is; that one still says so, and what is left is sealed anew.
do $$
declare
  gone record;
  mended uuid[];
begin
  if not exists (select from auth.users u where u.erased_at is not null) then return; end if;
  perform set_config('obol.erasing', 'on', true);
  with mending as (
    update credits.transactions t
       set metadata = jsonb_build_object('toWalletId', o.wallet_id, 'transactionId', o.id)
      from credits.transactions o join auth.users u on u.id::text = o.metadata->>'fromWalletId'
     where o.type = 'transfer' and u.erased_at is not null
       and t.id = (o.metadata->>'transactionId')::uuid and t.wallet_id = u.id and t.type = 'transfer'
       and t.metadata is null
    returning t.id)
  select coalesce(array_agg(m.id), '{}') into mended from mending m;
  perform set_config('obol.erasing', 'off', true);
  update credits.erased_texts x
     set seal = credits.erased_seal(row(t.*)::credits.transactions, credits.sides_of(t.id))
    from credits.transactions t where t.id = any (mended) and x.transaction_id = t.id;
  for gone in select u.id, u.erased_at from auth.users u where u.erased_at is not null order by u.id loop
    perform credits.erase_texts(gone.id, gone.erased_at);
    perform audit.forget_acts_on(auth.targets_of(gone.id));
  end loop;
  delete from webhooks.events e
   where e.type in ('credits.spent', 'hold.expired')
     and (exists (select from auth.users u where u.erased_at is not null and u.id::text = e.data->>'userId')
       or exists (
         select from credits.mandates m join auth.users u on u.id = m.member_id
          where u.erased_at is not null
            and m.id in ((e.data->>'mandateId')::uuid,
              (select h.mandate_id from credits.holds h where h.id = (e.data->>'holdId')::uuid))));
end $$;
