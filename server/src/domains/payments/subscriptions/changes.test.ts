import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createShuffler, deliverAll, pay, renew, turnOf } from '../../../../test/harness/billing.ts';
import { expectSound, readOwn, spend } from '../../../../test/harness/movements.ts';
import {
  ask,
  countPurchases,
  makePlan,
  paidCredits,
  startBilledService,
  subscribe,
  type Subscriber,
} from '../../../../test/harness/plans.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const start = '2027-04-01T00:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
const owner = await connectAsOwner(service);
await makePlan(service, admin, 'mini', { priceCents: 500, credits: 500 });
await makePlan(service, admin, 'small');
await makePlan(service, admin, 'large', {
  priceCents: 2500,
  credits: 3000,
  rollover: 'capped',
  rolloverCap: 600,
});
await makePlan(service, admin, 'huge', { priceCents: 9000, credits: 12_000 });
await makePlan(service, admin, 'yearly', { interval: 'year', priceCents: 10_000, credits: 12_000 });
await makePlan(service, admin, 'dollars', { currency: 'USD', priceCents: 5000 });

let one: Subscriber;
beforeEach(async () => {
  service.clock.set(start);
  one = await subscribe(service, billing, 'small');
});
afterEach(() => expectSound(service));

const billed = () => billing.billed.at(-1) as (typeof billing.billed)[0];
const change = (planId: string) => ask(service, one, 'PATCH', { planId });
const standing = async () => {
  const { body } = await service.send('GET', '/api/v1/auth/me', { token: one.token });
  return `${body.subscriptionStatus} ${body.subscriptionTier}`;
};
/** Goes to the turn of the month and has the next one billed. */
const turnTo = async (month: number) => {
  service.clock.set(turnOf(new Date(start), 'month', month));
  renew(billing, one.subscriptionId);
  await deliverAll(service, billing);
};

describe('a change to a dearer plan', () => {
  test('counts at once, and brings the difference in credits for the rest of the period', async () => {
    await spend(service, one, 400);
    service.clock.advance({ days: 10 });
    const { status, body } = await change('large');
    expect(status).toBe(200);
    expect(body).toMatchObject({ approvalUrl: null });
    await deliverAll(service, billing);
    // Twenty of thirty days are left: two thirds of the 2000 credits that the plan has more of.
    expect(await paidCredits(service, one)).toBe(600 + 1333);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { id: 'large' }, nextPlan: null });
    expect(await standing()).toBe('active large');
    const [newest] = await readOwn(service, one, 'purchases');
    expect(newest).toMatchObject({ credits: 1333, priceCents: 1000, status: 'completed' });
    await turnTo(1);
    // Of what is left, the new plan carries over 600; the old one would have let all of it go.
    expect(await paidCredits(service, one)).toBe(3000 + 600);
  });

  test('twice in a period brings each difference once, in whatever order the bills are heard of', async () => {
    service.clock.advance({ days: 10 });
    await change('large');
    // Nothing of the bills is delivered before the next change, which goes by what was paid for.
    const bills = billing.outbox.splice(0);
    await deliverAll(service, billing);
    billing.outbox.push(...bills);
    await deliverAll(service, billing, createShuffler(7));
    service.clock.advance({ days: 5 });
    expect((await change('huge')).status).toBe(200);
    await deliverAll(service, billing, createShuffler(8));
    expect(await paidCredits(service, one)).toBe(1000 + 1333 + 4500);
    expect(await countPurchases(service, one)).toMatchObject({ completed: 3 });
  });

  test('of which the bill is heard before the first bill of all waits for that', async () => {
    service.clock.set('2027-04-02T00:00:00.000Z');
    const { body } = await ask(service, admin, 'POST', { planId: 'small' });
    pay(billing, body.subscriptionId);
    const first = billing.outbox.splice(0);
    const fact = first.findLast(({ type }) => type.startsWith('customer'));
    billing.outbox.push(...(fact ? [fact] : []));
    await deliverAll(service, billing);
    // Not paid, as far as is known: no change yet.
    expect((await ask(service, admin, 'PATCH', { planId: 'large' })).body.code).toBe(
      'payments.subscription_state',
    );
    billing.outbox.push(...first);
    await deliverAll(service, billing);
    expect((await ask(service, admin, 'PATCH', { planId: 'large' })).status).toBe(200);
    await deliverAll(service, billing, createShuffler(3));
    expect(await paidCredits(service, admin)).toBe(3000);
  });

  test('that the provider refuses changes nothing, and can be tried again', async () => {
    service.clock.advance({ days: 10 });
    billing.refusal = 'payments.provider_refused';
    expect(await change('large')).toMatchObject({ status: 502, body: { code: 'payments.provider_refused' } });
    expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { id: 'small' }, nextPlan: null });
    expect((await change('large')).status).toBe(200);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(1000 + 1333);
    const keys = billing.calls
      .filter((call) => call.includes('price_large'))
      .map((call) => call.split(' ')[1]);
    expect(new Set(keys.slice(-2)).size).toBe(2);
  });

  test('that was not answered is asked for again under the same key', async () => {
    billing.refusal = 'payments.provider_unavailable';
    expect((await change('large')).status).toBe(503);
    expect((await change('large')).status).toBe(200);
    const keys = billing.calls
      .filter((call) => call.includes('price_large'))
      .map((call) => call.split(' ')[1]);
    expect(new Set(keys.slice(-2)).size).toBe(1);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(3000);
  });

  test('after one to a cheaper plan was asked for goes by what was paid for', async () => {
    await change('large');
    await deliverAll(service, billing);
    service.clock.advance({ days: 15 });
    await change('small');
    await change('huge');
    await deliverAll(service, billing, createShuffler(5));
    expect(await paidCredits(service, one)).toBe(3000 + 4500);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { id: 'huge' }, nextPlan: null });
  });
});

