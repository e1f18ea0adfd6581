import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Ctx } from '../../ctx.ts';
import { startTestService } from '../../../test/harness/index.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  spendInOneBatch,
  type WalletHolder,
} from '../../../test/harness/wallets.ts';
import { readBalance, verifyLedger } from './index.ts';
import { createSpendQueue, type SpendRequest } from './spend-queue.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

function requestOf(holder: WalletHolder, amount = 1): SpendRequest {
  return {
    walletId: holder.userId,
    userId: holder.userId,
    sessionId: holder.sessionId,
    appId: 'chat',
    amount,
    description: 'Chat message',
    metadata: null,
    idempotencyKey: null,
    requestHash: '00',
    transactionId: randomUUID(),
  };
}

/** The same context, counting the calls of the database. */
function countingCtx(): { ctx: Ctx; calls: () => number } {
  let calls = 0;
  const { db } = service.ctx;
  const call: typeof db.call = (text, values) => {
    calls += 1;
    return db.call(text, values);
  };
  return { ctx: { ...service.ctx, db: { ...db, call } }, calls: () => calls };
}

const codes = async (outcomes: Promise<{ code: string | null }>[]) =>
  (await Promise.all(outcomes)).map(({ code }) => code);

test('a spend alone goes at once, in one call; what arrives meanwhile goes together in the next', async () => {
  const holder = await addWalletHolder(service);
  const { ctx, calls } = countingCtx();
  const queue = createSpendQueue(ctx);
  await queue.submit(requestOf(holder));
  expect(calls()).toBe(1);
  await Promise.all(Array.from({ length: 100 }, () => queue.submit(requestOf(holder))));
  expect(calls()).toBe(3);
});

test('a refused neighbour changes nothing for the others', async () => {
  const holders = await Promise.all(Array.from({ length: 3 }, () => addWalletHolder(service)));
  const [rich, poor, signedOut] = holders as [WalletHolder, WalletHolder, WalletHolder];
  await owner.query('update auth.sessions set revoked_at = created_at where id = $1', [signedOut.sessionId]);
  const queue = createSpendQueue(service.ctx, { lanes: 1, batchMax: 500, waitingMax: 100 });
  const unknown = { ...requestOf(rich), walletId: randomUUID() };
  const foreign = { ...requestOf(rich), walletId: poor.userId };
  const first = queue.submit(requestOf(rich));
  const others = [
    requestOf(poor, 151),
    requestOf(signedOut),
    unknown,
    foreign,
    requestOf(rich),
    requestOf(poor, 150),
  ];
  expect(await codes([first, ...others.map((request) => queue.submit(request))])).toEqual([
    null,
    'credits.insufficient',
    'auth.session_ended',
    'request.not_found',
    'request.not_found',
    null,
    null,
  ]);
});

test('each spend of a batch needs a living session of its own caller', async () => {
  const holder = await addWalletHolder(service);
  const others = await Promise.all(Array.from({ length: 3 }, () => addWalletHolder(service)));
  const [other, expired, deactivated] = others as [WalletHolder, WalletHolder, WalletHolder];
  const now = service.clock.now();
  await owner.query('update auth.sessions set expires_at = $2 where id = $1', [expired.sessionId, now]);
  await owner.query('update auth.users set is_active = false where id = $1', [deactivated.userId]);
  const spends = [
    { holder, amount: 1 },
    { holder: { ...holder, sessionId: other.sessionId }, amount: 1 },
    { holder: expired, amount: 1 },
    { holder: deactivated, amount: 1 },
  ];
  const ended = 'auth.session_ended';
  expect(await spendInOneBatch(service, spends)).toEqual([null, ended, ended, ended]);
});

test('a wallet whose rows contradict each other fails alone', async () => {
  const [sound, broken] = [await addWalletHolder(service), await addWalletHolder(service)];
  await owner.query('update credits.balances set free = 200 where wallet_id = $1', [broken.userId]);
  const queue = createSpendQueue(service.ctx, { lanes: 1, batchMax: 500, waitingMax: 100 });
  const results = await Promise.allSettled(
    [requestOf(sound), requestOf(sound), requestOf(broken, 200), requestOf(sound)].map((request) =>
      queue.submit(request),
    ),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await readBalance(service.ctx, sound)).toMatchObject({ available: 147, totalSpent: 3 });
  await owner.query('update credits.balances set free = 150 where wallet_id = $1', [broken.userId]);
});

