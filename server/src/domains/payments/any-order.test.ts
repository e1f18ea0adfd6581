import { randomInt, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createRandom, type Random } from '../../../test/crash/random.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { expectSound } from '../../../test/harness/movements.ts';
import { createTestProvider, disputeOf, refundOf } from '../../../test/harness/payments.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';
import type { Fact } from './fact.ts';

// What providers tell of two purchases of one person, in every order and any number of times, ends as it does
// in order.

// The long form: PAYMENT_SEQUENCES=10000.
const sequences = Number(process.env.PAYMENT_SEQUENCES ?? 300);
const seed = Number(process.env.PAYMENT_SEED ?? randomInt(1_000_000_000));
/** So many at a time go through the database together; each of their deliveries in its own order. */
const together = 100;
const copiesMax = 5;

const provider = createTestProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', DATABASE_POOL_MAX: '4' },
  paymentProviders: [provider],
});
const owner = await connectAsOwner(service);

type Event = { name: string; facts: (ids: Ids) => Fact[] };
type Ids = { purchaseId: string; checkoutId: string; paymentId: string };

const checkout =
  (status: 'open' | 'processing' | 'expired' | 'failed' | 'paid', named = true) =>
  (ids: Ids): Fact[] => [
    {
      kind: 'checkout',
      checkoutId: ids.checkoutId,
      purchaseId: named ? ids.purchaseId : null,
      paymentId: status === 'open' ? null : ids.paymentId,
      status,
      amountCents: 1000,
      currency: 'EUR',
      customerId: null,
    },
  ];
const refund = (name: string, cents: number, status: 'pending' | 'succeeded' | 'failed') => ({
  name: `refund ${name} ${status}`,
  facts: ({ paymentId }: Ids) => [refundOf(paymentId, cents, status, { refundId: `${name}_${paymentId}` })],
});
const dispute = (status: 'open' | 'lost' | 'won') => ({
  name: `dispute ${status}`,
  facts: ({ paymentId }: Ids) => [disputeOf(paymentId, 400, status)],
});

const paid = { name: 'paid', facts: checkout('paid') };
const processing = { name: 'processing', facts: checkout('processing') };
const partly = refund('a', 333, 'succeeded');
/** In order, each; a charge that says again what its refunds came to is told as those refunds. */
const stories: Event[][] = [
  [processing, paid, refund('a', 333, 'pending'), partly, dispute('open'), dispute('won')],
  [processing, paid, refund('a', 333, 'pending'), partly, dispute('open'), dispute('lost')],
  [
    processing,
    paid,
    refund('b', 1000, 'pending'),
    refund('b', 1000, 'failed'),
    dispute('open'),
    dispute('won'),
  ],
  [
    { name: 'failed', facts: checkout('failed') },
    processing,
    paid,
    refund('b', 1000, 'pending'),
    refund('b', 1000, 'succeeded'),
    dispute('open'),
    dispute('won'),
  ],
  [
    processing,
    paid,
    refund('a', 333, 'pending'),
    partly,
    refund('b', 250, 'pending'),
    refund('b', 250, 'succeeded'),
    dispute('open'),
    dispute('lost'),
  ],
  [
    { name: 'open', facts: checkout('open') },
    {
      name: 'paid, unnamed',
      facts: (ids: Ids) => [...checkout('paid', false)(ids), refundOf(ids.paymentId, 100, 'pending')],
    },
    { name: 'named', facts: checkout('processing') },
    refund('a', 333, 'pending'),
    partly,
    dispute('open'),
    dispute('won'),
  ],
  [
    { name: 'expired', facts: checkout('expired') },
    processing,
    { name: 'failed', facts: checkout('failed') },
    { name: 'open', facts: checkout('open') },
    { name: 'named', facts: checkout('processing') },
    { name: 'again', facts: checkout('expired', false) },
  ],
];

type Sequence = { userId: string; stories: [Event[], Event[]]; ids: [Ids, Ids]; deliveries: Delivery[] };
type Delivery = { id: string; facts: Fact[] };

test(
  `${sequences} orders of what is told of two purchases (seed ${seed}) end as the order in which it happened`,
  { timeout: 120_000 + sequences * 200 },
  async () => {
    const random = createRandom(seed);
    const inOrder = new Map<string, unknown>();
    for (let first = 0; first < sequences; first += together) {
      const some = Array.from({ length: Math.min(together, sequences - first) }, (_, at) =>
        shuffled(newSequence(first + at), first + at, random),
      );
      const references = some.filter(({ stories }) => !inOrder.has(nameOf(stories))).map(asItHappened);
      await addWallets([...some, ...references]);
      await deliverAll(references);
      for (const one of references) inOrder.set(nameOf(one.stories), await stateOf(one));
      await deliverAll(some);
      for (const one of some) {
        const told = () => one.deliveries.map(({ facts }) => JSON.stringify(facts)).join('\n');
        expect(await stateOf(one), told()).toEqual(inOrder.get(nameOf(one.stories)));
      }
    }
    const { rows } = await owner.query(
      `select count(*)::integer as waiting from payments.events where outcome <> 'applied'`,
    );
    expect(rows).toEqual([{ waiting: 0 }]);
    const { rows: unequal } = await owner.query(`select p.id from credits.purchases p
      where p.posted_credits <> (select coalesce(sum(o.amount), 0) from payments.postings o where o.purchase_id = p.id)`);
    expect(unequal).toEqual([]);
    await expectSound(service);
  },
);

