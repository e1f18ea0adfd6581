-- The books of the way that services usually keep them, which the plain service spends from: a balance with a version,
-- a transaction with a unique key, two entries, each written by a statement of its own.
create schema plain;
create table plain.wallets (
  id text primary key, balance bigint not null check (balance >= 0), version bigint not null default 0,
  updated_at timestamptz not null default now()
);
create table plain.transactions (
  id uuid primary key default gen_random_uuid(),
  wallet_id text not null references plain.wallets (id),
  app_id text not null,
  amount bigint not null,
  balance_after bigint not null,
  description text not null,
  idempotency_key text not null,
  created_at timestamptz not null default now(),
  unique (wallet_id, app_id, idempotency_key)
);
create table plain.entries (
  transaction_id uuid not null references plain.transactions (id),
  ordinal smallint not null,
  account text not null,
  amount bigint not null,
  primary key (transaction_id, ordinal)
);
insert into plain.wallets (id, balance) select 'w-' || i, 1000000000000 from generate_series(1, 1000) i;
vacuum analyze plain.wallets;
