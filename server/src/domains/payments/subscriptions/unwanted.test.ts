import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliver, deliverAll, end, pay } from '../../../../test/harness/billing.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { ask, makePlan, paidCredits, startBilledService, subscribe } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const start = '2027-04-01T00:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'small');
await makePlan(service, admin, 'large', { priceCents: 2500, credits: 3000 });
const owner = await connectAsOwner(service);

const expireCheckout = billing.provider.expireCheckout.bind(billing.provider);
beforeEach(() => {
  service.clock.set(start);
});
afterEach(async () => {
  billing.provider.expireCheckout = expireCheckout;
  await expectSound(service);
});

/** Runs what the timetable would. */
async function follow(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'follow-subscriptions', {}));
  await service.ctx.jobs.runDue();
  await deliverAll(service, billing);
}
const endings = async (userId: string) =>
  (
    await owner.query(
      `select details from audit.events where action = 'payments.subscription_ended' and target_id = $1`,
      [userId],
    )
  ).rows.map(({ details }) => details);
const factOf = (id: string) => billing.billed.find(({ fact }) => fact.subscriptionId === id)?.fact;

/** Two that live: a checkout that its provider could not close was paid after the next one. */
async function subscribeTwice() {
  billing.provider.expireCheckout = () => Promise.resolve();
  const one = await addWalletHolder(service);
  const first: string = (await ask(service, one, 'POST', { planId: 'small' })).body.subscriptionId;
  expect((await ask(service, one, 'DELETE')).body).toMatchObject({ status: 'ended' });
  service.clock.advance({ minutes: 1 });
  const second: string = (await ask(service, one, 'POST', { planId: 'large' })).body.subscriptionId;
  pay(billing, second);
  pay(billing, first);
  await deliverAll(service, billing);
  return { one, first, second };
}

describe('of two subscriptions', () => {
  test('the one whose checkout was left is ended at the provider, once, and administrators are told', async () => {
    const { one, first, second } = await subscribeTwice();
    await follow();
    expect(factOf(first)).toMatchObject({ cancelsAtPeriodEnd: true });
    expect(factOf(second)).toMatchObject({ cancelsAtPeriodEnd: false });
    expect((await ask(service, one, 'GET')).body).toMatchObject({ id: second, cancelsAtPeriodEnd: false });
    service.clock.advance({ hours: 1 });
    await follow();
    expect(await endings(one.userId)).toEqual([{ subscriptionId: first, reason: 'second' }]);
  });

  test('each can be ended by its owner, one after the other', async () => {
    const { one, first, second } = await subscribeTwice();
    await ask(service, one, 'DELETE');
    await deliverAll(service, billing);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ id: first });
    await ask(service, one, 'DELETE');
    await deliverAll(service, billing);
    expect([factOf(first), factOf(second)]).toMatchObject([
      { cancelsAtPeriodEnd: true },
      { cancelsAtPeriodEnd: true },
    ]);
  });

  test('one that is alone goes on, although its checkout had been left', async () => {
    billing.provider.expireCheckout = () => Promise.resolve();
    const one = await addWalletHolder(service);
    const { subscriptionId } = (await ask(service, one, 'POST', { planId: 'small' })).body;
    await ask(service, one, 'DELETE');
    pay(billing, subscriptionId);
    await deliverAll(service, billing);
    await follow();
    expect(factOf(subscriptionId)).toMatchObject({ cancelsAtPeriodEnd: false });
    expect((await ask(service, one, 'GET')).body).toMatchObject({ id: subscriptionId, status: 'active' });
  });
});

const refundLastBill = () =>
  deliver(service, {
    id: `evt_${randomUUID()}`,
    type: 'refund.updated',
    createdAt: service.clock.now(),
    isLive: false,
    payload: {},
    facts: [
      {
        kind: 'refund',
        refundId: `re_${randomUUID()}`,
        paymentId: billing.billed.at(-1)?.invoices.at(-1)?.paymentId ?? '',
        refundRequestId: null,
        status: 'succeeded',
        amountCents: 1000,
        currency: 'EUR',
      },
    ],
  });

