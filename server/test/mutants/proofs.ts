import { migration, type Mutant } from './mutant.ts';

const file = migration('0022_ledger_proofs');
const tests = ['verify-tampering.test.ts'];

/** What verification is blind to. */
export const proofMutants: Mutant[] = [
  {
    name: 'a wallet that belongs to somebody else is sound',
    file,
    find: 'when b.owner_id <> b.wallet_id or',
    replace: 'when',
    tests,
  },
  {
    name: 'a wallet that forgets when a lot expires is sound',
    file,
    find: 'least(l.expires_at, h.expires_at)',
    replace: 'h.expires_at',
    tests,
  },
  {
    name: 'a wallet that forgets when a hold ends is sound',
    file,
    find: 'least(l.expires_at, h.expires_at)',
    replace: 'l.expires_at',
    tests,
  },
  {
    name: 'daily credits that come again are sound',
    file,
    find: ' or b.next_daily_at <= l.window_at)',
    replace: ')',
    tests,
  },
  {
    name: 'a hold of another app is sound',
    file,
    find: 'when m.app_ids <> array[h.app_id] then',
    replace: 'when false then',
    tests,
  },
  {
    name: 'a key that is gone is sound',
    file,
    find: '   where k.key is null\n',
    replace: '   where false\n',
    tests,
  },
  {
    name: 'usage of another app is sound',
    file,
    find: 'and m.app_id = u.app_id and m.model',
    replace: 'and m.model',
    tests,
  },
];
