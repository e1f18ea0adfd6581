import { migration, type Mutant } from './mutant.ts';

const file = migration('0037_protection');
const tests = ['signup-bonus.test.ts'];

/** The signup bonus: once for each mailbox, and a share for each network address. */
export const bonusMutants: Mutant[] = [
  {
    name: 'a mailbox that has had its bonus gets another',
    file,
    find: 'if not found then signup_bonus := 0; end if;',
    replace: '',
    tests,
  },
  {
    name: 'sign-ups from one address do not wait for each other',
    file,
    find: `    perform pg_advisory_xact_lock(hashtextextended(encode(address, 'hex'), 37));\n`,
    replace: '',
    tests,
  },
  {
    name: 'one address gets one bonus too many',
    file,
    find: 'must_wait := per_address_max <= (',
    replace: 'must_wait := per_address_max < (',
    tests,
  },
  {
    name: 'a bonus that has waited is paid to a mailbox that has had one',
    file,
    find: `    on conflict (mailbox_hash) do nothing;
  if not found then return 0; end if;`,
    replace: '    on conflict (mailbox_hash) do nothing;',
    tests,
  },
  {
    name: 'a bonus that has waited is paid again and again',
    file,
    find: 'delete from credits.waiting_bonuses w where w.wallet_id = wanted_wallet returning w.amount into lot.amount;',
    replace:
      'select w.amount into lot.amount from credits.waiting_bonuses w where w.wallet_id = wanted_wallet;',
    tests,
  },
];
