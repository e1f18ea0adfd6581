-- The ledger: who may read it, what keeps the journal append-only, and the steps that every movement of credits is
-- made of. obol_app may read; credits move only through the `security definer` functions granted here and in the
-- files that follow. Those lock the wallet first (`for no key update`, several in sorted order), so that everything
-- below runs for one transaction per wallet at a time. Times are handed in.

select obol.protect('credits.balances', 'owner_id', 'select');
select obol.protect('credits.lots', 'wallet_id', 'select');
select obol.protect('credits.transactions', 'wallet_id', 'select');
select obol.protect('credits.entries', 'wallet_id', 'select');
select obol.protect('credits.idempotency_keys', 'wallet_id', 'select');
select obol.protect('credits.holds', 'wallet_id', 'select');
select obol.protect('credits.hold_lots', 'wallet_id', 'select');
select obol.protect('credits.mandates', 'wallet_id', 'select');
select obol.protect('credits.usage_stats', 'wallet_id', 'select');
select obol.protect('credits.packages', null, 'select, insert, update');
select obol.protect('credits.purchases', 'user_id', 'select, insert, update');
-- What is for sale is everybody's to read.
create policy anyone_read on credits.packages for select using (is_active);

-- Most updates of a lot or a balance touch no indexed column; room in the page keeps them there (HOT).
alter table credits.balances set (fillfactor = 70);
alter table credits.lots set (fillfactor = 70);
alter table credits.usage_stats set (fillfactor = 80);

create function credits.forbid_change() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception 'the journal is append-only: % on %.% is not allowed', tg_op, tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create trigger transactions_append_only before update or delete or truncate on credits.transactions
  for each statement execute function credits.forbid_change();
create trigger entries_append_only before update or delete or truncate on credits.entries
  for each statement execute function credits.forbid_change();

-- A version 7 UUID of the given time, so that indexes grow at one end.
create function credits.new_id(at_time timestamptz) returns uuid
  language sql volatile set search_path = pg_catalog
as $$
  select encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from at_time) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- What the hash of a transaction seals: the text of a JSON array of its fields and its entries. `sides` are the entries
-- in order, each [account, amount, lot_id]. A single expression without search_path, so that PostgreSQL inlines it.
create function credits.sealed_text(made credits.transactions, sides jsonb) returns text
  language sql stable
as $$
  select pg_catalog.jsonb_build_array(
    made.id, made.wallet_id, made.sequence, made.type, made.status, made.amount, made.balance_before,
    made.balance_after, made.app_id, made.description, made.metadata, made.idempotency_key, made.hold_id,
    made.mandate_id, made.reverses_id, (extract(epoch from made.created_at) * 1000)::bigint, sides)::text
$$;

-- The hash that seals a transaction and, through previous_hash, all before it. Inlined like sealed_text.
create function credits.transaction_hash(made credits.transactions, sides jsonb) returns bytea
  language sql stable
as $$
  select pg_catalog.sha256(made.previous_hash || pg_catalog.convert_to(credits.sealed_text(made, sides), 'UTF8'))
$$;

-- Appends a transaction that changes the wallet by free_change and paid_change, and returns the wallet as it is then;
-- the caller saves it. Gives sequence, balances and hash; `made` brings the rest. The wallet is locked.
create function credits.append_transaction(
  wallet credits.balances, made credits.transactions, free_change bigint, paid_change bigint, sides jsonb
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  made.wallet_id := wallet.wallet_id;
  made.sequence := wallet.sequence + 1;
  made.status := 'completed';
  made.balance_before := wallet.free + wallet.paid;
  wallet.free := wallet.free + free_change;
  wallet.paid := wallet.paid + paid_change;
  made.balance_after := wallet.free + wallet.paid;
  -- Time never goes back within a wallet, even when the clocks of two services differ by a little.
  made.created_at := greatest(made.created_at, wallet.last_transaction_at);
  made.previous_hash := wallet.chain_head;
  made.hash := credits.transaction_hash(made, sides);
  insert into credits.transactions select made.*;
  insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount, lot_id)
    select made.id, side.ordinal, made.wallet_id, side.parts->>0, (side.parts->>1)::bigint, (side.parts->>2)::uuid
      from jsonb_array_elements(sides) with ordinality as side (parts, ordinal);
  wallet.sequence := made.sequence;
  wallet.chain_head := made.hash;
  wallet.last_transaction_at := made.created_at;
  return wallet;
end $$;

-- Brings a lot in (source, kind, amount, priority, expires_at, daily_window_at, created_at are given) by the
-- transaction `made` (id, type and description are given, and what else it shall say) from `from_account`. What comes
-- in repays the wallet's debt first. Returns the wallet as it is then, for the caller to save.
create function credits.bring_in(
  wallet credits.balances, lot credits.lots, made credits.transactions, from_account text
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  is_free boolean := lot.kind = 'free';
begin
  made.amount := lot.amount;
  made.created_at := lot.created_at;
  lot.id := credits.new_id(lot.created_at);
  lot.wallet_id := wallet.wallet_id;
  lot.remaining := lot.amount;
  lot.held := 0;
  lot.transaction_id := made.id;
  insert into credits.lots select lot.*;
  wallet.total_earned := wallet.total_earned + lot.amount;
  wallet.next_expiry_at := least(wallet.next_expiry_at, lot.expires_at);
  wallet := credits.append_transaction(
    wallet, made,
    case when is_free then lot.amount else 0 end, case when is_free then 0 else lot.amount end,
    jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), lot.amount, lot.id),
      jsonb_build_array(from_account, -lot.amount, null)));
  if wallet.debt = 0 then return wallet; end if;
  return credits.repay_debt(wallet, array[lot.id], lot.created_at);
