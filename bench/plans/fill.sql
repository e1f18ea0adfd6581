-- A ledger with a past, made of sets. Sealed like the real one, so that `obol ledger verify` has its full work with it.
-- The parts are separated by lines of their own; `:name` stands for a number that the script fills in.

-- part: people
insert into auth.users (id, email, email_verified_at, created_at, updated_at)
  select credits.new_id(now() - interval '365 days' + i * interval '1 second'), 'user' || i || '@example.com', now(),
         date_trunc('day', now()) - interval '365 days', now()
    from generate_series(1, :wallets) i;
insert into credits.balances (wallet_id, owner_id, kind, status, free, paid, held, debt, total_earned, total_spent,
    next_daily_at, sequence, chain_head, last_transaction_at, created_at)
  select u.id, u.id, 'personal', 'active', 0, 0, 0, 0, 0, 0, u.created_at + interval '8784 hours', 0,
         decode(repeat('00', 32), 'hex'), u.created_at, u.created_at
    from auth.users u;
create unlogged table heads_a (wallet_id uuid, sequence bigint, balance bigint, head bytea, lot_id uuid);
create unlogged table heads_b (like heads_a);
insert into heads_a select b.wallet_id, 0, 0, b.chain_head, null from credits.balances b;

-- part: crowd
-- People one a second, with empty wallets: what lists of people are about.
insert into auth.users (id, email, name, username, is_active, created_at, updated_at)
  select credits.new_id(t.made_at), 'person-' || i || '@example.com', 'Person' || i || ' Surname' || i % 1000,
         'person_' || i, i % 100 <> 0, t.made_at, t.made_at
    from generate_series(1, :people) i
   cross join lateral (select timestamptz '2020-01-01 00:00:00Z' + i * interval '1 second' as made_at) t;
insert into credits.balances (wallet_id, owner_id, kind, status, free, paid, held, debt, total_earned, total_spent,
    next_daily_at, sequence, chain_head, last_transaction_at, created_at)
  select u.id, u.id, 'personal', 'active', 0, 0, 0, 0, 0, 0, u.created_at + interval '87840 hours', 0,
         decode(repeat('00', 32), 'hex'), u.created_at, u.created_at
    from auth.users u where u.email like 'person-%';

-- part: payments
-- Purchases one a minute, with all that a provider has told of them; each tenth went back. The last thousand wait to be
-- paid, and as many events for what they are about.
create unlogged table sold as
  select credits.new_id(timestamptz '2020-01-01 00:00:00Z' + i * interval '1 minute') as id, w.wallet_id, i,
         timestamptz '2020-01-01 00:00:00Z' + i * interval '1 minute' as made_at, i <= :purchases as is_paid
    from generate_series(1, :purchases + 1000) i
    join (select b.wallet_id, row_number() over (order by b.sequence desc, b.wallet_id) - 1 as place
            from credits.balances b where b.sequence > 0) w on w.place = i % :wallets;
insert into credits.purchases (id, wallet_id, user_id, credits, price_cents, currency, provider, status, created_at,
    completed_at, provider_payment_id, next_check_at)
  select s.id, s.wallet_id, s.wallet_id, 10, 1000, 'EUR', 'stripe',
         case when s.is_paid then 'completed' else 'pending' end, s.made_at, case when s.is_paid then s.made_at end,
         case when s.is_paid then 'pi_' || s.id end, case when not s.is_paid then s.made_at end
    from sold s;
insert into payments.checkouts (provider, checkout_id, opened_for, payment_id, status, amount_cents, total_cents,
    currency, is_live, updated_at)
  select 'stripe', 'cs_test_' || s.id, s.id, case when s.is_paid then 'pi_' || s.id end,
         case when s.is_paid then 'paid' else 'open' end, 1000, 1000, 'EUR', false, s.made_at
    from sold s;
insert into payments.payments (provider, payment_id, created_at)
  select 'stripe', 'pi_' || s.id, s.made_at from sold s where s.is_paid;
insert into payments.postings (id, purchase_id, amount, created_at)
  select credits.new_id(s.made_at), s.id, 10, s.made_at from sold s where s.is_paid;
insert into payments.refunds (provider, refund_id, payment_id, status, amount_cents, currency, is_live, updated_at)
  select 'stripe', 're_' || s.id, 'pi_' || s.id, 'succeeded', 1000, 'EUR', false, s.made_at
    from sold s where s.i % 10 = 0;
insert into payments.disputes (provider, dispute_id, payment_id, status, amount_cents, currency, is_live, updated_at)
  select 'stripe', 'dp_' || s.id, 'pi_' || s.id, 'lost', 1000, 'EUR', false, s.made_at from sold s where s.i % 10 = 1;
