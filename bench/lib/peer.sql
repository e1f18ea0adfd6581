-- The plain way to keep the same books: one transaction per spend, as one function call. The balance row guards the
-- funds, the transaction carries a unique idempotency key, two entries sum to zero. pgbench calls it as the limit that
-- the ledger is measured against.
create schema peer;
create table peer.balances (wallet_id bigint primary key, balance bigint not null check (balance >= 0));
create table peer.transactions (
  id bigint generated always as identity primary key,
  wallet_id bigint not null,
  amount bigint not null,
  idempotency_key bigint not null,
  created_at timestamptz not null default now(),
  unique (wallet_id, idempotency_key)
);
create table peer.entries (
  transaction_id bigint not null,
  ordinal smallint not null,
  account text not null,
  amount bigint not null,
  primary key (transaction_id, ordinal)
);
create function peer.spend(wallet bigint, spent bigint, key bigint) returns bigint
  language plpgsql
as $$
declare
  new_balance bigint;
  new_id bigint;
begin
  update peer.balances set balance = balance - spent where wallet_id = wallet and balance >= spent
    returning balance into new_balance;
  if not found then raise exception 'insufficient'; end if;
  insert into peer.transactions (wallet_id, amount, idempotency_key)
    values (wallet, spent, key) returning id into new_id;
  insert into peer.entries (transaction_id, ordinal, account, amount)
    values (new_id, 1, 'wallet:' || wallet, -spent), (new_id, 2, 'revenue:app', spent);
  return new_balance;
end $$;
insert into peer.balances (wallet_id, balance) select id, 1000000000000 from generate_series(1, 100000) as id;
vacuum analyze peer.balances;
