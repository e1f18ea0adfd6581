import { afterEach, expect, test } from 'vitest';
import { createShuffler, deliver, deliverAll, pay, renew, turnOf } from '../../../../test/harness/billing.ts';
import { expectSound, readOwn } from '../../../../test/harness/movements.ts';
import {
  ask,
  countPurchases,
  makePlan,
  paidCredits,
  startBilledService,
  subscribe,
} from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import type { Fact, InvoiceFact } from '../fact.ts';
import { reconcilePayments } from '../reconciliation/reconcile-payments.ts';

const start = '2027-01-31T23:30:00.000Z';
const { service, billing, admin } = await startBilledService(start);
const owner = await connectAsOwner(service);
await makePlan(service, admin, 'plus');
await makePlan(service, admin, 'keeper', { rollover: 'all' });
await makePlan(service, admin, 'yearly', { interval: 'year', priceCents: 9900, credits: 12_000 });

afterEach(() => expectSound(service));

/** Begins a subscription and has a year billed, of which nothing is delivered. */
async function billYear(planId: string) {
  service.clock.set(start);
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId });
  pay(billing, body.subscriptionId);
  for (let month = 1; month <= 11; month++) {
    service.clock.set(turnOf(new Date(start), 'month', month));
    renew(billing, body.subscriptionId);
  }
  return { ...holder, subscriptionId: body.subscriptionId as string };
}

test.each([1, 2, 3])(
  'a year told at once, shuffled and repeated (%i), brings each grant once',
  async (seed) => {
    const one = await billYear('keeper');
    await deliverAll(service, billing, createShuffler(seed));
    expect(await countPurchases(service, one)).toEqual({ completed: 12, credits: 12_000 });
    expect(await paidCredits(service, one)).toBe(12_000);
    expect((await ask(service, one, 'GET')).body).toMatchObject({
      status: 'active',
      periodEnd: turnOf(new Date(start), 'month', 12).toISOString(),
      paidUntil: turnOf(new Date(start), 'month', 12).toISOString(),
    });
  },
);

test('deliveries of one bill at the same time bring one grant', async () => {
  const one = await billYear('plus');
  const events = billing.outbox
    .splice(0)
    .flatMap((event) => [event, event, { ...event, id: `${event.id}_again` }]);
  const answers = await Promise.all(events.map((event) => deliver(service, event)));
  expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
  expect(await countPurchases(service, one)).toEqual({ completed: 12, credits: 12_000 });
});

test('a bill that comes before its subscription waits for it', async () => {
  service.clock.set(start);
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'plus' });
  pay(billing, body.subscriptionId);
  const events = billing.outbox.splice(0);
  const bills = events
    .filter(({ type }) => type.startsWith('invoice'))
    .map((event) => ({
      ...event,
      facts: event.facts.map((fact) => ({ ...fact, subscriptionId: null }) as InvoiceFact),
    }));
  billing.outbox.push(...bills);
  await deliverAll(service, billing);
  expect(await paidCredits(service, holder)).toBe(0);
  billing.outbox.push(...events.filter(({ type }) => type.startsWith('customer')));
  await deliverAll(service, billing);
  expect(await paidCredits(service, holder)).toBe(1000);
  const { rows } = await owner.query(`select distinct outcome from payments.events`);
  expect(rows.map(({ outcome }) => outcome)).not.toContain('waiting');
});

