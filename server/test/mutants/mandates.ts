import { migration, type Mutant } from './mutant.ts';

const many = migration('0028_holds_bounds');
const file = migration('0010_credits_mandates');
const transact = migration('0012_credits_transact');
const bounds = migration('0022_ledger_bounds');
const callers = migration('0022_ledger_callers');
const budgets = migration('0033_credits_budgets');
const terms = migration('0059_credits_terms');
const told = migration('0072_credits_told');
const tests = ['mandates/spend-under-mandate.test.ts', 'mandates/mandate-periods.test.ts'];
const periodTests = ['mandates/mandate-periods.test.ts', 'mandates/mandate-holds.test.ts'];
const raceTests = ['mandates/mandate-races.test.ts'];

/** What apps and members may spend. */
export const mandateMutants: Mutant[] = [
  {
    name: 'a new period does not begin with a whole allowance',
    file,
    find: 'mandate.period_started_at) > mandate.period_started_at then 0',
    replace: 'mandate.period_started_at) > mandate.period_started_at then mandate.spent',
    tests: periodTests,
  },
  {
    name: 'the first charge of a period is added to the last period',
    file: budgets,
    find: 'when p.started_at > m.period_started_at then held_change + spent_change',
    replace: 'when p.started_at > m.period_started_at then m.spent + held_change + spent_change',
    tests: periodTests,
  },
  {
    name: 'what is given back of an earlier period counts in this one',
    file: budgets,
    find: 'when instant >= m.period_started_at then m.spent',
    replace: 'when true then m.spent',
    tests: periodTests,
  },
  {
    name: 'weeks begin on Sunday',
    file,
    find: `else pg_catalog.date_trunc(period, instant at time zone 'UTC') at time zone 'UTC' end`,
    replace: `else pg_catalog.date_trunc(period, (instant at time zone 'UTC') + case period when 'week'
      then interval '1 day' else '0' end) at time zone 'UTC' - case period when 'week'
      then interval '1 day' else '0' end end`,
    tests: periodTests,
  },
  {
    name: 'the last credit of an allowance cannot be spent',
    file,
    find: 'when credits.used_of(mandate, instant) + amount > mandate.allowance',
    replace: 'when credits.used_of(mandate, instant) + amount >= mandate.allowance',
    tests,
  },
  {
    name: 'the allowance looks at each spend alone',
    file,
    find: 'when credits.used_of(mandate, instant) + amount > mandate.allowance',
    replace: 'when amount > mandate.allowance',
    tests,
  },
  {
    name: 'the most per spend does not count',
    file,
    find: 'when amount_in_all > mandate.spend_max',
    replace: 'when false',
    tests,
  },
  {
    name: 'the most per spend looks at an extension alone',
    file,
    find: 'when amount_in_all > mandate.spend_max',
    replace: 'when amount > mandate.spend_max',
    tests,
  },
  {
    name: 'a mandate outlives its end by a millisecond',
    file,
    find: 'when mandate.expires_at <= instant\n',
    replace: 'when mandate.expires_at < instant\n',
    tests: ['mandates/mandate-periods.test.ts', 'mandates/mandates.test.ts', ...tests],
  },
  {
    name: 'a paused mandate spends',
    file,
    find: `when mandate.status <> 'active'\n`,
    replace: `when mandate.status = 'revoked'\n`,
    tests,
  },
  {
    name: 'a revoked mandate spends',
    file,
    find: `when mandate.status <> 'active'\n`,
    replace: `when mandate.status = 'paused'\n`,
    tests,
  },
  {
    name: 'a change of a mandate forgets what is charged meanwhile',
    file: bounds,
    find: 'm.member_id is null for no key update;',
    replace: 'm.member_id is null;',
    tests: raceTests,
  },
  {
    name: 'another period begins with a whole allowance',
    file: terms,
    find: 'select coalesce(sum(u.held + u.spent), 0) into mandate.spent',
    replace: 'select 0 into mandate.spent',
    tests: ['mandates/mandate-periods.test.ts', 'mandates/mandates.test.ts'],
  },
  {
    name: 'a refund gives back to the period that was charged first',
    file: budgets,
    find: 'order by u.mandate_id, u.charged_at desc\n',
    replace: 'order by u.mandate_id, u.charged_at\n',
    tests: periodTests,
  },
  {
    name: 'a second refund gives back to the same charge again',
    file: budgets,
    find: 'part := least(unreturned, charge.spent);',
    replace: 'part := unreturned;',
    tests: periodTests,
  },
  {
    name: 'a refusal of a mandate is remembered',
    file: many,
    find: `coalesce(outcome.code, '') not like 'mandate.%'`,
    replace: 'true',
    tests,
  },
  {
    name: 'a mandate is for credits of every kind',
    file: transact,
    find: 'case when is_mandated then mandate.kinds else',
    replace: 'case when false then mandate.kinds else',
    tests,
  },
  {
    name: 'a member spends without a mandate',
    file: budgets,
    find: `    scene.is_mandated := request.client_id is not null or wallet.kind = 'team';`,
    replace: '    scene.is_mandated := request.client_id is not null;',
    tests: ['teams/team-spending.test.ts'],
  },
  {
    name: 'the wallet is judged after the mandate',
    file: transact,
    find: `if (scene.wallet).status <> 'active' and operation <> 'void' then`,
    replace: 'if false then',
    tests: ['mandates/mandates.test.ts', 'holds/holds.test.ts'],
  },
  {
    name: 'a spend under a mandate is not charged to it',
    file: budgets,
    find: '  if scene.is_mandated then\n    perform credits.charge_mandate(made.mandate_id',
    replace: '  if false then\n    perform credits.charge_mandate(made.mandate_id',
    tests,
  },
  {
    name: 'a change of terms may name another mandate',
    file: terms,
    find: `jsonb_populate_record(mandate, credits.only_members(changes, array['allowance',`,
    replace: `jsonb_populate_record(mandate, credits.only_members(changes, array['id', 'allowance',`,
    tests: ['mandates/foreign-members.test.ts'],
  },
  {
    name: 'a mandate may contradict itself',
    file: terms,
    find: '  perform credits.assert_terms(mandate);\n  mandate.id := new_id;',
    replace: '  mandate.id := new_id;',
    tests: ['mandates/debt-bounds.test.ts'],
  },
  {
    name: 'a mandate may come to contradict itself',
    file: bounds,
    find: `if changes ?| array['kinds', 'overrun'] then`,
    replace: `if changes ?| array['overrun'] then`,
    tests: ['mandates/debt-bounds.test.ts'],
  },
  {
    name: 'an app sees the wallet of who has revoked its mandate',
    file: callers,
    find: `mandate.id is null or mandate.status <> 'active'\n`,
    replace: `mandate.id is null or mandate.status = 'paused'\n`,
    tests: ['mandates/consent.test.ts'],
  },
  {
    name: 'an app sees the wallet when its mandate has expired',
    file: callers,
    find: 'or coalesce(mandate.expires_at <= instant, false)',
    replace: '',
    tests: ['mandates/consent.test.ts'],
  },
  {
    name: 'an app hears of a wallet a millisecond after its mandate has expired',
    file: callers,
    find: 'm.expires_at > at_time)',
    replace: 'm.expires_at >= at_time)',
    tests: ['mandates/consent.test.ts'],
  },
  {
    name: 'an app that moves credits is told the balance by a mandate that is paused or revoked',
    file: told,
    find: `and m.member_id is null and m.status = 'active'`,
    replace: 'and m.member_id is null',
    tests: ['mandates/consent.test.ts'],
  },
  {
    name: 'an app that moves credits is told the balance by a mandate that has just expired',
    file: told,
    find: 'm.expires_at > at_time',
    replace: 'm.expires_at >= at_time',
    tests: ['mandates/consent.test.ts'],
  },
  {
    name: 'an app that moves credits is told the balance by the mandate of another app',
    file: told,
    find: 'and m.app_id = named_app',
    replace: '',
    tests: ['mandates/consent.test.ts'],
  },
];
