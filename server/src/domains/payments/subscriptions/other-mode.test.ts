import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Billing, createBilling, deliverAll, pay } from '../../../../test/harness/billing.ts';
import { createTestClock, startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { ask, makePlan, subscribe } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

// An operator who goes live, or back: two services on one database, one with test keys, one with live keys.

const clock = createTestClock('2027-04-01T00:00:00.000Z');
const [inTest, inLive] = [createBilling(clock), createBilling(clock, true)];
const env = { CREDITS_SIGNUP_BONUS: '0', CREDITS_DAILY_FREE: '0', CREDITS_DAILY_CAP: '0' };
const service = await startTestService({ clock, env, paymentProviders: [inTest.provider] });
const live = await startTestService({ env, shareDatabaseWith: service, paymentProviders: [inLive.provider] });
const admin = await addAdministrator(service);
await makePlan(service, admin, 'small');
await makePlan(service, admin, 'large', { priceCents: 2500, credits: 3000 });
const owner = await connectAsOwner(service);
for (const { provider, calls } of [inTest, inLive]) {
  const cancel = provider.cancelSubscription.bind(provider);
  provider.cancelSubscription = (order) => {
    calls.push(`cancel ${order.providerSubscriptionId}`);
    return cancel(order);
  };
}
const notSetUp = { status: 409, body: { code: 'payments.provider_not_set_up' } };

let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
  for (const { calls, outbox } of [inTest, inLive]) calls.length = outbox.length = 0;
});
afterEach(() => expectSound(service));

const row = async (id: string) =>
  (await owner.query('select * from payments.subscriptions where id = $1', [id])).rows[0];
async function begin(at = service, planId = 'small'): Promise<string> {
  const { status, body } = await ask(at, holder, 'POST', { planId });
  expect(status).toBe(201);
  return body.subscriptionId;
}
const erase = (at = service) =>
  at.send('DELETE', '/api/v1/users/me?erase=true', { token: holder.token, body: {} });
/** Runs what the timetable would. */
async function follow(at = service): Promise<void> {
  await at.ctx.db.asService((tx) => at.ctx.jobs.enqueue(tx, 'follow-subscriptions', {}));
  await at.ctx.jobs.runDue();
}

/** No call was about it. */
const expectUnasked = ({ calls }: Billing, id: string) =>
  expect(calls.filter((call) => call.includes(id))).toEqual([]);
/** Another one of the same person in the same mode, so that this one, whose checkout was left, should end. */
async function addBeside(id: string): Promise<void> {
  await owner.query('update payments.subscriptions set abandoned_at = $2 where id = $1', [id, clock.now()]);
  await owner.query(
    `insert into payments.subscriptions (id, user_id, plan_id, version, billed_plan_id, billed_version,
       provider, is_live, provider_subscription_id, status, cancels_at_period_end, created_at, updated_at, paid_ends_at,
       period_ends_at)
     select $2::uuid, user_id, plan_id, version, plan_id, version, provider, is_live, $3, 'active', false,
       created_at, updated_at, $4, $4
       from payments.subscriptions where id = $1`,
    [id, randomUUID(), `sub_${randomUUID()}`, new Date(clock.now().getTime() + 86_400_000)],
  );
}

describe('the live checkout of a subscription, with test keys', () => {
  let id: string;
  let before: unknown;
  beforeEach(async () => {
    id = await begin(live);
    before = await row(id);
  });
  afterEach(async () => {
    expectUnasked(inTest, id);
    expect(await row(id)).toEqual(before);
  });

  test('is not taken for closed when another is begun', async () => {
    expect(await ask(service, holder, 'POST', { planId: 'large' })).toMatchObject(notSetUp);
    expect(await ask(service, holder, 'POST', { planId: 'small' })).toMatchObject(notSetUp);
  });

  test('is not cancelled', async () => {
    expect(await ask(service, holder, 'DELETE')).toMatchObject(notSetUp);
  });

  test('stands in the way of erasure', async () => {
    expect(await erase()).toMatchObject({ body: { code: 'users.erasure_blocked', checkouts: [{ id }] } });
  });

  test('is neither begun anew nor cancelled when the answer to its opening was lost', async () => {
    await owner.query(
      `update payments.subscriptions set checkout_id = null, checkout_url = null, checkout_expires_at = null
        where id = $1`,
      [id],
    );
    before = await row(id);
    expect(await ask(service, holder, 'POST', { planId: 'large' })).toMatchObject(notSetUp);
    expect(await ask(service, holder, 'DELETE')).toMatchObject(notSetUp);
  });
});

