import { migration, type Mutant } from './mutant.ts';

const many = migration('0028_holds_bounds');
const file = migration('0005_credits_balance');
const bounds = migration('0022_ledger_bounds');
const mends = migration('0066_ledger_mends');
const tests = ['balance.test.ts', 'holds/hold-expiry.test.ts'];

/** Locks, expiry and daily credits. */
export const timeMutants: Mutant[] = [
  {
    name: 'wallets are not locked',
    file,
    find: 'order by b.wallet_id for no key update) locked',
    replace: 'order by b.wallet_id) locked',
    tests: ['balance.test.ts', 'holds/hold-races.test.ts', 'grants/refunds.test.ts'],
  },
  {
    name: 'wallets are locked in no order',
    file,
    find: 'order by b.wallet_id for no key update) locked',
    replace: 'order by random() for no key update) locked',
    tests: ['spend-queue.test.ts', 'teams/teams.test.ts'],
  },
  {
    name: 'a lot outlives its expiry by a millisecond',
    file: many,
    find: 'l.expires_at <= at_time and l.remaining > l.held',
    replace: 'l.expires_at < at_time and l.remaining > l.held',
    tests,
  },
  {
    name: 'a wallet is brought up to date a millisecond late',
    file,
    find: 'if least(wallets[i].next_daily_at, wallets[i].next_expiry_at) <= at_time then',
    replace: 'if least(wallets[i].next_daily_at, wallets[i].next_expiry_at) < at_time then',
    tests,
  },
  {
    name: 'a read sees the wallet of a millisecond ago',
    file,
    find: 'if least(wallet.next_daily_at, wallet.next_expiry_at) <= at_time then',
    replace: 'if least(wallet.next_daily_at, wallet.next_expiry_at) < at_time then',
    tests,
  },
  {
    name: 'expiry takes what holds have set aside',
    file: many,
    find: 'set remaining = lot.held, closed_at = case when lot.held = 0 then at_time end',
    replace: 'set remaining = 0, held = 0, closed_at = at_time',
    tests: ['holds/hold-expiry.test.ts'],
  },
  {
    name: 'what comes back of a hold lives for ever in a lot that another clock has passed',
    file: mends,
    find: 'where l.remaining > l.held));',
    replace: 'where false));',
    tests: ['holds/hold-expiry.test.ts'],
  },
  {
    name: 'a daily grant and an expiry of one instant happen in the wrong order',
    file: many,
    find: 'if wallet.next_expiry_at <= wallet.next_daily_at then',
    replace: 'if wallet.next_expiry_at < wallet.next_daily_at then',
    tests: ['balance.test.ts', 'ledger-model.test.ts'],
  },
  {
    name: 'the daily credits come twice a day',
    file: bounds,
    find: `wallet.next_daily_at := wallet.next_daily_at + interval '24 hours';`,
    replace: `wallet.next_daily_at := wallet.next_daily_at + interval '12 hours';`,
    tests,
  },
  {
    name: 'the daily credits know no cap',
    file: bounds,
    find: 'least(daily_amount, daily_cap - unspent, ',
    replace: 'least(daily_amount, ',
    tests,
  },
  {
    name: 'the cap of the daily credits may be passed by the last grant',
    file: bounds,
    find: 'least(daily_amount, daily_cap - unspent, ',
    replace: 'least(case when unspent < daily_cap then daily_amount else 0 end, ',
    tests,
  },
  {
    name: 'a spent daily lot counts against the cap',
    file: bounds,
    find: 'select coalesce(sum(l.remaining), 0) into unspent',
    replace: 'select coalesce(sum(l.amount), 0) into unspent',
    tests: ['balance.test.ts', 'ledger-model.test.ts'],
  },
  {
    name: 'the daily credits come beyond what can be counted',
    file: bounds,
    find: ', 9007199254740991 - wallet.total_earned);',
    replace: ');',
    tests: ['exact-bounds.test.ts'],
  },
  {
    name: 'a wallet that cannot be brought up to date holds up the others',
    file: bounds,
    find: 'problem := sqlerrm;',
    replace: 'raise;',
    tests: ['holds/hold-life.test.ts'],
  },
  {
    name: 'a refusal is forgotten a millisecond early',
    file: bounds,
    find: 'o.created_at < before_time',
    replace: 'o.created_at <= before_time',
    tests: ['retention.test.ts'],
  },
  {
    name: 'what went through is forgotten, too',
    file: bounds,
    find: 'where o.code is not null and o.created_at',
    replace: 'where o.created_at',
    tests: ['retention.test.ts'],
  },
  {
    name: 'a refusal is as old as the transaction before it',
    file: bounds,
    find: 'greatest(wallet.last_transaction_at, request.asked_at)',
    replace: 'wallet.last_transaction_at',
    tests: ['retention.test.ts'],
  },
];
