import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { spend } from '../../../test/harness/movements.ts';
import { disputeOf, pay, refundOf } from '../../../test/harness/payments.ts';
import { openShop } from '../../../test/harness/shop.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';
import type { Fact } from './fact.ts';

// What comes at the same time is applied by statements over all of it; each thing is as if it had come alone.

const { provider, service, owner, desk, begin, tell } = await openShop();

const eventOf = (facts: Fact[], id = `evt_${randomUUID()}`) => ({
  id,
  facts,
  type: 'test.event',
  createdAt: service.clock.now(),
  isLive: false,
  payload: {},
});

/** Hands all over in one turn of the event loop, and sees that one transaction took them. */
async function tellTogether(...events: ReturnType<typeof eventOf>[]) {
  const verdicts = await Promise.all(
    events.map((event) => service.ctx.payments.receiveEvent(provider, event)),
  );
  const { rows } = await owner.query(
    'select count(distinct xmin::text)::integer as calls from payments.events where provider_event_id = any ($1)',
    [events.map(({ id }) => id)],
  );
  expect(rows).toEqual([{ calls: 1 }]);
  return verdicts;
}

async function buyAs(holder: (typeof desk)['holder'], packageId = 'standard') {
  desk.holder = holder;
  return { holder, ...(await begin(packageId)) };
}

async function stateOf(...bought: { id: string }[]) {
  const { rows } = await owner.query(
    `select p.status, p.posted_credits::integer as posted, p.problem,
            (select coalesce(sum(o.amount), 0)::integer from payments.postings o where o.purchase_id = p.id) as sum
       from credits.purchases p where p.id = any ($1) order by array_position($1::uuid[], p.id)`,
    [bought.map(({ id }) => id)],
  );
  return rows;
}

async function walletOf({ userId }: { userId: string }) {
  const { rows } = await owner.query(
    'select (free + paid)::integer as balance, debt::integer from credits.balances where wallet_id = $1',
    [userId],
  );
  return rows[0];
}

const received = (posted: number) => ({ status: 'completed', posted, problem: null, sum: posted });

test('several purchases of one wallet come in one after the other, beside those of others', async () => {
  const [one, other] = [await addWalletHolder(service), await addWalletHolder(service)];
  const bought = [
    await buyAs(one),
    await buyAs(other, 'starter'),
    await buyAs(one, 'plus'),
    await buyAs(one, 'starter'),
  ];
  await tellTogether(...bought.map(({ checkoutId }) => eventOf([pay(provider, checkoutId)])));
  expect(await stateOf(...bought)).toEqual([1000, 500, 2500, 500].map(received));
  expect(await walletOf(one)).toEqual({ balance: 4000, debt: 0 });
  expect(await walletOf(other)).toEqual({ balance: 500, debt: 0 });
});

test('what comes in pays a debt first, and what a closed wallet cannot take holds up nobody', async () => {
  const [owing, closed, usual] = [
    await addWalletHolder(service),
    await addWalletHolder(service),
    await addWalletHolder(service),
  ];
  const spent = await buyAs(owing);
  await tell(pay(provider, spent.checkoutId));
  await spend(service, owing, 700);
  await tell(refundOf(spent.paymentId, 1000, 'succeeded'));
  expect(await walletOf(owing)).toEqual({ balance: 0, debt: 700 });

  const bought = [await buyAs(owing), await buyAs(closed), await buyAs(usual), await buyAs(owing, 'starter')];
  await owner.query(`update credits.balances set status = 'closed' where wallet_id = $1`, [closed.userId]);
  await tellTogether(...bought.map(({ checkoutId }) => eventOf([pay(provider, checkoutId)])));
  expect(await stateOf(...bought)).toEqual([
    received(1000),
    { ...received(0), problem: 'wallet_closed' },
    received(1000),
    received(500),
  ]);
  expect(await walletOf(owing)).toEqual({ balance: 800, debt: 0 });
});