insert into payments.events (id, provider, provider_event_id, type, payload, received_at, applied_at, outcome,
    waits_for)
  select credits.new_id(s.made_at), 'stripe', 'evt_past_' || s.id, 'checkout.session.completed', '{}', s.made_at,
         case when s.is_paid then s.made_at end, case when s.is_paid then 'applied' else 'waiting' end,
         case when not s.is_paid then 'payment:pi_gone_' || s.id end
    from sold s;

-- part: grant
-- One lot for every wallet.
with wanted as materialized (
  select h.*, credits.new_id(t.made_at) as new_lot_id, t.made_at
    from :from h
   cross join (select date_trunc('day', now()) - interval '365 days' + :days * interval '1 day' as made_at) t
   order by h.wallet_id
), drafts as materialized (
  select w.lot_id as spent_from, w.new_lot_id as lot_id, row(
           credits.new_id(w.made_at), w.wallet_id, w.sequence + 1, ':type', 'completed', :amount::bigint, w.balance,
           w.balance + :amount, null, 'A lot', null, null, null, null, null, w.made_at, w.head, null
         )::credits.transactions as made,
         jsonb_build_array(jsonb_build_array('wallet:' || w.wallet_id || ':' || ':kind', :amount, w.new_lot_id),
                           jsonb_build_array(':account', -:amount, null)) as sides
    from wanted w
), sealed as materialized (
  select d.*, credits.transaction_hash(d.made, d.sides) as hash from drafts d
), journal as (
  insert into credits.transactions
    select (s.made).id, (s.made).wallet_id, (s.made).sequence, (s.made).type, (s.made).status, (s.made).amount,
           (s.made).balance_before, (s.made).balance_after, null, (s.made).description, null, null, null, null, null,
           (s.made).created_at, (s.made).previous_hash, s.hash
      from sealed s order by (s.made).id
), sides as (
  insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount, lot_id)
    select (s.made).id, e.ordinal, (s.made).wallet_id, e.side->>0, (e.side->>1)::bigint, (e.side->>2)::uuid
      from sealed s cross join lateral jsonb_array_elements(s.sides) with ordinality as e (side, ordinal)
     order by (s.made).id, e.ordinal
), made_lots as (
  insert into credits.lots (id, wallet_id, source, kind, amount, remaining, held, priority, daily_window_at,
      transaction_id, created_at)
    select s.lot_id, (s.made).wallet_id, ':source', ':kind', :amount, :amount, 0, 100,
           case ':source' when 'daily' then (s.made).created_at end, (s.made).id, (s.made).created_at
      from sealed s
)
insert into :to
  select (s.made).wallet_id, (s.made).sequence, (s.made).balance_after, s.hash,
         case ':kind' when 'paid' then s.lot_id else s.spent_from end
    from sealed s;
truncate :from;

-- part: round
-- One spend of every wallet, of 1 to 9 credits, in one of 20 apps that a wallet stays with for four rounds: a day.
with drafts as materialized (
  select h.lot_id, d.amount, row(
           credits.new_id(d.made_at), h.wallet_id, h.sequence + 1, 'usage', 'completed', -d.amount, h.balance,
           h.balance - d.amount, 'app-' || d.app, 'Work for you',
           case d.app % 2 when 0 then jsonb_build_object('model', 'model-' || d.app % 6, 'tokens', d.amount * 137) end,
           'past-' || :round, null, null, null, d.made_at, h.head, null)::credits.transactions as made,
         jsonb_build_array(jsonb_build_array('wallet:' || h.wallet_id || ':paid', -d.amount, h.lot_id),
                           jsonb_build_array('revenue:app-' || d.app, d.amount, null)) as sides
    from :from h
   cross join lateral (
      select 1 + (get_byte(h.head, 0) % 9)::bigint as amount,
             (get_byte(uuid_send(h.wallet_id), 15) + :round / 4) % 20 as app,
             date_trunc('day', now()) - interval '350 days' + :round / 4 * interval '1 day'
               + :round * interval '7 minutes' as made_at) d
   order by h.wallet_id
), sealed as materialized (
  select d.*, credits.transaction_hash(d.made, d.sides) as hash from drafts d
), journal as (
  insert into credits.transactions
    select (s.made).id, (s.made).wallet_id, (s.made).sequence, (s.made).type, (s.made).status, (s.made).amount,
           (s.made).balance_before, (s.made).balance_after, (s.made).app_id, (s.made).description, (s.made).metadata,
           (s.made).idempotency_key, null, null, null, (s.made).created_at, (s.made).previous_hash, s.hash
      from sealed s order by (s.made).id
), sides as (
  insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount, lot_id)
    select (s.made).id, e.ordinal, (s.made).wallet_id, e.side->>0, (e.side->>1)::bigint, (e.side->>2)::uuid
      from sealed s cross join lateral jsonb_array_elements(s.sides) with ordinality as e (side, ordinal)
     order by (s.made).id, e.ordinal
), keys as (
  insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, transaction_id, balance_before, free,
      paid, held, total_spent, created_at)
    select (s.made).wallet_id, (s.made).app_id, (s.made).idempotency_key, s.hash, (s.made).id, (s.made).balance_before,
           175, (s.made).balance_after - 175, 0, 0, (s.made).created_at
      from sealed s
)
insert into :to
  select (s.made).wallet_id, (s.made).sequence, (s.made).balance_after, s.hash, s.lot_id from sealed s;
