import { expect, test } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam, daily } from '../../../../test/harness/teams.ts';
import { addLot, addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { verifyLedger } from '../../credits/index.ts';

// Where a mandate and the budget of a key count: in a team, in quotes, by kinds, in the proofs of the ledger.

const service = await startTestService();
const owner = await connectAsOwner(service);
const post = (path: string, key: string, body: Record<string, unknown>) =>
  service.send('POST', `/api/v1/credits/${path}`, { headers: { 'x-api-key': key }, body });

test('in the wallet of a team, a key is limited by its budget and by what the member may spend', async () => {
  const boss = await addPerson(service, owner);
  await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 200 });
  const team = await addTeam(service, boss);
  expect((await team.transfer(boss, 100)).status).toBe(200);
  const member = await team.join(await addPerson(service, owner), { limit: daily(20) });
  const { key } = await makeKey(service, member.token, { budget: { allowance: 30, period: 'total' } });
  const spend = { appId: 'chat', description: 'Chat', walletId: team.id };
  expect((await post('use', key, { ...spend, amount: 21 })).body).toMatchObject({
    code: 'mandate.exceeded',
    remaining: 20,
  });
  expect((await post('use', key, { ...spend, amount: 15 })).status).toBe(200);
  expect((await post('holds', key, { ...spend, amount: 1 })).body.code).toBe('api_keys.budget_holds');
  service.clock.advance({ days: 1 });
  expect((await post('use', key, { ...spend, amount: 16 })).body).toMatchObject({
    code: 'mandate.exceeded',
    remaining: 15,
  });
  expect((await post('use', key, { ...spend, amount: 15 })).status).toBe(200);
  await expectSound(service);
});

test('a quote names the lower limit, and takes only credits that both allow', async () => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100 });
  const app = await registerApplication(service, admin.token);
  const { key } = await makeKey(service, admin.token, { budget: { allowance: 60, kinds: ['paid'] } }, app.id);
  await service.send('POST', '/api/v1/credits/mandates', {
    token: holder.token,
    body: { appId: app.clientId, allowance: 80, period: 'day' },
  });
  const spend = { appId: app.clientId, description: 'Chat', onBehalfOf: holder.userId };
  const quote = await post('quote', key, { ...spend, amount: 60 });
  expect(quote.body).toMatchObject({
    passes: true,
    effective: 60,
    binds: 'allowance',
    lots: [{ kind: 'paid', amount: 60 }],
  });
  expect((await post('quote', key, { ...spend, amount: 61 })).body).toMatchObject({
    passes: false,
    blockedBy: { code: 'mandate.exceeded', remaining: 60 },
  });
  const { body } = await post('use', key, { ...spend, amount: 60 });
  expect(body.newBalance).toMatchObject({ balance: 40, freeCreditsRemaining: 150 });
});

test.each([
  [
    'what the budget was charged',
    `update credits.mandate_usage u set spent = u.spent - 1 from credits.mandates m
      where m.id = u.mandate_id and m.key_id = $1`,
  ],
  ['what is left of the budget', 'update credits.mandates set spent = spent - 1 where key_id = $1'],
])('the proofs of the ledger find it when %s is not what was spent', async (_name, tampering) => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, admin.token);
  const made = await makeKey(service, admin.token, { budget: { allowance: 60 } }, app.id);
  await service.send('POST', '/api/v1/credits/mandates', {
    token: holder.token,
    body: { appId: app.clientId, allowance: 80, period: 'day' },
  });
  const charge = { amount: 10, appId: app.clientId, description: 'Chat', onBehalfOf: holder.userId };
  expect((await verifyKey(service, made.key, { charge })).body.valid).toBe(true);
  const findings = async () => (await verifyLedger(service.ctx.db, { walletId: holder.userId })).findings;
  expect(await findings()).toEqual([]);
  await owner.query(tampering, [made.id]);
  expect(await findings()).not.toEqual([]);
});
