import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam, codeOf, emailOf, type TestTeam } from '../../../../test/harness/teams.ts';
import { addLot, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
let boss: WalletHolder;
let ada: WalletHolder;
let eve: WalletHolder;
let team: TestTeam;

beforeEach(async () => {
  [boss, ada, eve] = (await Promise.all([1, 2, 3].map(() => addPerson(service, owner)))) as [
    WalletHolder,
    WalletHolder,
    WalletHolder,
  ];
  team = await addTeam(service, boss);
  await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 100 });
  await team.transfer(boss, 100);
});
afterEach(() => expectSound(service));

describe('an invitation is worth what its sender may still give', () => {
  test.each([
    ['an owner who is an admin now', 'owner', 'owner', 'admin'],
    ['an owner who is an admin now', 'owner', 'admin', 'admin'],
    ['an owner who is a member now', 'owner', 'member', 'member'],
    ['an admin who is a member now', 'admin', 'member', 'member'],
  ])('nothing, from %s (%s, invites as %s)', async (_, before, role, after) => {
    await team.join(ada, { role: before });
    const { body } = await team.invite(ada, emailOf(eve), { role });
    expect((await team.change(boss, ada, { role: after })).status).toBe(200);
    expect(await team.read(boss, `teams/${team.id}/invitations`)).toEqual([]);
    expect(codeOf(await team.accept(eve, body.id))).toBe('request.not_found');
    expect((await team.get(eve)).status).toBe(404);
  });

  test('all that it said, from an owner who is an admin now and invited a member', async () => {
    await team.join(ada, { role: 'owner' });
    const { body } = await team.invite(ada, emailOf(eve));
    await team.change(boss, ada, { role: 'admin' });
    expect(codeOf(await team.accept(eve, body.id))).toBeNull();
    expect((await team.read(eve)).role).toBe('member');
  });

  test('nothing, where a sender lost the role in another way than by the routes', async () => {
    await team.join(ada, { role: 'admin' });
    const { body } = await team.invite(ada, emailOf(eve));
    await owner.query(`update credits.team_members set role = 'member' where user_id = $1`, [ada.userId]);
    expect(codeOf(await team.accept(eve, body.id))).toBe('request.not_found');
    expect((await team.get(eve)).status).toBe(404);
  });

  test('nothing, when its sender is being removed while it is written', async () => {
    await team.join(ada, { role: 'admin' });
    await owner.query('begin');
    await owner.query('select from credits.teams where wallet_id = $1 for update', [team.id]);
    const invited = team.invite(ada, emailOf(eve));
    await untilSomebodyWaits(owner);
    await owner.query('delete from credits.team_members where user_id = $1', [ada.userId]);
    await owner.query(`update credits.mandates set status = 'revoked' where member_id = $1`, [ada.userId]);
    await owner.query('commit');
    expect(codeOf(await invited)).toBe('request.not_found');
  });
});

test('who accepts while the sender is being removed sees what came of it', async () => {
  await team.join(ada, { role: 'admin' });
  const { body } = await team.invite(ada, emailOf(eve));
  await owner.query('begin');
  await owner.query('select from credits.teams where wallet_id = $1 for update', [team.id]);
  await owner.query('delete from credits.team_members where user_id = $1', [ada.userId]);
  await owner.query(`update credits.mandates set status = 'revoked' where member_id = $1`, [ada.userId]);
  const accepted = team.accept(eve, body.id);
  await untilSomebodyWaits(owner);
  await owner.query('commit');
  expect(codeOf(await accepted)).toBe('request.not_found');
});

test('who accepts while the sender is being removed waits for it, and neither fails', async () => {
  await team.join(ada, { role: 'admin' });
  const { body } = await team.invite(ada, emailOf(eve));
  await owner.query('begin');
  await owner.query('select from credits.teams where wallet_id = $1 for update', [team.id]);
  const removed = team.remove(boss, ada);
  await untilSomebodyWaits(owner);
  const accepted = team.accept(eve, body.id);
  await owner.query('commit');
  expect((await removed).status).toBe(200);
  expect([200, 404]).toContain((await accepted).status);
});

test('many who accept and remove at once never wait in a circle', async () => {
  for (let round = 0; round < 10; round++) {
    await team.join(ada, { role: 'admin' });
    const { body } = await team.invite(ada, emailOf(eve));
    const [accepted, removed] = await Promise.all([team.accept(eve, body.id), team.remove(boss, ada)]);
    expect(removed.status).toBe(200);
    if (accepted.status === 200) await team.remove(boss, eve);
    else expect(accepted.status).toBe(404);
  }
});

describe('a change of role', () => {
  test.each(['admin', 'owner'])('from %s to member leaves nothing to spend without a limit', async (role) => {
    await team.join(ada, { role });
    expect(codeOf(await team.use(ada, 1))).toBeNull();
    await team.change(boss, ada, { role: 'member' });
    expect(codeOf(await team.use(ada, 1))).toBe('mandate.exceeded');
    await team.change(boss, ada, { limit: { allowance: 5, period: 'day' } });
    expect(codeOf(await team.use(ada, 4))).toBeNull();
  });

  test('from member to admin lets them spend what there is', async () => {
    await team.join(ada);
    expect(codeOf(await team.use(ada, 1))).toBe('mandate.exceeded');
    await team.change(boss, ada, { role: 'admin' });
    expect(codeOf(await team.use(ada, 100))).toBeNull();
  });

  test('leaves a limit of their own as it is, and takes one that comes with it', async () => {
    await team.join(ada, { role: 'admin', limit: { allowance: 7, period: 'day' } });
    await team.change(boss, ada, { role: 'member' });
    expect(await team.read(ada)).toMatchObject({ role: 'member', limit: { allowance: 7, period: 'day' } });
    await team.change(boss, ada, { role: 'admin' });
    expect((await team.read(ada)).limit).toMatchObject({ allowance: 7 });
    await team.change(boss, ada, { role: 'member', limit: { allowance: 9, period: 'week' } });
    expect((await team.read(ada)).limit).toMatchObject({ allowance: 9, period: 'week' });
  });
});
