import { beforeAll, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import {
  addWalletHolder,
  connectAsOwner,
  spendInOneBatch,
  type WalletHolder,
} from '../../../test/harness/wallets.ts';
import { verifyLedger, type LedgerProgress } from './index.ts';

const service = await startTestService();
const { db } = service.ctx;
const owner = await connectAsOwner(service);
const holders: WalletHolder[] = [];

/** Six wallets with ten spends each, a minute apart, in the order of their ids. */
beforeAll(async () => {
  for (let count = 0; count < 6; count++) holders.push(await addWalletHolder(service));
  holders.sort((left, right) => (left.userId < right.userId ? -1 : 1));
  for (let round = 0; round < 10; round++) {
    service.clock.advance({ minutes: 1 });
    await spendInOneBatch(
      service,
      holders.map((holder) => ({ holder, amount: round + 1 })),
    );
  }
});

/** Lets the work see a transaction with another description, past the triggers; then it is as it was. */
async function altered(holder: WalletHolder, sequence: number, work: () => Promise<void>): Promise<void> {
  const change = async (description: string) => {
    await owner.query('begin; alter table credits.transactions disable trigger user');
    const { rowCount } = await owner.query(
      'update credits.transactions set description = $3 where wallet_id = $1 and sequence = $2',
      [holder.userId, sequence, description],
    );
    expect(rowCount).toBe(1);
    await owner.query('alter table credits.transactions enable trigger user; commit');
  };
  await change('Altered');
  await work();
  await change('A spend');
}

const third = () => holders[2] ?? expect.unreachable();

test('any size of the parts comes to the same', async () => {
  for (const partSize of [1, 2, 3, 7, 11, 12, 23, 1000]) {
    expect(await verifyLedger(db, { partSize })).toEqual({
      isSound: true,
      wallets: 6,
      transactions: 66,
      findings: [],
    });
  }
});

test('a bad row is named once, in whatever part it is', async () => {
  for (const sequence of [2, 5, 6, 11]) {
    await altered(third(), sequence, async () => {
      for (const partSize of [1, 4, 5, 100]) {
        const { findings } = await verifyLedger(db, { partSize });
        expect(findings).toHaveLength(1);
        expect(findings[0]).toMatchObject({
          walletId: third().userId,
          row: expect.stringMatching(/^transaction /),
        });
      }
    });
  }
});

test('progress says how far it is, and a run goes on behind the wallet that it names', async () => {
  const seen: LedgerProgress[] = [];
  await verifyLedger(db, { partSize: 5, onProgress: (progress) => seen.push({ ...progress }) });
  const transactions = seen.map((progress) => progress.transactions);
  expect(transactions).toEqual(transactions.toSorted((left, right) => left - right));
  expect(seen.at(-1)).toMatchObject({ wallets: 6, transactions: 66, transactionsMax: 66 });
  const half = seen.findLast(({ wallets }) => wallets === 3);
  expect(half?.lastWalletId).toBe(third().userId);
  const rest = await verifyLedger(db, { afterWalletId: third().userId });
  expect(rest).toMatchObject({ isSound: true, wallets: 3, transactions: 33 });
  await altered(third(), 4, async () => {
    expect((await verifyLedger(db, { afterWalletId: third().userId })).isSound).toBe(true);
  });
});

test('since a time: what happened from then on, and that it continues what was before', async () => {
  const since = new Date(service.clock.now().getTime() - 3 * 60_000);
  const run = () => verifyLedger(db, { since });
  expect(await run()).toMatchObject({ isSound: true, wallets: 6, transactions: 6 * 4 });
  await altered(third(), 7, async () => expect((await run()).isSound).toBe(true));
  await altered(third(), 8, async () => expect((await run()).isSound).toBe(false));
  const later = new Date(service.clock.now().getTime() + 1);
  expect(await verifyLedger(db, { since: later })).toMatchObject({ wallets: 0, transactions: 0 });
});

test('since a sequence: what each wallet has beyond it', async () => {
  const run = (since: number) => verifyLedger(db, { since, walletId: third().userId });
  expect(await run(9)).toMatchObject({ isSound: true, wallets: 1, transactions: 2 });
  expect(await run(500)).toMatchObject({ isSound: true, wallets: 1, transactions: 0 });
  await altered(third(), 10, async () => {
    expect((await run(9)).isSound).toBe(false);
    expect((await run(10)).isSound).toBe(true);
  });
});

test('a journal whose wallet is gone is found', async () => {
  const lost = '00000000-0000-4000-8000-00000000000f';
  await owner.query('begin; alter table credits.transactions disable trigger user');
  await owner.query(
    `insert into credits.transactions select (jsonb_populate_record(t, jsonb_build_object('wallet_id', $2::text,
       'id', gen_random_uuid()))).* from credits.transactions t where t.wallet_id = $1 and t.sequence = 1`,
    [third().userId, lost],
  );
  await owner.query('commit');
  const { findings } = await verifyLedger(db);
  expect(findings).toEqual([
    { walletId: lost, row: `transactions of ${lost}`, problem: 'their wallet does not exist' },
  ]);
  await owner.query(`begin; alter table credits.transactions disable trigger user;
    delete from credits.transactions where wallet_id = '${lost}';
    alter table credits.transactions enable trigger user; commit`);
  expect((await verifyLedger(db)).isSound).toBe(true);
});
