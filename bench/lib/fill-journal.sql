-- Makes a long past for every wallet: :rounds transactions, each with its entries and its key, behind those it has.
-- They look like spends but are not sealed; nothing that spends reads them. Rows come in the order of time and
-- ids, as they would have.
with past as (
  select gen_random_uuid() as random_id, b.wallet_id, b.free + b.paid as balance, b.sequence, round.number,
         now() - interval '1 year' + round.number * interval '1 second' as happened_at
    from generate_series(1, :rounds) as round (number) cross join credits.balances b
   order by round.number, b.wallet_id
), journal as (
  insert into credits.transactions (id, wallet_id, sequence, type, status, amount, balance_before, balance_after,
      app_id, description, idempotency_key, created_at, previous_hash, hash)
    select encode(overlay(uuid_send(p.random_id) placing
             substring(int8send((extract(epoch from p.happened_at) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid,
           p.wallet_id, p.sequence + p.number, 'usage', 'completed', -1, p.balance + 1, p.balance, 'bench',
           'benchmark', 'past-' || p.sequence + p.number, p.happened_at, sha256('past'),
           sha256(uuid_send(p.random_id))
      from past p
    returning id, wallet_id, balance_after, idempotency_key, created_at
), sides as (
  insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount)
    select j.id, side.ordinal, j.wallet_id, side.account, side.amount
      from journal j
     cross join lateral (values (1, 'wallet:' || j.wallet_id || ':free', -1), (2, 'revenue:bench', 1))
       as side (ordinal, account, amount)
)
insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, transaction_id, balance_before, free,
    paid, held, total_spent, created_at)
  select j.wallet_id, 'bench', j.idempotency_key, sha256('request'), j.id, j.balance_after + 1, j.balance_after, 0, 0,
         0, j.created_at
    from journal j;
update credits.balances set sequence = sequence + :rounds;
