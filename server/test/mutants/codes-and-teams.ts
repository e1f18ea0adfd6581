import { migration, type Mutant } from './mutant.ts';

const many = migration('0028_holds_bounds');
const codes = migration('0016_credits_codes');
const teams = migration('0017_credits_teams');
const callers = migration('0022_ledger_callers');
const mends = migration('0066_ledger_mends');
const codeTests = ['codes/codes.test.ts'];
const teamTests = ['teams/teams.test.ts', 'teams/team-spending.test.ts', 'teams/team-members.test.ts'];
const roleTests = ['teams/team-roles.test.ts'];
const transferTests = ['teams/transfers.test.ts'];

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
    file: mends,
    find: 'if credits.team_role(request.wallet_id, request.user_id) is null then',
    replace: 'if false then',
    tests: teamTests,
  },
  {
    name: 'who has left a team is not told what came of a transfer',
    file: mends,
    find: `if outcome.is_replay is null then perform obol.refuse('request.not_found'); end if;`,
    replace: `perform obol.refuse('request.not_found');`,
    tests: transferTests,
  },
  {
    name: 'who owes credits gives them away',
    file: mends,
    find: `when source.debt > 0 then 'credits.in_debt'`,
    replace: '',
    tests: teamTests,
  },
  {
    name: 'a transfer gives what is not there',
    file: mends,
    find: `when available < request.amount then 'credits.insufficient'`,
    replace: '',
    tests: teamTests,
  },
  {
    name: 'transferred credits do not expire any more',
    file: many,
    find: 'part.moved, 0, part.priority, part.expires_at,',
    replace: 'part.moved, 0, part.priority, null,',
    tests: teamTests,
  },
  {
    name: 'a team forgets when transferred credits expire',
    file: callers,
    find: 'target.next_expiry_at := least(target.next_expiry_at, copied.first_expiry_at);',
    replace: '',
    tests: teamTests,
  },
  {
    name: 'what is transferred does not repay what the team owes',
    file: callers,
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
    name: 'the bonus is transferred, though the service does not allow it',
    file: callers,
    find: `else array['signup', 'daily', 'refund'] end`,
    replace: `else array['daily', 'refund'] end`,
    tests: transferTests,
  },
  {
    name: 'a transfer takes from lots that stay',
    file: callers,
    find: 'join credits.lots o on o.id = s.lot_id and o.source <> all (but_sources)',
    replace: 'join credits.lots o on o.id = s.lot_id',
    tests: transferTests,
  },
  {
    name: 'what is transferred is as new',
    file: many,
    find: 'by_transaction, part.created_at);',
    replace: 'by_transaction, at_time);',
    tests: transferTests,
  },
  {
    name: 'who lost a role keeps the invitations that it let them send',
    file: callers,
    find: `and (new_role = 'member' or (new_role = 'admin' and i.role <> 'member'));`,
    replace: `and new_role = 'owner' and false;`,
    tests: roleTests,
  },
  {
    name: 'an invitation is worth more than its sender',
    file: callers,
    find: `if (sender_role = 'owner' or (sender_role = 'admin' and invitation.role = 'member')) is not true then`,
    replace: 'if false then',
    tests: roleTests,
  },
  {
    name: 'who accepts does not wait for who removes',
    file: callers,
    find: 'where i.id = invitation_id and i.email = invited.email) for update;',
    replace: 'where i.id = invitation_id and i.email = invited.email);',
    tests: roleTests,
  },
  {
    name: 'who becomes a member spends like an admin',
    file: callers,
    find: `elsif (new_role = 'member') <> (old_role = 'member')`,
    replace: `elsif new_role <> 'member' and old_role = 'member'`,
    tests: roleTests,
  },
  {
    name: 'who comes back has a new allowance',
    file: callers,
    find: 'if mandate.id is not null then',
    replace: 'if false then',
    tests: ['teams/team-members.test.ts'],
  },
  {
    name: 'every small transfer leaves a lot of its own',
    file: many,
    find: 'where o.wallet_id = target and o.closed_at is null',
    replace: 'where o.wallet_id = target and o.closed_at is not null',
    tests: teamTests,
  },
  {
    name: 'a lot grows by credits of another age',
    file: many,
    find: '(o.source, o.kind, o.priority, o.created_at) = (part.source, part.kind, part.priority, part.created_at)',
    replace: '(o.source, o.kind, o.priority) = (part.source, part.kind, part.priority)',
    tests: teamTests,
  },
];
