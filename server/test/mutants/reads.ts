import { migration, type Mutant } from './mutant.ts';

const file = migration('0066_ledger_mends');
const gatherer = 'server/src/db/gather.ts';
const tests = ['balance-reader.test.ts', 'balance.test.ts'];

/** Balances that are read for many callers in one call. */
export const readMutants: Mutant[] = [
  {
    name: 'the session of somebody else opens a wallet',
    file,
    find: `         where l.session_id = asked.session_id and l.user_id = asked.user_id and l.expires_at > at_time
         limit 1) s on true
      left join credits.balances`,
    replace: `         where l.session_id = asked.session_id and l.expires_at > at_time
         limit 1) s on true
      left join credits.balances`,
    tests,
  },
  {
    name: 'an expired session reads on',
    file,
    find: `         where l.session_id = asked.session_id and l.user_id = asked.user_id and l.expires_at > at_time
         limit 1) s on true
      left join credits.balances`,
    replace: `         where l.session_id = asked.session_id and l.user_id = asked.user_id
         limit 1) s on true
      left join credits.balances`,
    tests,
  },
  {
    name: 'what is due is left out of a balance',
    file,
    find: `when least(b.next_daily_at, b.next_expiry_at) <= at_time then '{"isDue":true}'`,
    replace: `when least(b.next_daily_at, b.next_expiry_at) < at_time then '{"isDue":true}'`,
    tests,
  },
  {
    name: 'balances come back in another order than they were asked for',
    file,
    find: `end, ',' order by asked.place) || ']'`,
    replace: `end, ',' order by asked.place desc) || ']'`,
    tests,
  },
  {
    name: 'lots are listed in another order than they are spent',
    file,
    find: `order by l.kind, l.priority, l.expires_at, l.created_at, l.id)`,
    replace: `order by l.kind, l.expires_at, l.priority, l.created_at, l.id)`,
    tests,
  },
  {
    name: 'the hundred lots that are listed are any of them',
    file,
    find: 'order by o.kind, o.priority, o.expires_at, o.created_at, o.id limit 100) l)',
    replace: 'limit 100) l)',
    tests,
  },
  {
    name: 'one lot more is listed than a hundred',
    file,
    find: 'o.id limit 100) l)',
    replace: 'o.id limit 101) l)',
    tests,
  },
  {
    name: 'a gathered answer goes to a neighbour',
    file: gatherer,
    find: 'resolve(answers[index] as Answer)',
    replace: 'resolve(answers[answers.length - 1 - index] as Answer)',
    tests,
  },
  {
    name: 'reads under way are forgotten when the service stops',
    file: gatherer,
    find: 'drain: async () => running,',
    replace: 'drain: async () => undefined,',
    tests,
  },
];
