import { migration, type Mutant } from './mutant.ts';

const file = migration('0003_credits');
const together = migration('0048_payments_speed');
const mends = migration('0066_ledger_mends');
const tests = ['grants/grants.test.ts', 'balance.test.ts', 'verify-ledger.test.ts'];

/** What every movement is made of: the chain, the sequence, balances and the repayment of debt. */
export const journalMutants: Mutant[] = [
  {
    name: 'the hash of a transaction is not chained to the one before it',
    file: together,
    find: 'made.previous_hash := wallet.chain_head;',
    replace: `made.previous_hash := decode(repeat('00', 32), 'hex');`,
    tests,
  },
  {
    name: 'a sequence is left out',
    file: together,
    find: 'made.sequence := wallet.sequence + 1;',
    replace: 'made.sequence := wallet.sequence + 2;',
    tests,
  },
  {
    name: 'time may go back within a wallet',
    file: together,
    find: 'made.created_at := greatest(made.created_at, wallet.last_transaction_at);',
    replace: '',
    tests: ['balance.test.ts'],
  },
  {
    name: 'entries can be changed',
    file,
    find: 'before update or delete or truncate on credits.entries',
    replace: 'before truncate on credits.entries',
    tests: ['verify-ledger.test.ts'],
  },
  {
    name: 'transactions can be deleted',
    file,
    find: 'before update or delete or truncate on credits.transactions',
    replace: 'before update or truncate on credits.transactions',
    tests: ['verify-ledger.test.ts'],
  },
  {
    name: 'what comes in is not counted as earned',
    file: together,
    find: 'wallet.total_earned := wallet.total_earned + lot.amount;',
    replace: '',
    tests,
  },
  {
    name: 'what comes in does not repay the debt',
    file: together,
    find: 'if wallets[i].debt > 0 then',
    replace: 'if false then',
    tests,
  },
  {
    name: 'a debt that was repaid stays',
    file: mends,
    find: 'wallet.debt := wallet.debt + made.amount;',
    replace: '',
    tests,
  },
  {
    name: 'a debt is repaid twice over',
    file: mends,
    find: 'part := least(owed, lot.remaining - lot.held);',
    replace: 'part := least(2 * owed, lot.remaining - lot.held);',
    tests,
  },
  {
    name: 'held credits repay a debt',
    file: mends,
    find: 'part := least(owed, lot.remaining - lot.held);',
    replace: 'part := least(owed, lot.remaining);',
    tests: ['grants/clawbacks.test.ts', 'holds/hold-expiry.test.ts', 'grants/refunds.test.ts'],
  },
  {
    name: 'a second opening gives a second bonus',
    file,
    find: 'if not found or signup_bonus = 0 then return; end if;',
    replace: `select b.* into wallet from credits.balances b where b.wallet_id = new_owner;`,
    tests: ['balance.test.ts'],
  },
];
