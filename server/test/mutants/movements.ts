import { migration, type Mutant } from './mutant.ts';

const many = migration('0028_holds_bounds');
const steps = migration('0014_credits_grants');
const file = migration('0015_credits_give_back');
const bounds = migration('0022_ledger_bounds');
const mends = migration('0066_ledger_mends');
const moveCredits = 'server/src/domains/credits/grants/move-credits.ts';
const grants = ['grants/grants.test.ts'];
const refunds = ['grants/refunds.test.ts'];
const clawbacks = ['grants/clawbacks.test.ts'];

/** Grants, adjustments, refunds and clawbacks. */
export const movementMutants: Mutant[] = [
  {
    name: 'a replay of a grant does not look at the body',
    file: steps,
    find: 'if first_answer.request_hash <> request.request_hash then',
    replace: 'if false then',
    tests: grants,
  },
  {
    name: 'a refused grant is not remembered',
    file: bounds,
    find: 'if request.idempotency_key is not null then',
    replace: 'if request.idempotency_key is not null and refusal_code is null then',
    tests: grants,
  },
  {
    name: "the administration's keys are the person's, too",
    file: steps,
    find: 'k.app_id = scope and k.key',
    replace: 'k.key',
    tests: grants,
  },
  {
    name: 'anybody may give credits',
    file: steps,
    find: `or auth.assert_session(request.user_id, request.session_id, at_time) <> 'admin' then`,
    replace: `or auth.assert_session(request.user_id, request.session_id, at_time) = 'nobody' then`,
    tests: grants,
  },
  {
    name: 'a grant may expire at the moment it is given',
    file: steps,
    find: 'elsif request.expires_at <= at_time then',
    replace: 'elsif request.expires_at < at_time then',
    tests: grants,
  },
  {
    name: 'what an adjustment does not find is forgotten',
    file: steps,
    find: 'wallet.debt := wallet.debt + taken.missing;',
    replace: '',
    tests: grants,
  },
  {
    name: 'one credit more than can be counted exactly comes in',
    file: steps,
    find: '<= 9007199254740991 $$',
    replace: '<= 9007199254740992 $$',
    tests: grants,
  },
  {
    name: 'the amount of a movement is no part of what its key belongs to',
    file: moveCredits,
    find: 'canonicalJson({ by, ...content })',
    replace: 'canonicalJson({ by })',
    tests: [...grants, ...refunds],
  },
  {
    name: 'a refund gives back more than was spent',
    file: many,
    find: 'request.amount = 0 or request.amount > refundable then',
    replace: 'request.amount = 0 then',
    tests: refunds,
  },
  {
    name: 'a refund does not count the refunds before it',
    file: many,
    find: `given_back := credits.undone(charged.id, 'refund', revenue);`,
    replace: 'given_back := 0;',
    tests: refunds,
  },
  {
    name: 'a refund gives back to the lots in the wrong order',
    file,
    find: 'order by e.ordinal desc loop',
    replace: 'order by e.ordinal loop',
    tests: refunds,
  },
  {
    name: 'a second refund gives back to the lots of the first',
    file,
    find: 'skipped := least(side.amount, given_back);',
    replace: 'skipped := 0;',
    tests: refunds,
  },
  {
    name: 'a refund brings an expired lot back to life',
    file: mends,
    find: 'if wallet.next_expiry_at <= at_time then wallet := credits.expire_lots(wallet, at_time); end if;',
    replace: 'if wallet.next_expiry_at <= at_time then wallet.next_expiry_at := null; end if;',
    tests: refunds,
  },
  {
    name: 'a lot forgets that it expires once it was given back to',
    file,
    find: 'result.first_expiry_at := least(result.first_expiry_at, side.expires_at);',
    replace: '',
    tests: refunds,
  },
  {
    name: 'a refund of a debt that is repaid lowers the debt below zero',
    file,
    find: 'owed := least(part, wallet.debt + result.debt_change);',
    replace: 'owed := part;',
    tests: refunds,
  },
  {
    name: 'a refund leaves the statistics as they were',
    file: mends,
    find: 'do update set amount = u.amount + excluded.amount;',
    replace: 'do nothing;',
    tests: refunds,
  },
  {
    name: 'what a refund returns does not repay the debt',
    file: mends,
    find: 'if wallet.debt > 0 then wallet := credits.repay_debt(wallet, returned.lot_ids, at_time); end if;',
    replace: '',
    tests: clawbacks,
  },
  {
    name: 'what comes back to a lot that has expired does not repay the debt',
    file: mends,
    find: 'l.wallet_id = wallet.wallet_id and l.remaining > l.held\n',
    replace:
      'l.wallet_id = wallet.wallet_id and l.remaining > l.held and coalesce(l.expires_at > at_time, true)\n',
    tests: clawbacks,
  },
  {
    name: 'an app refunds what another has charged',
    file: many,
    find: "and charged_by in ('', t.app_id);",
    replace: ';',
    tests: refunds,
  },
  {
    name: 'a refund does not come back to its mandate',
    file: mends,
    find: '  perform credits.give_back_allowance(charged.id, made.id, request.amount);\n',
    replace: '',
    tests: ['mandates/mandate-periods.test.ts', 'mandates/mandate-holds.test.ts'],
  },
  {
    name: 'a clawback takes more than came in',
    file,
    find: 'if request.amount = 0 or request.amount > left_over then',
    replace: 'if request.amount = 0 then',
    tests: clawbacks,
  },
  {
    name: 'a clawback takes what holds have set aside',
    file: bounds,
    find: 'taken := least(request.amount, lot.remaining - lot.held);',
    replace: 'taken := least(request.amount, lot.remaining);',
    tests: clawbacks,
  },
  {
    name: 'a clawback asks for what expired unused',
    file: bounds,
    find: 'if lot.expires_at <= at_time then\n    unused',
    replace: 'if false then\n    unused',
    tests: clawbacks,
  },
  {
    name: 'what a clawback does not find is forgotten',
    file: bounds,
    find: 'wallet.debt := wallet.debt + owed;',
    replace: '',
    tests: clawbacks,
  },
  {
    name: 'a total may leave what can be counted',
    file: bounds,
    find: 'check (greatest(total_earned, total_spent, debt) <= 9007199254740991)',
    replace: 'check (true)',
    tests: ['exact-bounds.test.ts'],
  },
  {
    name: 'a clawback leaves a debt that cannot be counted',
    file: bounds,
    find: 'if wallet.debt + owed > 9007199254740991 then',
    replace: 'if false then',
    tests: ['exact-bounds.test.ts'],
  },
  {
    name: 'a refund brings in more than can be counted',
    file: mends,
    find: 'if not credits.can_owe(wallet, 0) and returned.new_lot > 0 then',
    replace: 'if false then',
    tests: ['exact-bounds.test.ts'],
  },
];
