import { beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, post, spend } from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { verifyLedger } from '../index.ts';

const service = await startTestService({ env: { CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;
let teamId: string;

/** A wallet with a debt, a refund, a clawback, a code and a transfer into a team. */
beforeEach(async () => {
  holder = await addWalletHolder(service);
  const { body: made } = await post(service, admin, 'codes', { amount: 20, description: 'Gift' });
  await post(service, holder, 'codes/redeem', { code: made.code });
  const grant = { userId: holder.userId, amount: 50, source: 'purchase', kind: 'paid', description: 'Pack' };
  const { body: bought } = await post(service, admin, 'grants', grant);
  teamId = (await post(service, holder, 'teams', { name: 'Research' })).body.id;
  await post(service, holder, `teams/${teamId}/transfers`, { amount: 30 });
  const { id } = await spend(service, holder, 190);
  await post(service, admin, 'clawbacks', { transactionId: bought.transaction.id, reason: 'Dispute' });
  await post(service, admin, 'refunds', { transactionId: id, amount: 15, reason: 'Cut off' });
  expect(await problems(holder.userId)).toEqual([]);
});

/** Alters what only the owner of the schema can, past the triggers that keep the journal append-only. */
async function alter(statement: string, values: unknown[]): Promise<void> {
  await owner.query(`begin; alter table credits.transactions disable trigger user;
    alter table credits.entries disable trigger user`);
  const { rowCount } = await owner.query(statement, values);
  await owner.query(`alter table credits.transactions enable trigger user;
    alter table credits.entries enable trigger user; commit`);
  expect(rowCount).toBeGreaterThan(0);
}

async function problems(walletId: string): Promise<string[]> {
  const { findings } = await verifyLedger(service.ctx.db, { walletId });
  return findings.map(({ problem }) => problem);
}

describe('verify finds', () => {
  test.each([
    [
      'a debt that is not what its entries say',
      'update credits.balances set debt = debt + 1 where wallet_id = $1',
      'debt is not what its entries leave receivable',
    ],
    [
      'a refund of something else',
      `update credits.transactions set reverses_id = id where wallet_id = $1 and type = 'refund'`,
      'it reverses a transaction that it cannot reverse',
    ],
    [
      'a clawback of something else',
      `update credits.transactions set reverses_id = null where wallet_id = $1 and type = 'clawback'`,
      'it reverses a transaction that it cannot reverse',
    ],
    [
      'a spend given back more than once',
      `update credits.entries e set amount = 100 * e.amount from credits.transactions t
        where t.wallet_id = $1 and t.type = 'refund' and e.transaction_id = t.id and e.account like 'revenue:%'`,
      'it reverses more than there was',
    ],
    [
      'a transfer whose other side is gone',
      `update credits.transactions set metadata = '{}' where wallet_id = $1 and type = 'transfer'`,
      'the other side of the transfer is missing or another one',
    ],
    [
      'a code that counts wrongly',
      `update credits.codes set redemptions_max = 9, redeemed = 2
        where id = (select code_id from credits.redemptions where wallet_id = $1)`,
      'its code counts redemptions wrongly',
    ],
    [
      'a redemption without its transaction',
      'update credits.redemptions set transaction_id = gen_random_uuid() where wallet_id = $1',
      'its transaction is missing or another one',
    ],
  ])('%s', async (_, statement, problem) => {
    await alter(statement, [holder.userId]);
    expect(await problems(holder.userId)).toContain(problem);
  });

  test.each([
    [
      'a member without a mandate',
      'update credits.mandates set status = $2 where wallet_id = $1',
      ['revoked'],
    ],
    ['a mandate without a member', 'delete from credits.team_members where wallet_id = $1', []],
  ])('%s', async (_, statement, values) => {
    await alter(statement, [teamId, ...values]);
    expect(await problems(teamId)).toEqual(['membership and mandate do not belong together']);
  });
});