end $$;

-- Adds a lot and the transaction that brings it in, see bring_in.
create function credits.add_lot(
  wallet credits.balances, lot credits.lots, transaction_type text, transaction_description text, from_account text
) returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  made credits.transactions;
begin
  made.id := credits.new_id(lot.created_at);
  made.type := transaction_type;
  made.description := transaction_description;
  return credits.bring_in(wallet, lot, made, from_account);
end $$;

-- Repays what the wallet owes with what these lots have that is neither held nor expired, in the order given. Returns
-- the wallet as it is then, for the caller to save.
create function credits.repay_debt(wallet credits.balances, lot_ids uuid[], at_time timestamptz)
  returns credits.balances
  language plpgsql volatile set search_path = pg_catalog
as $$
declare
  lot credits.lots;
  made credits.transactions;
  part bigint;
  free_change bigint := 0;
  paid_change bigint := 0;
  sides jsonb := '[]';
begin
  for lot in select l.* from credits.lots l
              where l.id = any (lot_ids) and l.wallet_id = wallet.wallet_id and l.remaining > l.held
                and (l.expires_at is null or l.expires_at > at_time)
              order by array_position(lot_ids, l.id) loop
    part := least(wallet.debt, lot.remaining - lot.held);
    exit when part = 0;
    if lot.kind = 'free' then free_change := free_change - part;
    else paid_change := paid_change - part;
    end if;
    wallet.debt := wallet.debt - part;
    sides := sides || jsonb_build_array(
      jsonb_build_array(format('wallet:%s:%s', wallet.wallet_id, lot.kind), -part, lot.id));
    update credits.lots l
       set remaining = l.remaining - part, closed_at = case when l.remaining = part then at_time end
     where l.id = lot.id;
  end loop;
  if sides = '[]' then return wallet; end if;
  made.id := credits.new_id(at_time);
  made.type := 'repayment';
  made.amount := free_change + paid_change;
  made.description := 'Repayment of debt';
  made.created_at := at_time;
  return credits.append_transaction(wallet, made, free_change, paid_change,
    sides || jsonb_build_array(jsonb_build_array('receivable:' || wallet.wallet_id, -made.amount, null)));
end $$;

-- Writes the wallet back after steps that only computed it.
create function credits.save_wallet(wallet credits.balances) returns void
  language sql volatile set search_path = pg_catalog
as $$
  update credits.balances
     set (free, paid, held, debt, total_earned, total_spent, next_daily_at, next_expiry_at, sequence, chain_head,
          last_transaction_at)
       = (wallet.free, wallet.paid, wallet.held, wallet.debt, wallet.total_earned, wallet.total_spent,
          wallet.next_daily_at, wallet.next_expiry_at, wallet.sequence, wallet.chain_head, wallet.last_transaction_at)
   where wallet_id = wallet.wallet_id
$$;

-- Opens a person's wallet with the signup bonus; the first daily grant is due 24 hours later. A second call changes
-- nothing.
create function credits.open_wallet(new_owner uuid, signup_bonus bigint, at_time timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  wallet credits.balances;
  lot credits.lots;
begin
  insert into credits.balances (wallet_id, owner_id, kind, status, free, paid, held, debt, total_earned, total_spent,
      next_daily_at, sequence, chain_head, last_transaction_at, created_at)
    values (new_owner, new_owner, 'personal', 'active', 0, 0, 0, 0, 0, 0,
      at_time + interval '24 hours', 0, decode(repeat('00', 32), 'hex'), at_time, at_time)
    on conflict (wallet_id) do nothing
    returning * into wallet;
  if not found or signup_bonus = 0 then return; end if;
  lot.source := 'signup';
  lot.kind := 'free';
  lot.amount := signup_bonus;
  lot.priority := 100;
  lot.created_at := at_time;
  perform credits.save_wallet(credits.add_lot(wallet, lot, 'bonus', 'Signup bonus', 'issued:bonus'));
end $$;

grant execute on function credits.open_wallet(uuid, bigint, timestamptz) to obol_app;

-- A package without a price of its own costs what CREDITS_PER_EUR says (100 credits = EUR 1.00 by default).
insert into credits.packages (id, name, credits, price_cents, currency, position, is_active) values
  ('starter', 'Starter', 500, null, 'EUR', 1, true),
  ('standard', 'Standard', 1000, null, 'EUR', 2, true),
  ('plus', 'Plus', 2500, null, 'EUR', 3, true),
  ('pro', 'Pro', 10000, null, 'EUR', 4, true);
