import { describe, expect, test } from 'vitest';
import { openShop } from '../../../../test/harness/shop.ts';
import type { DisputeFact } from '../fact.ts';

// Cases that are taken up again, and what a provider takes back with a case or without one (PayPal).

const { provider, begin, balance, purchase, tell, owner, service } = await openShop();
const money = async () => (await balance()).balance as number;
const buy = async () => {
  const { id, checkoutId, paymentId } = await begin();
  const checkout = provider.checkouts.get(checkoutId);
  if (!checkout) throw new Error('nothing was opened');
  await tell({ ...checkout, status: 'paid', paymentId });
  expect(await money()).toBe(1000);
  return { id, paymentId };
};

type Word = [what: 'case' | 'reversal', status: DisputeFact['status'], day: number, cents?: number];
const factOf = (paymentId: string, [what, status, day, cents = 1000]: Word): DisputeFact => ({
  kind: 'dispute',
  disputeId: what === 'case' ? `PP-D-${paymentId}` : `reversal:${paymentId}`,
  paymentId,
  status,
  amountCents: cents,
  currency: 'EUR',
  asOf: `2026-03-0${day}T10:00:00.000Z`,
});
/** All orders of a few words, and each of them told twice. */
function* ordersOf(words: Word[]): Generator<Word[]> {
  if (words.length <= 1) yield [...words, ...words];
  for (const word of words)
    for (const rest of ordersOf(words.filter((other) => other !== word))) yield [word, ...rest];
}

describe('in whatever order it is told,', () => {
  const stories: [string, Word[], number][] = [
    [
      'a case that was won and lost on appeal is lost',
      [
        ['case', 'won', 1],
        ['case', 'open', 2],
        ['case', 'lost', 3],
      ],
      0,
    ],
    [
      'a case that was won again is won',
      [
        ['case', 'won', 1],
        ['case', 'open', 2],
        ['case', 'won', 3],
      ],
      1000,
    ],
    [
      'what is taken back after a case was withdrawn is gone',
      [
        ['case', 'open', 1],
        ['case', 'won', 2],
        ['reversal', 'lost', 3],
      ],
      0,
    ],
    [
      'what was taken back before a case was won is here again',
      [
        ['reversal', 'lost', 1],
        ['case', 'open', 2],
        ['case', 'won', 3],
      ],
      1000,
    ],
    [
      'a case and its reversal are about the same money',
      [
        ['case', 'lost', 1, 600],
        ['reversal', 'lost', 2, 600],
      ],
      400,
    ],
    [
      'the larger of the two counts',
      [
        ['case', 'open', 1, 300],
        ['reversal', 'lost', 2, 700],
      ],
      300,
    ],
  ];

  test.each(stories)('%s', async (_what, words, left) => {
    for (const order of ordersOf(words)) {
      const before = await money();
      const { id, checkoutId, paymentId } = await begin();
      const checkout = provider.checkouts.get(checkoutId);
      if (!checkout) throw new Error('nothing was opened');
      await tell({ ...checkout, status: 'paid', paymentId });
      for (const word of order) await tell(factOf(paymentId, word));
      expect([order.map(String), (await money()) - before]).toEqual([order.map(String), left]);
      expect((await purchase(id)).status).toBe(left === 1000 ? 'completed' : 'disputed');
    }
  });
});

test('a comparison puts right what was taken up again, and leaves what is older alone', async () => {
  const { paymentId } = await buy();
  await tell(factOf(paymentId, ['case', 'won', 2]));
  const compare = async (word: Word) => {
    const { rows } = await owner.query(
      'select list, reason, is_safe from payments.compare_facts($1, $2, $3, $4)',
      ['stripe', false, JSON.stringify([factOf(paymentId, word)]), []],
    );
    return rows[0];
  };
  expect(await compare(['case', 'won', 2])).toMatchObject({ list: 'matched' });
  expect(await compare(['case', 'open', 3])).toMatchObject({ reason: 'behind', is_safe: true });
  expect(await compare(['case', 'open', 1])).toMatchObject({ reason: 'ahead', is_safe: false });
  await service.ctx.payments.applyFacts(provider, [factOf(paymentId, ['case', 'open', 3])]);
  expect(await money()).toBe(0);
});
