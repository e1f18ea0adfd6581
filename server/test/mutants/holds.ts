import { migration, type Mutant } from './mutant.ts';

const steps = migration('0011_credits_holds');
const transact = migration('0012_credits_transact');
const hashing = 'server/src/domains/credits/holds/transact-credits.ts';
const tests = ['holds/holds.test.ts', 'holds/hold-expiry.test.ts', 'holds/hold-races.test.ts'];
const expiryTests = ['holds/hold-expiry.test.ts', 'holds/holds.test.ts'];

/** Holds: what is set aside, captured and given back. */
export const holdMutants: Mutant[] = [
  {
    name: 'a hold sets paid credits aside before free ones',
    file: steps,
    find: 'window consumption as (order by l.kind, l.priority,',
    replace: 'window consumption as (order by l.kind desc, l.priority,',
    tests,
  },
  {
    name: 'a hold sets the oldest lot aside before the one that expires first',
    file: steps,
    find: 'l.priority, l.expires_at, l.created_at, l.id)) t',
    replace: 'l.priority, l.created_at, l.expires_at, l.id)) t',
    tests,
  },
  {
    name: 'a hold sets aside what is held already',
    file: steps,
    find: 'l.remaining - l.held as spendable',
    replace: 'l.remaining as spendable',
    tests,
  },
  {
    name: 'a capture takes what was set aside last',
    file: steps,
    find: '(sum(h.amount) over (order by h.ordinal))',
    replace: '(sum(h.amount) over (order by h.ordinal desc))',
    tests,
  },
  {
    name: 'a hold outlives its end by a millisecond',
    file: steps,
    find: `h.status = 'open' and h.expires_at <= at_time`,
    replace: `h.status = 'open' and h.expires_at < at_time`,
    tests: expiryTests,
  },
  {
    name: 'a lot that has just expired gets back what was held of it, and keeps it',
    file: steps,
    find: 'on l.id = p.lot_id where l.expires_at <= at_time)',
    replace: 'on l.id = p.lot_id where l.expires_at < at_time)',
    tests: expiryTests,
  },
  {
    name: 'what a hold gives back does not repay the debt',
    file: steps,
    find: 'if wallet.debt > 0 then\n    wallet := credits.repay_debt(wallet, array(select p.lot_id',
    replace: 'if false then\n    wallet := credits.repay_debt(wallet, array(select p.lot_id',
    tests: ['grants/clawbacks.test.ts', 'holds/hold-expiry.test.ts'],
  },
  {
    name: 'what a hold gives back does not come back to its mandate',
    file: steps,
    find: 'charge_mandate(hold.mandate_id, made.id, charge.charged_at, -charge.amount, 0)',
    replace: 'charge_mandate(hold.mandate_id, made.id, charge.charged_at, 0, 0)',
    tests: ['mandates/mandate-holds.test.ts'],
  },
  {
    name: 'a hold that has ended still holds',
    file: steps,
    find: 'set status = new_status, remaining = 0, closed_at',
    replace: 'set status = new_status, closed_at',
    tests,
  },
  {
    name: 'only the first capture of the day and app is counted as usage',
    file: steps,
    find: 'do update set count = u.count + 1, amount = u.amount + excluded.amount',
    replace: 'do nothing',
    tests: ['holds/holds.test.ts', 'history/history.test.ts'],
  },
  {
    name: 'a hold can be voided after its end',
    file: transact,
    find: `if operation in ('extend', 'capture', 'void') and`,
    replace: `if operation in ('extend', 'capture') and`,
    tests,
  },
  {
    name: 'a hold can be captured after its end',
    file: transact,
    find: `if operation in ('extend', 'capture', 'void') and`,
    replace: `if operation in ('extend', 'void') and`,
    tests,
  },
  {
    name: 'a capture goes above the hold though nothing lets it',
    file: transact,
    find: `elsif credits.overrun_of(scene) = 'refuse' then`,
    replace: 'elsif false then',
    tests,
  },
  {
    name: 'an overrun may owe more than its limit, a bit at a time',
    file: transact,
    find: 'wallet.debt + amount - available <= mandate.overrun_max',
    replace: 'amount - available <= mandate.overrun_max',
    tests: ['mandates/mandate-holds.test.ts'],
  },
  {
    name: 'the rest of a hold is not given back with the last capture',
    file: transact,
    find: 'if request.is_final then wallet :=',
    replace: 'if request.is_final and hold.remaining = 0 then wallet :=',
    tests,
  },
  {
    name: 'a wallet does not know when its hold ends',
    file: transact,
    find: 'wallet.next_expiry_at := least(wallet.next_expiry_at, hold.expires_at);',
    replace: '',
    tests: expiryTests,
  },
  {
    name: 'an extension may shorten a hold',
    file: transact,
    find: 'hold.expires_at := greatest(hold.expires_at, scene.instant +',
    replace: 'hold.expires_at := (scene.instant +',
    tests,
  },
  {
    name: 'an extension has the same funds twice',
    file: transact,
    find: 'hold.remaining := hold.remaining + more;',
    replace: 'hold.remaining := hold.remaining + 2 * more;',
    tests,
  },
  {
    name: 'an app moves the holds of another',
    file: transact,
    find: 'case when hold.app_id is distinct from request.client_id then',
    replace: 'case when hold.app_id is null then',
    tests: ['mandates/mandate-holds.test.ts', 'mandates/tokens-of-apps.test.ts'],
  },
  {
    name: 'a frozen wallet does not get back what is held',
    file: transact,
    find: `if (scene.wallet).status <> 'active' and operation <> 'void' then`,
    replace: `if (scene.wallet).status <> 'active' then`,
    tests,
  },
  {
    name: 'a replay of a hold does not look at the body',
    file: transact,
    find: 'if found and first_answer.request_hash <> request.request_hash then',
    replace: 'if false then',
    tests,
  },
  {
    name: 'a refusal of a hold is not remembered',
    file: transact,
    find: `coalesce(outcome.code, '') not like 'mandate.%'`,
    replace: 'outcome.code is null',
    tests,
  },
  {
    name: 'a key of a hold belongs to all apps',
    file: transact,
    find: 'where k.wallet_id = request.wallet_id and k.app_id = request.app_id and k.key',
    replace: 'where k.wallet_id = request.wallet_id and k.key',
    tests,
  },
  {
    name: 'the amount of a capture is no part of what its key belongs to',
    file: hashing,
    find: ': { ...content, metadata };',
    replace: ': { operation, metadata };',
    tests,
  },
];
