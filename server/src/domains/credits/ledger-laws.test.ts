import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  spendInOneBatch,
  type WalletHolder,
} from '../../../test/harness/wallets.ts';

const service = await startTestService();
const walletCount = 3;
const runs = { numRuns: 12 };

const batches = fc.array(
  fc.record({
    wallet: fc.nat(walletCount - 1),
    amount: fc.integer({ min: 1, max: 90 }),
    appId: fc.constantFrom('chat', 'maps'),
    idempotencyKey: fc.constantFrom(undefined, 'a', 'b'),
  }),
  { minLength: 2, maxLength: 25 },
);
type Batch = typeof batches extends fc.Arbitrary<infer T> ? T : never;

/** A wallet with lots of all kinds: 150 of the signup, 30 that expire, 40 that were paid. */
async function addRichHolder(): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  const expiresAt = '2026-03-09T00:00:00.000Z';
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 30, priority: 50, expiresAt });
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 40 });
  return holder;
}

/** A wallet without what no two wallets share. */
async function shapeOf(holder: WalletHolder): Promise<unknown> {
  const { lots, ...balance } = await readOwn(service, holder, 'balance');
  return { ...balance, lots: lots.map(({ id: _id, ...lot }: { id: string }) => lot) };
}

/**
 * Spends from wallets of its own, `calls` after each other, each of which names its spends by their places.
 * Returns the code of every spend, and the wallets.
 */
async function spendInCalls(batch: Batch, calls: number[][]) {
  const holders = await Promise.all(Array.from({ length: walletCount }, addRichHolder));
  const codes = new Map<number, string | null>();
  for (const places of calls) {
    const spends = places.flatMap((place) => {
      const { wallet, amount, appId, idempotencyKey } = batch[place]!;
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      return [{ holder: holders[wallet]!, amount, appId, ...key }];
    });
    const answered = await spendInOneBatch(service, spends);
    for (const [index, place] of places.entries()) codes.set(place, answered[index] ?? null);
  }
  const ordered = batch.map((_spend, place) => codes.get(place));
  return { codes: ordered, wallets: await Promise.all(holders.map(shapeOf)) };
}

test('a batch of n comes to what n batches of one come to', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      const places = batch.map((_spend, place) => place);
      const together = await spendInCalls(batch, [places]);
      const apart = await spendInCalls(
        batch,
        places.map((place) => [place]),
      );
      expect(together).toEqual(apart);
    }),
    runs,
  );
});

test('the order of spends across wallets does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      const places = batch.map((_spend, place) => place);
      const walletOf = (place: number) => batch[place]?.wallet ?? 0;
      const regrouped = places.toSorted((left, right) => walletOf(right) - walletOf(left));
      expect(await spendInCalls(batch, [regrouped])).toEqual(await spendInCalls(batch, [places]));
    }),
    runs,
  );
});

test('captures in parts come to what one capture of their sum comes to, above the hold, too', async () => {
  const captures = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 220 }), captures, async (held, amounts) => {
      const settle = async (parts: number[]) => {
        const holder = await addRichHolder();
        const body = { amount: held, appId: 'chat', description: 'Answer' };
        const { id } = (await post(service, holder, 'holds', body)).body;
        for (const [index, amount] of parts.entries()) {
          const final = index === parts.length - 1;
          const answer = await post(service, holder, `holds/${id}/capture`, {
            amount,
            final,
            overrun: 'spill',
          });
          expect(answer.status).toBe(200);
        }
        const { status, captured, remaining } = await readOwn(service, holder, `holds/${id}`);
        return { status, captured, remaining, wallet: await shapeOf(holder) };
      };
      const sum = amounts.reduce((total, amount) => total + amount, 0);
      expect(await settle(amounts)).toEqual(await settle([sum]));
    }),
    runs,
  );
});

afterAll(() => expectSound(service));