describe('of two changes', () => {
  const refused = { status: 409, body: { code: 'payments.subscription_state' } };

  test('the second waits for the bill of the first, and nothing is charged twice', async () => {
    service.clock.advance({ days: 10 });
    await change('large');
    const asked = billing.calls.length;
    for (const planId of ['huge', 'small', 'mini']) expect(await change(planId)).toMatchObject(refused);
    // The same once more is what is done already.
    expect(await change('large')).toMatchObject({ status: 200, body: { nextPlan: { id: 'large' } } });
    expect(billing.calls).toHaveLength(asked);
    await deliverAll(service, billing);
    expect((await change('huge')).status).toBe(200);
    await deliverAll(service, billing);
    const bills = billed().invoices.map(({ amountCents }) => amountCents);
    // Two thirds of the period are left.
    expect(bills).toEqual([1000, 1000, 4333]);
    expect(await paidCredits(service, one)).toBe(1000 + 1333 + 6000);
  });

  test.each(['huge', 'mini'])('at the same time one is made, whether the other is to %s', async (other) => {
    const { provider } = billing;
    const changeSubscription = provider.changeSubscription.bind(provider);
    const [arrival, crossing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const permission = Promise.withResolvers<void>();
    let asked = 0;
    provider.changeSubscription = async (order) => {
      (++asked === 1 ? arrival : crossing).resolve();
      await permission.promise;
      return changeSubscription(order);
    };
    const first = change('large');
    await arrival.promise;
    const second = change(other);
    await Promise.race([second, crossing.promise]);
    permission.resolve();
    provider.changeSubscription = changeSubscription;
    expect(await second).toMatchObject(refused);
    expect((await first).status).toBe(200);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(3000);
  });

  test('one of which nothing came is in the way for a day', async () => {
    billing.refusal = 'payments.provider_unavailable';
    expect((await change('large')).status).toBe(503);
    service.clock.advance({ hours: 23 });
    expect(await change('huge')).toMatchObject(refused);
    service.clock.advance({ hours: 1, seconds: 1 });
    expect((await change('huge')).status).toBe(200);
    await deliverAll(service, billing);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { id: 'huge' }, nextPlan: null });
  });

  test('the one of a process that stopped is in the way for ten minutes', async () => {
    await owner.query(`update payments.subscriptions set change_ends_at = $2 where id = $1`, [
      one.subscriptionId,
      '2027-04-01T00:10:00.000Z',
    ]);
    expect(await change('mini')).toMatchObject(refused);
    service.clock.advance({ minutes: 10 });
    expect((await change('mini')).status).toBe(200);
  });

  test('one goes by a price on which the subscription does not stand any more, and is not made', async () => {
    billed().priceId = 'price_mini_1';
    expect(await change('large')).toMatchObject(refused);
    billed().priceId = 'price_small_1';
    for (const planId of ['mini', 'large']) expect((await change(planId)).status).toBe(200);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(3000);
  });
});

describe('a change to a cheaper plan', () => {
  beforeEach(async () => {
    await change('large');
    await deliverAll(service, billing);
  });

  test('counts from the next period on, and nothing is lost until then', async () => {
    service.clock.advance({ days: 3 });
    const { body } = await change('small');
    expect(body).toMatchObject({ plan: { id: 'large' }, nextPlan: { id: 'small' } });
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(3000);
    expect(await standing()).toBe('active large');
    await turnTo(1);
    expect(await paidCredits(service, one)).toBe(1000 + 600);
    expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { id: 'small' }, nextPlan: null });
    expect(await standing()).toBe('active small');
    // What was carried over is not carried over again.
    await turnTo(2);
    expect(await paidCredits(service, one)).toBe(1000);
  });

  test('is taken back by a change to the plan of now, whose terms stay those of the person', async () => {
    await change('small');
    await service.send('PATCH', '/api/v1/payments/plans/large', {
      token: admin.token,
      body: { priceCents: 2600 },
    });
    const { body } = await change('large');
    expect(body).toMatchObject({ plan: { id: 'large', version: 1 }, nextPlan: null });
    await turnTo(1);
    expect(await paidCredits(service, one)).toBe(3000 + 600);
    await service.send('PATCH', '/api/v1/payments/plans/large', {
      token: admin.token,
      body: { priceCents: 2500 },
    });
  });
});

test('a plan with another interval or currency, one that is not there, and no body are refused', async () => {
  for (const planId of ['yearly', 'dollars']) {
    expect(await change(planId)).toMatchObject({
      status: 409,
      body: { code: 'payments.plan_not_comparable' },
    });
  }
  expect((await change('nothing')).status).toBe(404);
  for (const body of [{}, { planId: 5 }, { planId: 'A B' }, []]) {
    expect((await ask(service, one, 'PATCH', body)).status).toBe(400);
  }
  expect((await change('small')).body).toMatchObject({ plan: { id: 'small' }, nextPlan: null });
});
