import { migration, type Mutant } from './mutant.ts';

const bounds = migration('0028_holds_bounds');
const codes = migration('0016_credits_codes');
const teams = migration('0017_credits_teams');
const codeTests = ['codes/codes.test.ts'];
const teamTests = ['teams/teams.test.ts', 'teams/team-spending.test.ts', 'teams/team-members.test.ts'];

/** Codes, transfers and teams. */
export const codeMutants: Mutant[] = [
  {
    name: 'a person redeems a code once too often',
    file: codes,
    find: 'when used >= code.redemptions_per_user_max',
    replace: 'when used > code.redemptions_per_user_max',
    tests: codeTests,
  },
  {
    name: 'a code is redeemed once too often',
    file: codes,
    find: 'when code.redeemed >= code.redemptions_max',
    replace: 'when code.redeemed > code.redemptions_max',
    tests: codeTests,
  },
  {
    name: 'a code is not locked while it is decided on',
    file: codes,
    find: 'where c.code_hash = request.code_hash for no key update;',
    replace: 'where c.code_hash = request.code_hash;',
    tests: codeTests,
  },
  {
    name: 'a code outlives its end by a millisecond',
    file: codes,
    find: 'code.expires_at <= at_time',
    replace: 'code.expires_at < at_time',
    tests: codeTests,
  },
  {
    name: 'a code that was withdrawn can be redeemed',
    file: codes,
    find: 'code.revoked_at is not null or ',
    replace: '',
    tests: codeTests,
  },
  {
    name: 'credits can be transferred to oneself, and to anybody',
    file: teams,
    find: 'if credits.team_role(request.wallet_id, request.user_id) is null then',
    replace: 'if false then',
    tests: teamTests,
  },
  {
    name: 'who owes credits gives them away',
    file: teams,
    find: `when source.debt > 0 then 'credits.in_debt'`,
    replace: '',
    tests: teamTests,
  },
  {
    name: 'a transfer gives what is not there',
    file: teams,
    find: `when available < request.amount then 'credits.insufficient'`,
    replace: '',
    tests: teamTests,
  },
  {
    name: 'transferred credits do not expire any more',
    file: bounds,
    find: 'part.moved, 0, part.priority, part.expires_at,',
    replace: 'part.moved, 0, part.priority, null,',
    tests: teamTests,
  },
  {
    name: 'a team forgets when transferred credits expire',
    file: teams,
    find: 'target.next_expiry_at := least(target.next_expiry_at, copied.first_expiry_at);',
    replace: '',
    tests: teamTests,
  },
  {
    name: 'what is transferred does not repay what the team owes',
    file: teams,
    find: 'if target.debt > 0 then target :=',
    replace: 'if false then target :=',
    tests: teamTests,
  },
  {
    name: 'a removed member goes on spending',
    file: teams,
    find: `update credits.mandates m set status = 'revoked', updated_at = at_time`,
    replace: `update credits.mandates m set updated_at = at_time`,
    tests: ['teams/team-members.test.ts'],
  },
  {
    name: 'the last two owners leave at once',
    file: teams,
    find: 'perform from credits.teams t where t.wallet_id = entered_team for update;',
    replace: '',
    tests: ['teams/team-members.test.ts'],
  },
  {
    name: 'every small transfer leaves a lot of its own',
    file: bounds,
    find: 'where o.wallet_id = target and o.closed_at is null',
    replace: 'where o.wallet_id = target and o.closed_at is not null',
    tests: teamTests,
  },
  {
    name: 'a lot grows by credits of another age',
    file: bounds,
    find: '(o.source, o.kind, o.priority, o.created_at) = (part.source, part.kind, part.priority, part.created_at)',
    replace: '(o.source, o.kind, o.priority) = (part.source, part.kind, part.priority)',
    tests: teamTests,
  },
];