test('a batch comes to what its spends would come to one after the other', async () => {
  const amounts = [100, 60, 50, 1, 5, 20, 10, 300, 4];
  const results = [];
  for (const batches of [[amounts], amounts.map((amount) => [amount])]) {
    const holder = await addWalletHolder(service);
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 30 });
    const outcomes = [];
    for (const batch of batches) {
      outcomes.push(
        ...(await spendInOneBatch(
          service,
          batch.map((amount) => ({ holder, amount })),
        )),
      );
    }
    const { rows } = await owner.query(
      `select t.amount, t.balance_after, split_part(e.account, ':', 3) as kind, e.amount as part
         from credits.transactions t join credits.entries e on e.transaction_id = t.id
        where t.wallet_id = $1 and t.type = 'usage' order by t.sequence, e.ordinal`,
      [holder.userId],
    );
    results.push({ outcomes, rows });
  }
  expect(results[0]).toEqual(results[1]);
  expect(results[0]?.outcomes.map((code) => code === null)).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
    true,
    false,
    true,
  ]);
});

test('batches that want the same wallets in opposite orders do not lock each other out', async () => {
  const holders = await Promise.all(Array.from({ length: 10 }, () => addWalletHolder(service)));
  const spends = holders.map((holder) => ({ holder, amount: 1 }));
  const batches = Array.from({ length: 40 }, (_, index) => (index % 2 ? spends : spends.toReversed()));
  const outcomes = await Promise.all(batches.map((batch) => spendInOneBatch(service, batch)));
  expect(new Set(outcomes.flat())).toEqual(new Set([null]));
});

test('one key several times in one batch has one effect, and none on other apps and wallets', async () => {
  const [holder, other] = [await addWalletHolder(service), await addWalletHolder(service)];
  const once = { holder, amount: 5, idempotencyKey: 'once' };
  const spends = [
    once,
    once,
    { ...once, amount: 6 },
    { ...once, appId: 'maps', amount: 7 },
    { ...once, holder: other },
  ];
  expect(await spendInOneBatch(service, spends)).toEqual([null, null, 'idempotency.mismatch', null, null]);
  expect(await readBalance(service.ctx, holder)).toMatchObject({ available: 138 });
  expect(await readBalance(service.ctx, other)).toMatchObject({ available: 145 });
});

test('a full queue refuses with server.busy and says when to come back', async () => {
  const holder = await addWalletHolder(service);
  const queue = createSpendQueue(service.ctx, { lanes: 1, batchMax: 1, waitingMax: 2 });
  const taken = [
    queue.submit(requestOf(holder)),
    queue.submit(requestOf(holder)),
    queue.submit(requestOf(holder)),
  ];
  expect(queue.waiting()).toBe(2);
  await expect(queue.submit(requestOf(holder))).rejects.toMatchObject({
    code: 'server.busy',
    options: { headers: { 'retry-after': '1' } },
  });
  expect(await codes(taken)).toEqual([null, null, null]);
});

test('drain waits until everything submitted has been answered, whichever lane it takes', async () => {
  const queue = createSpendQueue(service.ctx, { lanes: 2, batchMax: 1, waitingMax: 100 });
  const lanes = new Set<number>();
  while (lanes.size < 2) {
    const holder = await addWalletHolder(service);
    const spends = Array.from({ length: 10 }, () => queue.submit(requestOf(holder)));
    await queue.drain();
    expect(await readBalance(service.ctx, holder)).toMatchObject({ totalSpent: 10 });
    expect(await codes(spends)).toEqual(Array.from({ length: 10 }, () => null));
    lanes.add(Number.parseInt(holder.userId.slice(-6), 16) % 2);
  }
});

test('after all this the ledger is sound', async () => {
  expect((await verifyLedger(service.ctx.db)).findings).toEqual([]);
});

test('who came first is decided first, in one batch and over many', async () => {
  for (const batchMax of [1, 500]) {
    const holder = await addWalletHolder(service);
    const queue = createSpendQueue(service.ctx, { lanes: 1, batchMax, waitingMax: 100 });
    const outcomes = [1, 100, 60, 40].map((amount) => queue.submit(requestOf(holder, amount)));
    expect(await codes(outcomes)).toEqual([null, null, 'credits.insufficient', null]);
  }
});

test('what may have been committed is not tried again: each of the batch hears that it is not known', async () => {
  const holder = await addWalletHolder(service);
  const { db } = service.ctx;
  let calls = 0;
  // The answer to the second call is lost on the way.
  const call: typeof db.call = async (text, values) => {
    calls += 1;
    const isLost = calls === 2;
    const rows = await db.call(text, values);
    if (isLost) throw new Error('Connection terminated unexpectedly');
    return rows as never;
  };
  const queue = createSpendQueue(
    { ...service.ctx, db: { ...db, call } },
    { lanes: 1, batchMax: 500, waitingMax: 100 },
  );
  const results = await Promise.allSettled(
    [1, 2, 3].map((amount) => queue.submit(requestOf(holder, amount))),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(calls).toBe(2);
  expect(await readBalance(service.ctx, holder)).toMatchObject({ available: 144, totalSpent: 6 });
});