describe('a live subscription, with test keys', () => {
  let id: string;
  beforeEach(async () => {
    id = (await subscribe(live, inLive, 'small', holder)).subscriptionId;
  });
  afterEach(() => expectUnasked(inTest, id));

  test('is neither cancelled nor changed nor begun anew', async () => {
    const before = await row(id);
    expect(await ask(service, holder, 'DELETE')).toMatchObject(notSetUp);
    expect(await ask(service, holder, 'PATCH', { planId: 'large' })).toMatchObject(notSetUp);
    const again = await ask(service, holder, 'POST', { planId: 'large' });
    expect(again.body.code).toBe('payments.subscribed_already');
    expect((await erase()).body).toMatchObject({ code: 'users.erasure_blocked', subscriptions: [{ id }] });
    expect(await row(id)).toEqual(before);
  });

  test('is not resumed', async () => {
    expect((await ask(live, holder, 'DELETE')).status).toBe(200);
    const before = await row(id);
    expect(await ask(service, holder, 'POST', {}, '/resume')).toMatchObject(notSetUp);
    expect(await row(id)).toEqual(before);
  });

  test('is asked about by nobody when its period is over, and ended for nobody', async () => {
    clock.advance({ days: 31 });
    await addBeside(id);
    await follow();
    // By now it is asked after, and was to be ended.
    clock.advance({ minutes: 15 });
    await follow();
    expect(await row(id)).toMatchObject({ status: 'active', cancels_at_period_end: false, ended_for: null });
  });
});

describe('a checkout that is left from test mode, with live keys', () => {
  let id: string;
  beforeEach(async () => {
    id = await begin();
  });
  afterEach(async () => {
    expectUnasked(inLive, id);
    // Whoever is erased takes it along.
    expect((await row(id)) ?? { status: 'abandoned' }).toMatchObject({ status: 'abandoned' });
  });

  test('makes way for a live one, the same plan or not', async () => {
    const next = await begin(live);
    expect(await row(next)).toMatchObject({ status: 'opening', is_live: true });
  });

  test('is cancelled', async () => {
    expect(await ask(live, holder, 'DELETE')).toMatchObject({ status: 200, body: { status: 'ended' } });
  });

  test('does not keep its owner from erasure', async () => {
    expect(await erase(live)).toMatchObject({ status: 200 });
  });

  test('is over with its time', async () => {
    clock.advance({ minutes: 30 });
    await follow(live);
    expect(await row(id)).toMatchObject({ status: 'opening' });
    clock.advance({ hours: 2 });
    await follow(live);
  });
});

describe('a subscription that is left from test mode, with live keys', () => {
  let id: string;
  beforeEach(async () => {
    id = (await subscribe(service, inTest, 'small', holder)).subscriptionId;
  });
  afterEach(async () => {
    expectUnasked(inLive, id);
    // Whoever is erased takes it along.
    expect((await row(id)) ?? { status: 'ended' }).toMatchObject({ status: 'ended' });
  });

  test('makes way for a live one', async () => {
    const next = await begin(live);
    pay(inLive, next);
    await deliverAll(live, inLive);
    expect((await ask(live, holder, 'GET')).body).toMatchObject({ id: next, status: 'active' });
  });

  test('is cancelled at once, also when it was to end with its period', async () => {
    expect((await ask(service, holder, 'DELETE')).body).toMatchObject({ status: 'active' });
    clock.advance({ minutes: 1 });
    expect(await ask(live, holder, 'DELETE')).toMatchObject({ status: 200, body: { id, status: 'ended' } });
  });

  test('does not keep its owner from erasure', async () => {
    expect(await erase(live)).toMatchObject({ status: 200 });
  });

  test('is over when it should not go on', async () => {
    await addBeside(id);
    await follow(live);
  });

  test('is over with its period', async () => {
    await follow(live);
    expect(await row(id)).toMatchObject({ status: 'active' });
    clock.advance({ days: 32 });
    await follow(live);
  });
});
