import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { expectSound, impossibleAmounts } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam, codeOf, daily, emailOf, type TestTeam } from '../../../../test/harness/teams.ts';
import { connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
let boss: WalletHolder;
let ada: WalletHolder;
let team: TestTeam;

beforeEach(async () => {
  service.clock.set('2026-03-01T12:00:00.000Z');
  [boss, ada] = await Promise.all([addPerson(service, owner), addPerson(service, owner)]);
  team = await addTeam(service, boss);
});
afterEach(() => expectSound(service));

test('join by an invitation to their confirmed address only, once', async () => {
  const { body } = await team.invite(boss, emailOf(ada).toUpperCase(), { limit: daily(5) });
  expect(await team.read(ada, 'invitations')).toEqual([
    {
      id: body.id,
      teamId: team.id,
      teamName: 'Research',
      role: 'member',
      createdAt: service.clock.now().toISOString(),
      expiresAt: '2026-03-15T12:00:00.000Z',
    },
  ]);
  const eve = await addPerson(service, owner);
  expect(codeOf(await team.accept(eve, body.id))).toBe('request.not_found');
  expect(codeOf(await team.accept(ada, body.id))).toBeNull();
  expect(codeOf(await team.accept(ada, body.id))).toBe('request.not_found');
  expect(await team.read(ada, 'invitations')).toEqual([]);
});

test('who have not confirmed their address see no invitations to it', async () => {
  const { body } = await team.invite(boss, emailOf(ada));
  await owner.query('update auth.users set email_verified_at = null where id = $1', [ada.userId]);
  expect(codeOf(await team.get(ada, 'invitations'))).toBe('users.email_unverified');
  expect(codeOf(await team.accept(ada, body.id))).toBe('users.email_unverified');
  expect(codeOf(await team.decline(ada, body.id))).toBe('users.email_unverified');
});

test('are invited alike whether or not the address has an account', async () => {
  const { body: known } = await team.invite(boss, emailOf(ada));
  const { body: unknown } = await team.invite(boss, 'nobody@example.com');
  expect({ ...known, id: null, email: null }).toEqual({ ...unknown, id: null, email: null });
  expect((await team.read(boss, `teams/${team.id}/invitations`)).length).toBe(2);
});

test('can decline, and invitations can be taken back, replaced, and end', async () => {
  const { body: first } = await team.invite(boss, emailOf(ada));
  expect((await team.decline(ada, first.id)).status).toBe(200);
  expect((await team.decline(ada, first.id)).status).toBe(404);

  const { body: second } = await team.invite(boss, emailOf(ada));
  const withdraw = () => team.withdraw(boss, second.id);
  expect((await withdraw()).status).toBe(200);
  expect((await withdraw()).status).toBe(404);
  expect(codeOf(await team.accept(ada, second.id))).toBe('request.not_found');

  await team.invite(boss, emailOf(ada), { role: 'member' });
  const { body: third } = await team.invite(boss, emailOf(ada), { role: 'admin' });
  expect(await team.read(ada, 'invitations')).toMatchObject([{ id: third.id, role: 'admin' }]);
  service.clock.advance({ days: 14 });
  expect(await team.read(ada, 'invitations')).toEqual([]);
  expect(await team.read(boss, `teams/${team.id}/invitations`)).toEqual([]);
  expect(codeOf(await team.accept(ada, third.id))).toBe('request.not_found');
});

test('are told apart: members spend, admins manage members, owners everybody', async () => {
  await team.join(ada, { limit: daily(5) });
  const eve = await team.join(await addPerson(service, owner), { role: 'admin' });
  const refused = [
    await team.invite(ada, 'x@example.com'),
    await team.get(ada, `teams/${team.id}/transactions`),
    await team.get(ada, `teams/${team.id}/statement?month=2026-03`),
    await team.get(ada, `teams/${team.id}/usage`),
    await team.get(ada, `teams/${team.id}/invitations`),
    await team.change(ada, ada, { limit: daily(50) }),
    await team.remove(ada, eve),
    await team.invite(eve, 'x@example.com', { role: 'owner' }),
    await team.invite(eve, 'x@example.com', { role: 'admin' }),
    await team.change(eve, ada, { role: 'admin' }),
    await team.change(eve, eve, { role: 'owner' }),
    await team.change(eve, boss, { limit: daily(5) }),
    await team.remove(eve, boss),
  ];
  expect(refused.map(codeOf)).toEqual(refused.map(() => 'teams.role_required'));
  const allowed = [
    await team.invite(eve, 'x@example.com'),
    await team.get(eve, `teams/${team.id}/transactions`),
    await team.change(eve, ada, { limit: daily(50) }),
    await team.remove(eve, ada),
    await team.change(boss, eve, { role: 'owner' }),
    await team.change(eve, boss, { role: 'member' }),
  ];
  expect(allowed.map(codeOf)).toEqual(allowed.map(() => null));
  expect(codeOf(await team.invite(eve, emailOf(boss)))).toBe('teams.already_member');
});

test('leave and are removed, and spend nothing from then on; the last owner stays', async () => {
  await team.transfer(boss, 100);
  await team.join(ada, { limit: daily(50) });
  expect(codeOf(await team.use(ada, 1))).toBeNull();
  expect((await team.remove(ada, ada)).status).toBe(200);
  expect(codeOf(await team.use(ada, 1))).toBe('request.not_found');
  expect(codeOf(await team.get(ada, `teams/${team.id}`))).toBe('request.not_found');
  expect(codeOf(await team.remove(boss, boss))).toBe('teams.last_owner');
  expect(codeOf(await team.change(boss, boss, { role: 'admin' }))).toBe('teams.last_owner');
  expect(codeOf(await team.remove(boss, ada))).toBe('request.not_found');

  await team.join(ada, { role: 'owner' });
  expect((await team.remove(boss, boss)).status).toBe(200);
  expect((await team.read(ada)).available).toBe(99);
});

test('who leave take the invitations with them that they have sent', async () => {
  const eve = await team.join(await addPerson(service, owner), { role: 'admin' });
  const { body } = await team.invite(eve, emailOf(ada));
  await team.remove(boss, eve);
  expect(codeOf(await team.accept(ada, body.id))).toBe('request.not_found');
});

test('who leave and come back have spent what they had spent in the period', async () => {
  await team.transfer(boss, 100);
  await team.join(ada, { limit: daily(5) });
  await team.use(ada, 5);
  await team.remove(boss, ada);
  await team.join(ada, { limit: daily(7) });
  expect(await team.read(ada)).toMatchObject({ limit: { allowance: 7, used: 5 } });
  expect(codeOf(await team.use(ada, 3))).toBe('mandate.exceeded');
  expect(codeOf(await team.use(ada, 2))).toBeNull();
  service.clock.advance({ days: 1 });
  expect(codeOf(await team.use(ada, 7))).toBeNull();
});

test('who comes back has a new limit only, also by another period', async () => {
  await team.transfer(boss, 100);
  await team.join(ada, { limit: { allowance: 30, period: 'month' } });
  await team.use(ada, 30);
  await team.remove(ada, ada);
  await team.join(ada, { limit: { allowance: 40, period: 'total' } });
  expect(await team.read(ada)).toMatchObject({ limit: { allowance: 40, used: 30 } });
});

test('an owner who leaves while another is leaving waits to see whether they are the last', async () => {
  await team.join(ada, { role: 'owner' });
  await owner.query('begin');
  await owner.query('select from credits.teams where wallet_id = $1 for update', [team.id]);
  await owner.query('delete from credits.team_members where wallet_id = $1 and user_id = $2', [
    team.id,
    ada.userId,
  ]);
  await owner.query(
    `update credits.mandates set status = 'revoked' where wallet_id = $1 and member_id = $2`,
    [team.id, ada.userId],
  );
  const leaving = team.remove(boss, boss);
  await untilSomebodyWaits(owner);
  await owner.query('commit');
  expect(codeOf(await leaving)).toBe('teams.last_owner');
});

test('two owners who leave at once: one stays', async () => {
  await team.join(ada, { role: 'owner' });
  const answers = await Promise.all([team.remove(boss, boss), team.remove(ada, ada)]);
  expect(new Set(answers.map(codeOf))).toEqual(new Set([null, 'teams.last_owner']));
});

test('who accept twice at once are members once', async () => {
  const { body } = await team.invite(boss, emailOf(ada));
  const answers = await Promise.all(Array.from({ length: 5 }, () => team.accept(ada, body.id)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(await team.read(boss, `teams/${team.id}/members`)).toHaveLength(2);
});

test.each(impossibleAmounts)('a limit of %j is refused with a field error', async (allowance) => {
  const limit = { allowance, period: 'day' };
  for (const answer of [
    await team.invite(boss, 'x@example.com', { limit }),
    await team.change(boss, boss, { limit }),
  ]) {
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/limit/allowance' }] } });
  }
});