truncate :from;

-- part: hot
-- The wallet that is spent from without pause: :hot spends of one credit, one second after the other.
create unlogged table hot_chain as
with recursive chain as (
  select 0::bigint as number, null::credits.transactions as made, null::jsonb as sides, h.sequence, h.balance,
         h.head, h.wallet_id, h.lot_id
    from (select * from :from order by wallet_id limit 1) h
  union all
  select c.number + 1, s.made, s.sides, c.sequence + 1, c.balance - 1, credits.transaction_hash(s.made, s.sides),
         c.wallet_id, c.lot_id
    from chain c
   cross join lateral (
      select row(credits.new_id(d.made_at), c.wallet_id, c.sequence + 1, 'usage', 'completed', -1::bigint, c.balance,
                 c.balance - 1, 'app-' || c.number % 20, 'Work for you',
                 case c.number % 3 when 0 then jsonb_build_object('model', 'model-' || c.number % 6) end,
                 'hot-' || c.number, null, null, null, d.made_at, c.head, null)::credits.transactions as made,
             jsonb_build_array(jsonb_build_array('wallet:' || c.wallet_id || ':paid', -1, c.lot_id),
                               jsonb_build_array('revenue:app-' || c.number % 20, 1, null)) as sides
        from (select date_trunc('day', now()) - interval '300 days' + c.number * interval '20 seconds' as made_at) d
       offset 0) s
   where c.number < :hot
)
select c.number, c.made, c.sides, c.head from chain c where c.number > 0;
insert into credits.transactions
  select (c.made).id, (c.made).wallet_id, (c.made).sequence, (c.made).type, (c.made).status, (c.made).amount,
         (c.made).balance_before, (c.made).balance_after, (c.made).app_id, (c.made).description, (c.made).metadata,
         (c.made).idempotency_key, null, null, null, (c.made).created_at, (c.made).previous_hash, c.head
    from hot_chain c order by c.number;
insert into credits.entries (transaction_id, ordinal, wallet_id, account, amount, lot_id)
  select (c.made).id, e.ordinal, (c.made).wallet_id, e.side->>0, (e.side->>1)::bigint, (e.side->>2)::uuid
    from hot_chain c cross join lateral jsonb_array_elements(c.sides) with ordinality as e (side, ordinal)
   order by c.number, e.ordinal;
insert into credits.idempotency_keys (wallet_id, app_id, key, request_hash, transaction_id, balance_before, free, paid,
    held, total_spent, created_at)
  select (c.made).wallet_id, (c.made).app_id, (c.made).idempotency_key, c.head, (c.made).id, (c.made).balance_before,
         175, (c.made).balance_after - 175, 0, 0, (c.made).created_at
    from hot_chain c;
update :from h
   set sequence = l.sequence, balance = l.balance, head = l.head
  from (select (c.made).wallet_id as wallet_id, (c.made).sequence as sequence, (c.made).balance_after as balance, c.head
          from hot_chain c order by c.number desc limit 1) l
 where h.wallet_id = l.wallet_id;
drop table hot_chain;

-- part: ends
update credits.lots l set remaining = l.remaining - (:earned - h.balance) from :from h where l.id = h.lot_id;
update credits.balances b
   set free = :earnedfree, paid = h.balance - :earnedfree, total_earned = :earned, total_spent = :earned - h.balance,
       sequence = h.sequence, chain_head = h.head
  from :from h where h.wallet_id = b.wallet_id;
drop table heads_a, heads_b;
insert into credits.usage_stats (wallet_id, day, app_id, model, count, amount)
  select t.wallet_id, (t.created_at at time zone 'UTC')::date, t.app_id, coalesce(t.metadata->>'model', ''), count(*),
         -sum(t.amount)
    from credits.transactions t where t.type = 'usage' group by 1, 2, 3, 4;

-- part: times
update credits.balances b set last_transaction_at = t.created_at
  from credits.transactions t where t.wallet_id = b.wallet_id and t.sequence = b.sequence;