test.each([
  ['amount', { amountCents: 999 }, 'wrong_amount'],
  ['currency', { currency: 'USD' }, 'wrong_currency'],
  ['price', { providerPriceId: 'price_unknown' }, 'unknown_price'],
  ['period', { periodEnd: '2027-01-01T00:00:00.000Z' }, 'wrong_period'],
  ['change that nobody asked for', { purpose: 'change' as const, amountCents: 500 }, 'unknown_change'],
])('a bill with another %s brings nothing, and says why', async (_what, wrong, reason) => {
  service.clock.set(start);
  const one = await subscribe(service, billing, 'plus');
  service.clock.set(turnOf(new Date(start), 'month', 1));
  const bill = renew(billing, one.subscriptionId);
  const [paid] = billing.outbox.splice(0).filter(({ type }) => type === 'invoice.paid');
  const inside = { periodStart: service.clock.now().toISOString() };
  const within = reason === 'unknown_change' ? { periodStart: '2027-02-10T00:00:00.000Z' } : inside;
  const fact = { ...bill, ...within, ...wrong };
  const event = { ...(paid as NonNullable<typeof paid>), facts: [fact] };
  expect((await deliver(service, event)).status).toBe(200);
  expect(await countPurchases(service, one)).toMatchObject({ completed: 1 });
  const { rows } = await owner.query(
    `select outcome, reason from payments.events where provider_event_id = $1`,
    [event.id],
  );
  expect(rows).toEqual([{ outcome: 'refused', reason }]);
});

async function* pagesOf(...pages: Fact[][]) {
  yield* pages;
}

test('a bill that is refused holds up no other of its page when lost ones are repaired', async () => {
  const later = '2029-01-31T23:30:00.000Z';
  service.clock.set(later);
  const [one, other] = [await subscribe(service, billing, 'plus'), await subscribe(service, billing, 'plus')];
  service.clock.set(turnOf(new Date(later), 'month', 1));
  const wrong = { ...renew(billing, one.subscriptionId), amountCents: 2000 };
  const right = renew(billing, other.subscriptionId);
  billing.outbox.length = 0;
  const { findings } = await reconcilePayments(service.ctx, {
    provider: billing.provider,
    since: service.clock.now(),
    repairs: true,
    listed: pagesOf([wrong, right]),
  });
  expect(findings).toMatchObject([
    { id: wrong.invoiceId, reason: 'wrong_amount', isSafe: false, isRepaired: false },
    { id: right.invoiceId, reason: 'not_heard_of', isSafe: true, isRepaired: true },
  ]);
  expect(await countPurchases(service, one)).toMatchObject({ completed: 1 });
  expect(await countPurchases(service, other)).toMatchObject({ completed: 2 });
});

test('a bill that is given back takes the credits of its period, and of no other', async () => {
  service.clock.set(start);
  const one = await subscribe(service, billing, 'keeper');
  service.clock.set(turnOf(new Date(start), 'month', 1));
  const bill = renew(billing, one.subscriptionId);
  await deliverAll(service, billing);
  expect(await paidCredits(service, one)).toBe(2000);
  const refund = {
    kind: 'refund' as const,
    refundId: `re_${bill.invoiceId}`,
    paymentId: bill.paymentId as string,
    refundRequestId: null,
    status: 'succeeded' as const,
    amountCents: 250,
    currency: 'EUR',
  };
  const event = {
    id: refund.refundId,
    type: 'refund.created',
    createdAt: service.clock.now(),
    isLive: false,
  };
  await deliver(service, { ...event, payload: {}, facts: [refund] });
  expect(await paidCredits(service, one)).toBe(1750);
  expect(await readOwn(service, one, 'balance')).toMatchObject({ debt: 0 });
});

test('a year is billed by the year, and its credits live as long', async () => {
  service.clock.set('2027-02-28T12:00:00.000Z');
  const one = await subscribe(service, billing, 'yearly');
  expect((await ask(service, one, 'GET')).body).toMatchObject({ periodEnd: '2028-02-28T12:00:00.000Z' });
  service.clock.set('2028-02-28T11:59:59.999Z');
  expect(await paidCredits(service, one)).toBe(12_000);
  service.clock.set('2028-02-28T12:00:00.000Z');
  renew(billing, one.subscriptionId);
  await deliverAll(service, billing, createShuffler(12));
  expect(await paidCredits(service, one)).toBe(12_000);
  expect(await countPurchases(service, one)).toEqual({ completed: 2, credits: 24_000 });
});
