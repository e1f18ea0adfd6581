import { expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addTeam, teamOf } from '../../../../test/harness/teams.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';

// What is named beside the terms of a mandate, in whatever part of a body, changes nothing: neither whose
// mandate it is, nor what was spent of it.

const service = await startTestService();
const admin = await addWalletHolder(service);
const app = await registerApplication(service, admin.token);
const [victim, mallory] = [await addWalletHolder(service), await addWalletHolder(service)];
const { given, use, read, change } = mandateCalls(service, app, () => victim);
const mandate = await given({ allowance: 10 });
expect((await use({ amount: 10 })).status).toBe(200);
const asItWas = await read(mandate.id);

const foreign = {
  id: mandate.id,
  wallet_id: victim.userId,
  spent: 0,
  status: 'active',
  period_started_at: '2020-01-01T00:00:00Z',
  overrun: 'debt',
  overrun_max: 1000,
};
const most = { allowance: 1000, period: 'total', ...foreign };

async function expectAsItWas(): Promise<void> {
  expect(await read(mandate.id)).toEqual(asItWas);
  expect((await use({ amount: 1 })).body.code).toBe('mandate.exceeded');
}

test('the limit of a member', async () => {
  const team = await addTeam(service, mallory);
  const body = { limit: most };
  const path = `/api/v1/credits/teams/${team.id}/members/${mallory.userId}`;
  expect((await service.send('PUT', path, { token: mallory.token, body })).status).toBeLessThan(500);
  expect((await service.send('PATCH', path, { token: mallory.token, body })).status).toBeLessThan(500);
  await expectAsItWas();
});

test('the limit of somebody who is invited again, also of an invitation from before', async () => {
  const team = await addTeam(service, mallory, 'Again');
  const member = await addWalletHolder(service);
  const owner = await connectAsOwner(service);
  await owner.query('update auth.users set email_verified_at = now() where id = $1', [member.userId]);
  await team.join(member);
  const path = `/api/v1/credits/teams/${team.id}/members/${member.userId}`;
  expect((await service.send('DELETE', path, { token: mallory.token })).status).toBe(200);
  const { body } = await team.invite(mallory, `${member.userId}@example.com`, { limit: most });
  await owner.query('update credits.team_invitations set spending_limit = $2 where id = $1', [body.id, most]);
  expect((await teamOf(service, mallory, team.id).accept(member, body.id)).status).toBe(200);
  await expectAsItWas();
});

test('the budget of a key', async () => {
  const own = '/api/v1/users/api-keys';
  const budget = { allowance: 5, period: 'day' };
  const { body } = await service.send('POST', own, { token: mallory.token, body: { name: 'Key', budget } });
  const changed = await service.send('PATCH', `${own}/${body.id}`, {
    token: mallory.token,
    body: { budget: most },
  });
  expect([changed.status, changed.body.budget.allowance]).toEqual([200, 1000]);
  await expectAsItWas();
});

test('a mandate of one’s own', async () => {
  const calls = mandateCalls(service, app, () => mallory);
  const own = await calls.given({ ...foreign, allowance: 5 });
  expect((await calls.change(own.id, most)).status).toBe(200);
  await expectAsItWas();
  const { rows } = await (
    await connectAsOwner(service)
  ).query('select credits.change_terms(m, $2, now()) as changed from credits.mandates m where id = $1', [
    own.id,
    most,
  ]);
  expect(rows).toHaveLength(1);
  await expectAsItWas();
  expect((await change(mandate.id, { allowance: 20, spent: 0 })).body.used).toBe(10);
});
