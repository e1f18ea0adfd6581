import { migration, type Mutant } from './mutant.ts';

const bounds = migration('0028_holds_bounds');
const file = migration('0005_credits_balance');
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
    file: bounds,
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
    file: bounds,
    find: 'set remaining = lot.held, closed_at = case when lot.held = 0 then at_time end',
    replace: 'set remaining = 0, held = 0, closed_at = at_time',
    tests: ['holds/hold-expiry.test.ts'],
  },
  {
    name: 'a daily grant and an expiry of one instant happen in the wrong order',
    file: bounds,
    find: 'if wallet.next_expiry_at <= wallet.next_daily_at then',
    replace: 'if wallet.next_expiry_at < wallet.next_daily_at then',
    tests: ['balance.test.ts', 'ledger-model.test.ts'],
  },
  {
    name: 'the daily credits come twice a day',
    file,
    find: `wallet.next_daily_at := wallet.next_daily_at + interval '24 hours';`,
    replace: `wallet.next_daily_at := wallet.next_daily_at + interval '12 hours';`,
    tests,
  },
  {
    name: 'the daily credits know no cap',
    file,
    find: 'lot.amount := least(daily_amount, daily_cap - unspent);',
    replace: 'lot.amount := daily_amount;',
    tests,
  },
  {
    name: 'the cap of the daily credits may be passed by the last grant',
    file,
    find: 'lot.amount := least(daily_amount, daily_cap - unspent);',
    replace: 'lot.amount := case when unspent < daily_cap then daily_amount else 0 end;',
    tests,
  },
  {
    name: 'a spent daily lot counts against the cap',
    file,
    find: 'select coalesce(sum(l.remaining), 0) into unspent',
    replace: 'select coalesce(sum(l.amount), 0) into unspent',
    tests: ['balance.test.ts', 'ledger-model.test.ts'],
  },
];