test('many words about one thing end as they would one by one, in whatever order', async () => {
  const holder = await addWalletHolder(service);
  for (const turn of [(facts: Fact[]) => facts, (facts: Fact[]) => facts.toReversed()]) {
    const bought = await buyAs(holder);
    const paid = pay(provider, bought.checkoutId);
    const facts: Fact[] = [
      { ...paid, status: 'processing' },
      paid,
      refundOf(bought.paymentId, 100, 'pending'),
      refundOf(bought.paymentId, 250, 'succeeded'),
      refundOf(bought.paymentId, 250, 'succeeded', { refundId: 're_failed' }),
      refundOf(bought.paymentId, 250, 'failed', { refundId: 're_failed' }),
      disputeOf(bought.paymentId, 400),
      disputeOf(bought.paymentId, 400, 'lost'),
    ];
    await tellTogether(...turn(facts).map((fact) => eventOf([fact])));
    expect(await stateOf(bought)).toEqual([{ status: 'disputed', posted: 350, problem: null, sum: 350 }]);
  }
});

test('what is refused, unknown, repeated or beyond the database has no effect on its neighbours', async () => {
  const holder = await addWalletHolder(service);
  const [good, wrong] = [await buyAs(holder), await buyAs(holder)];
  const paid = eventOf([pay(provider, good.checkoutId)]);
  const verdicts = await Promise.all(
    [
      eventOf([pay(provider, wrong.checkoutId, { amountCents: 999 })]),
      paid,
      eventOf([refundOf('pi_of_nobody', 100, 'succeeded')]),
      paid,
      eventOf([refundOf(good.paymentId, -5, 'succeeded', { refundId: 're_negative' })]),
      eventOf([]),
    ].map((event) => service.ctx.payments.receiveEvent(provider, event)),
  );
  expect(verdicts.map(({ outcome, isRepeat }) => [outcome, isRepeat])).toEqual([
    ['refused', false],
    ['applied', false],
    ['waiting', false],
    ['applied', true],
    ['failed', false],
    ['ignored', false],
  ]);
  expect(await stateOf(good, wrong)).toEqual([received(1000), { ...received(0), status: 'pending' }]);
});

/** Deliveries that pay these purchases. */
const batchOf = (purchaseIds: string[]) =>
  JSON.stringify(
    purchaseIds.map((id) => {
      const fact = { kind: 'checkout', checkoutId: `cs_${id}`, purchaseId: id, paymentId: `pi_${id}` };
      const paid = { status: 'paid', amountCents: 1000, currency: 'EUR', customerId: null };
      const event = { id, providerEventId: `evt_${id}`, type: 'test.event', payload: {} };
      return { provider: 'stripe', isLive: false, isOwn: false, facts: [{ ...fact, ...paid }], event };
    }),
  );

/** How many rows this transaction has read so far. */
async function readRows(): Promise<number> {
  const { rows } = await owner.query<{ rows: number }>(
    `select sum(s.seq_tup_read + s.idx_tup_fetch)::integer as rows
       from pg_stat_xact_user_tables s where s.schemaname in ('payments', 'credits')`,
  );
  return rows[0]?.rows ?? 0;
}

test.each([true, false])(
  'what an event costs does not grow with those before it, though plans were made when there was none (%s)',
  async (isKnown) => {
    const costs: number[] = [];
    await owner.query('analyze');
    await owner.query('begin');
    for (let batch = 0; batch < 40; batch++) {
      const purchaseIds = Array.from({ length: 5 }, () => randomUUID());
      await owner.query(
        `insert into credits.purchases (id, wallet_id, user_id, credits, price_cents, currency, provider, status, created_at)
           select id, $2, $2, 500, 1000, 'EUR', 'stripe', 'pending', $3 from unnest($1::uuid[]) as id where $4`,
        [purchaseIds, desk.holder.userId, service.clock.now(), isKnown],
      );
      const before = await readRows();
      const batchText = batchOf(purchaseIds);
      await owner.query('select * from payments.receive_events($1, $2, 0, 0)', [
        batchText,
        service.clock.now(),
      ]);
      costs.push((await readRows()) - before);
    }
    await owner.query('rollback');
    expect(Math.max(...costs.slice(-5))).toBeLessThanOrEqual(Math.max(...costs.slice(5, 10)));
  },
);
