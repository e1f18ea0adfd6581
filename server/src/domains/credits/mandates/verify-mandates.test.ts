import { beforeEach, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { verifyLedger } from '../index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const app = await registerApplication(service, (await addAdministrator(service)).token);
let holder: WalletHolder;

const asApp = (path: string, body: Record<string, unknown>) =>
  service.send('POST', `/api/v1/credits${path}`, { headers: app.headers, body });

/** A wallet with a mandate, of which a spend, an open hold and one captured in part have taken something. */
beforeEach(async () => {
  holder = await addWalletHolder(service);
  const terms = { appId: app.clientId, allowance: 100, period: 'day' };
  await service.send('POST', '/api/v1/credits/mandates', { token: holder.token, body: terms });
  const body = { appId: app.clientId, description: 'x', onBehalfOf: holder.userId };
  await asApp('/use', { ...body, amount: 10 });
  await asApp('/holds', { ...body, amount: 20 });
  const { id } = (await asApp('/holds', { ...body, amount: 30 })).body;
  await asApp(`/holds/${id}/capture`, { amount: 25 });
});

const findings = async () => (await verifyLedger(service.ctx.db, { walletId: holder.userId })).findings;

test('an untouched history of holds and mandates is sound', async () => {
  expect(await findings()).toEqual([]);
});

test.each([
  ['spent of a mandate', 'update credits.mandates set spent = spent - 1 where wallet_id = $1', 'mandate'],
  [
    'what a transaction charged to it',
    `update credits.mandate_usage set spent = spent - 1 where wallet_id = $1 and spent = 10`,
    'transaction',
  ],
  ['a charge gone', `delete from credits.mandate_usage where wallet_id = $1 and spent = 10`, 'transaction'],
  [
    'a charge of another mandate',
    `insert into credits.mandate_usage (transaction_id, charged_at, mandate_id, wallet_id, held, spent)
       select id, '2026-03-01', id, wallet_id, 0, 1 from credits.mandates where wallet_id = $1`,
    'transaction',
  ],
  [
    'what a hold set aside',
    `update credits.holds set amount = 21 where wallet_id = $1 and amount = 20`,
    'hold',
  ],
  [
    'what a hold captured',
    `update credits.holds set captured = 24 where wallet_id = $1 and captured = 25`,
    'hold',
  ],
  [
    'what a hold still holds',
    `update credits.holds set remaining = 19 where wallet_id = $1 and status = 'open'`,
    'hold',
  ],
  [
    'an open hold closed by hand',
    `update credits.holds set status = 'voided', closed_at = created_at where wallet_id = $1 and status = 'open'`,
    'hold',
  ],
  ['a lot of a hold', 'update credits.hold_lots set amount = 19 where wallet_id = $1 and amount = 20', 'lot'],
])('verification finds %s altered', async (_, statement, row) => {
  const { rowCount } = await owner.query(statement, [holder.userId]);
  expect(rowCount).toBe(1);
  const found = (await findings()).map((finding) => finding.row.split(' ')[0]);
  expect(found).toContain(row);
});