describe('of a subscription whose money went back', () => {
  test('a provider that refuses to end it, since it has, is asked how it stands', async () => {
    const one = await subscribe(service, billing, 'small');
    await refundLastBill();
    end(billing, one.subscriptionId);
    billing.outbox.length = 0;
    const { provider } = billing;
    const cancel = provider.cancelSubscription.bind(provider);
    let refusals = 0;
    provider.cancelSubscription = () => {
      refusals++;
      return Promise.reject(new AppError('payments.provider_refused'));
    };
    for (let turn = 0; turn < 3; turn++) {
      await follow();
      service.clock.advance({ minutes: 15 });
    }
    provider.cancelSubscription = cancel;
    expect(refusals).toBe(1);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ status: 'ended' });
  });

  test('no others are looked at', async () => {
    const other = await subscribe(service, billing, 'small');
    const one = await subscribe(service, billing, 'small');
    await refundLastBill();
    const looks: (string | undefined)[] = [];
    const note = ({ message }: { message: string | undefined }) => looks.push(message);
    owner.on('notice', note);
    await owner.query('begin');
    await owner.query(
      `create or replace function payments.ending_of(of_subscription uuid) returns payments.ending
         language plpgsql stable as $$ begin raise notice '%', of_subscription; return null; end $$`,
    );
    await owner.query('select payments.unwanted_subscriptions()');
    await owner.query('rollback');
    owner.off('notice', note);
    expect(looks).toContain(one.subscriptionId);
    expect(looks).not.toContain(other.subscriptionId);
  });
});

test('a subscription whose bill was refunded in full ends with its period, unless its owner takes it back', async () => {
  const one = await subscribe(service, billing, 'small');
  const tell = (refundId: string, amountCents: number) =>
    deliver(service, {
      id: `evt_${randomUUID()}`,
      type: 'refund.updated',
      createdAt: service.clock.now(),
      isLive: false,
      payload: {},
      facts: [
        {
          kind: 'refund',
          refundId,
          paymentId: billing.billed.at(-1)?.invoices.at(-1)?.paymentId ?? '',
          refundRequestId: null,
          status: 'succeeded',
          amountCents,
          currency: 'EUR',
        },
      ],
    });
  await tell('re_part', 400);
  await follow();
  expect(factOf(one.subscriptionId)).toMatchObject({ cancelsAtPeriodEnd: false });
  await tell('re_rest', 600);
  const { provider } = billing;
  const cancel = provider.cancelSubscription.bind(provider);
  provider.cancelSubscription = () => Promise.reject(new AppError('payments.provider_unavailable'));
  service.clock.advance({ hours: 1 });
  await follow();
  expect(await endings(one.userId)).toEqual([]);
  provider.cancelSubscription = cancel;
  service.clock.advance({ hours: 1 });
  await follow();
  expect(factOf(one.subscriptionId)).toMatchObject({ cancelsAtPeriodEnd: true });
  expect(await endings(one.userId)).toEqual([{ subscriptionId: one.subscriptionId, reason: 'lost' }]);
  expect((await ask(service, one, 'POST', {}, '/resume')).status).toBe(200);
  await deliverAll(service, billing);
  service.clock.advance({ hours: 1 });
  await follow();
  expect(factOf(one.subscriptionId)).toMatchObject({ cancelsAtPeriodEnd: false });
});

test('a checkout of which the answer was lost is asked for again by the very same order', async () => {
  const one = await addWalletHolder(service);
  const { provider } = billing;
  const open = provider.openSubscription.bind(provider);
  const orders: string[] = [];
  provider.openSubscription = (order) => {
    orders.push(JSON.stringify(order));
    return Promise.reject(new AppError('payments.provider_unavailable'));
  };
  expect((await ask(service, one, 'POST', { planId: 'small' })).status).toBe(503);
  service.clock.advance({ minutes: 7 });
  await ask(service, one, 'POST', { planId: 'small' });
  expect(new Set(orders).size).toBe(1);
  // When that page cannot be paid any more, wherever it is, another one is opened.
  service.clock.advance({ minutes: 54 });
  provider.openSubscription = open;
  expect(await ask(service, one, 'POST', { planId: 'small' })).toMatchObject({
    status: 201,
    body: { expiresAt: '2027-04-01T02:01:00.000Z' },
  });
});

test('a bill that is refused does not hide what else came of a checkout of which no news came', async () => {
  const one = await addWalletHolder(service);
  const { body } = await ask(service, one, 'POST', { planId: 'small' });
  pay(billing, body.subscriptionId);
  const { invoices } = billing.billed.at(-1) as (typeof billing.billed)[0];
  const [bill] = invoices;
  if (bill) invoices.unshift({ ...bill, invoiceId: 'in_of_another_amount', amountCents: 1 });
  billing.outbox.length = 0;
  service.clock.advance({ minutes: 11 });
  await follow();
  expect((await ask(service, one, 'GET')).body).toMatchObject({ status: 'active' });
  expect(await paidCredits(service, one)).toBe(1000);
});