const nameOf = (told: Event[][]) => JSON.stringify(told.map((story) => story.map(({ name }) => name)));

function newIds(): Ids {
  const purchaseId = randomUUID();
  return { purchaseId, checkoutId: `cs_${purchaseId}`, paymentId: `pi_${purchaseId}` };
}

/** Each pair of stories comes in turn, so that each meets all others. */
function newSequence(index: number): Sequence {
  const { length } = stories;
  const pair = [stories[index % length]!, stories[Math.trunc(index / length) % length]!];
  return {
    userId: randomUUID(),
    stories: pair as [Event[], Event[]],
    ids: [newIds(), newIds()],
    deliveries: [],
  };
}

const deliveryOf = (event: Event, ids: Ids): Delivery => ({
  id: `evt_${randomUUID()}`,
  facts: event.facts(ids),
});

function asItHappened({ stories: told }: Sequence): Sequence {
  const sequence = { ...newSequence(0), stories: told };
  const deliveries = told.flatMap((story, which) =>
    story.map((event) => deliveryOf(event, sequence.ids[which]!)),
  );
  return { ...sequence, deliveries };
}

/** The permutations of each story come one after the other; copies, some under a new id, anywhere between. */
function shuffled(sequence: Sequence, index: number, random: Random): Sequence {
  const round = Math.trunc(index / stories.length ** 2);
  const queues = sequence.stories.map((story, which) => {
    const order = permutation(story, round * 2 + which + random(2) * random(40_320));
    const originals = order.map((event) => deliveryOf(event, sequence.ids[which]!));
    const deliveries = [...originals];
    for (const delivery of originals) {
      for (let copies = random(copiesMax); copies > 0; copies--) {
        const copy = random(2) === 0 ? delivery : { ...delivery, id: `evt_${randomUUID()}` };
        deliveries.splice(random(deliveries.length + 1), 0, copy);
      }
    }
    return deliveries;
  });
  const deliveries: Delivery[] = [];
  while (queues.some(({ length }) => length > 0)) {
    const next = queues[random(2)]!.shift();
    if (next) deliveries.push(next);
  }
  return { ...sequence, deliveries };
}

/** The permutation with this number, in the order of the factorial system. */
function permutation<T>(items: T[], number: number): T[] {
  const left = [...items];
  const result: T[] = [];
  for (let rest = number; left.length > 0;) {
    const { length } = left;
    result.push(...left.splice(rest % length, 1));
    rest = Math.trunc(rest / length);
  }
  return result;
}

async function addWallets(some: Sequence[]): Promise<void> {
  const users = some.map(({ userId }) => userId);
  const now = service.clock.now();
  await owner.query(
    `insert into auth.users (id, email, created_at, updated_at)
       select id, id || '@example.com', $2, $2 from unnest($1::uuid[]) as id`,
    [users, now],
  );
  await owner.query('select credits.open_wallet(id, 0, $2) from unnest($1::uuid[]) as id', [users, now]);
  const purchases = some.flatMap(({ userId, ids }) => ids.map(({ purchaseId }) => [purchaseId, userId]));
  await owner.query(
    `insert into credits.purchases (id, wallet_id, user_id, credits, price_cents, currency, provider, status, created_at)
       select id, person, person, 500, 1000, 'EUR', 'stripe', 'pending', $3
         from unnest($1::uuid[], $2::uuid[]) as t (id, person)`,
    [purchases.map(([id]) => id), purchases.map(([, userId]) => userId), now],
  );
}

/** One delivery of each sequence at a time, sometimes several: those of a sequence in their order. */
async function deliverAll(some: Sequence[]): Promise<void> {
  const random = createRandom(seed);
  const queues = some.map(({ deliveries }) => [...deliveries]);
  while (queues.some(({ length }) => length > 0)) {
    const batch = queues.flatMap((queue) => queue.splice(0, random(4) === 0 ? 2 : 1));
    service.clock.advance({ ms: 1 });
    await Promise.all(
      batch.map(({ id, facts }) =>
        service.ctx.payments.receiveEvent(provider, {
          id,
          facts,
          type: 'test.event',
          createdAt: service.clock.now(),
          isLive: false,
          payload: {},
        }),
      ),
    );
  }
}

async function stateOf({ userId, ids }: Sequence): Promise<unknown> {
  const purchaseIds = ids.map(({ purchaseId }) => purchaseId);
  const { rows } = await owner.query(
    `select (select to_jsonb(b) from (select free, paid, held, debt, paid + free - debt as worth
                                        from credits.balances where wallet_id = $1) b) as wallet,
            (select jsonb_agg(jsonb_build_object('status', p.status, 'posted', p.posted_credits, 'problem', p.problem,
                      'refunded', p.refunded_cents, 'disputed', p.disputed_cents,
                      'isLinked', p.provider_payment_id is not null, 'isDone', p.completed_at is not null,
                      'checkout', (select c.status from payments.checkouts c where c.checkout_id = 'cs_' || p.id),
                      'refunds', (select jsonb_agg(jsonb_build_object('status', r.status, 'cents', r.amount_cents)
                                           order by r.refund_id)
                                    from payments.refunds r where r.payment_id = 'pi_' || p.id),
                      'dispute', (select d.status from payments.disputes d where d.payment_id = 'pi_' || p.id))
                      order by array_position($2::uuid[], p.id))
               from credits.purchases p where p.id = any ($2)) as purchases`,
    [userId, purchaseIds],
  );
  return rows[0];
}
