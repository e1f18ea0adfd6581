import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, readOwn, spend } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { beginPurchase, buyPack, pressOn } from '../../../../test/harness/stripe-purchases.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { openDispute } from '../../../../../stand-in/stripe/disputes.ts';
import { AppError } from '../../../errors.ts';

const path = '/api/v1/payments/top-up';
const standIn = await startPaymentStandIn();
const env = { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
const service = await startTestService({ env, clock: standIn.clock });
const second = await startTestService({ env, shareDatabaseWith: service });
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
const stripe = service.ctx.payments.provider('stripe');
const { chargeSavedCard } = stripe;

let holder: WalletHolder;
let pack: { id: string; credits: number; priceCents: number };

beforeEach(async () => {
  stripe.chargeSavedCard = chargeSavedCard;
  service.clock.advance({ hours: 1 });
  holder = await addWalletHolder(service);
  const packages = (await service.send('GET', '/api/v1/credits/packages')).body;
  pack = packages.find(({ id }: { id: string }) => id === 'standard');
});
afterEach(() => expectSound(service));

const agree = (changes: Record<string, unknown> = {}, token = holder.token) => {
  const terms = { packageId: pack.id, threshold: 100, monthlyCapCents: 3 * pack.priceCents };
  return service.send('PUT', path, { token, body: { ...terms, ...changes } });
};
const read = async () => (await service.send('GET', path, { token: holder.token })).body;
const balance = async () => (await readOwn(service, holder, 'balance')).balance as number;
const topUps = async (of = holder) =>
  (
    await owner.query(
      `select id, status, problem, checkout_id from credits.purchases where user_id = $1 and kind = 'top_up' order by id`,
      [of.userId],
    )
  ).rows;

async function runJob(name: 'top-up-wallets' | 'check-purchases', at = service): Promise<void> {
  await at.ctx.db.asService((tx) => at.ctx.jobs.enqueue(tx, name, {}));
  await at.ctx.jobs.runDue();
}

/** Buys with a card that is kept, and agrees to top-ups. */
async function agreeWithCard(changes: Record<string, unknown> = {}): Promise<void> {
  await buyPack({ service, standIn }, holder, { saveCard: true });
  expect((await agree(changes)).status).toBe(200);
}

/** Spends all but so many credits. */
async function spendDownTo(left: number): Promise<void> {
  const amount = (await balance()) - left;
  if (amount > 0) await spend(service, holder, amount);
}

function cardOf() {
  const { customers, paymentMethods } = standIn.world.state.stripe;
  const email = `${holder.userId}@example.com`;
  const customer = Object.values(customers).find((one) => one.email === email);
  const card = Object.values(paymentMethods).find((one) => one.customer === customer?.id);
  if (!card) throw new Error('there is no card');
  return card;
}

async function chargeOf(purchaseId: string) {
  const { rows } = await owner.query(
    'select provider_payment_id as id from credits.purchases where id = $1',
    [purchaseId],
  );
  const charges = Object.values(standIn.world.state.stripe.charges);
  const charge = charges.find((one) => one.payment_intent === rows[0].id);
  if (!charge) throw new Error('there is no charge');
  return charge;
}

describe('agreeing', () => {
  test('wants a card that is saved, and says what is agreed', async () => {
    expect(await read()).toMatchObject({ status: 'off', packageId: null, chargedThisMonthCents: 0 });
    expect(await agree()).toMatchObject({ status: 409, body: { code: 'payments.no_saved_card' } });
    await agreeWithCard();
    expect(await read()).toEqual({
      status: 'active',
      reason: null,
      packageId: pack.id,
      threshold: 100,
      monthlyCapCents: 3 * pack.priceCents,
      priceCents: pack.priceCents,
      currency: 'EUR',
      chargedThisMonthCents: 0,
    });
    const ended = await service.send('DELETE', path, { token: holder.token });
    expect(ended).toMatchObject({ status: 200, body: { status: 'off' } });
    await spendDownTo(1);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
  });

  test('refuses terms that could not be kept, or that would charge over and over', async () => {
    await buyPack({ service, standIn }, holder, { saveCard: true });
    const refusals: [Record<string, unknown>, number, string][] = [
      [{ monthlyCapCents: pack.priceCents - 1 }, 422, 'payments.cap_too_low'],
      [{ threshold: pack.credits + 1 }, 422, 'payments.threshold_too_high'],
      [{ packageId: 'nothing' }, 404, 'payments.package_unavailable'],
      [{ currency: 'XTS' }, 422, 'payments.currency_unavailable'],
      ...[0, -1, 1.5, '100', null, 2 ** 53].map((threshold): [Record<string, unknown>, number, string] => [
        { threshold },
        400,
        'request.invalid',
      ]),
      ...[0, -5, 0.5, '1000', 1e12].map((monthlyCapCents): [Record<string, unknown>, number, string] => [
        { monthlyCapCents },
        400,
        'request.invalid',
      ]),
      [{ packageId: '' }, 400, 'request.invalid'],
      [{ packageId: 'a\u0000b' }, 400, 'request.invalid_text'],
    ];
    for (const [changes, status, code] of refusals)
      expect(await agree(changes), JSON.stringify(changes)).toMatchObject({ status, body: { code } });
    expect(await read()).toMatchObject({ status: 'off' });
    expect((await agree({ threshold: pack.credits, monthlyCapCents: pack.priceCents })).status).toBe(200);
  });

  test('is for the person alone, while they are signed in', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const terms = { packageId: pack.id, threshold: 100, monthlyCapCents: 5000 };
      const options = method === 'PUT' ? { body: terms } : {};
      expect((await service.send(method, path, options)).status).toBe(401);
    }
    await agreeWithCard();
    await owner.query('update auth.sessions set revoked_at = $2 where id = $1', [
      holder.sessionId,
      service.clock.now(),
    ]);
    for (const answer of [await agree(), await service.send('DELETE', path, { token: holder.token })])
      expect(answer).toMatchObject({ status: 401 });
    const { rows } = await owner.query('select status from payments.top_ups where user_id = $1', [
      holder.userId,
    ]);
    expect(rows).toEqual([{ status: 'active' }]);
  });
});

describe('a wallet below its threshold', () => {
  test('is topped up once, and not above it', async () => {
    await agreeWithCard();
    await runJob('top-up-wallets');
    await spendDownTo(100);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
    await spendDownTo(99);
    await runJob('top-up-wallets');
    expect(await balance()).toBe(99 + pack.credits);
    expect(await topUps()).toMatchObject([
      { status: 'completed', checkout_id: expect.stringMatching(/^pi_/) },
    ]);
    expect(await read()).toMatchObject({ chargedThisMonthCents: pack.priceCents });
    // The events about it say the same once more.
    await standIn.deliver();
    expect(await balance()).toBe(99 + pack.credits);
  });

  test('is charged once, however many begin at the same time, in two processes', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    const jobs = [service, second].flatMap((at) => [1, 2, 3, 4].map(() => runJob('top-up-wallets', at)));
    await Promise.all(jobs);
    await standIn.deliver();
    expect(await topUps()).toHaveLength(1);
    expect(await balance()).toBe(pack.credits);
    expect(intentsOf()).toBe(2);
  });

  test('is not charged again at once when that was not enough, and never beyond the cap of a month', async () => {
    service.clock.set('2026-05-10T12:00:00.000Z');
    await agreeWithCard({ threshold: pack.credits, monthlyCapCents: 2 * pack.priceCents });
    const drain = async () => {
      await spendDownTo(0);
      await runJob('top-up-wallets');
    };
    await drain();
    await drain();
    expect(await topUps()).toHaveLength(1);
    service.clock.advance({ minutes: 10 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(2);
    for (let hour = 0; hour < 3; hour++) {
      service.clock.advance({ hours: 1 });
      await drain();
    }
    expect(await topUps()).toHaveLength(2);
    expect(await read()).toMatchObject({ status: 'active', chargedThisMonthCents: 2 * pack.priceCents });
    service.clock.set('2026-06-01T00:00:00.000Z');
    await drain();
    expect(await topUps()).toHaveLength(3);
    expect(await read()).toMatchObject({ chargedThisMonthCents: pack.priceCents });
  });

  test('does not wait for one that cannot be charged', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    const other = holder;
    holder = await addWalletHolder(service);
    await agreeWithCard();
    await spendDownTo(0);
    stripe.chargeSavedCard = (order) => {
      if (order.customerId !== cardOf().customer) throw new Error('something is broken');
      return chargeSavedCard(order);
    };
    await runJob('top-up-wallets');
    expect(await topUps(other)).toMatchObject([{ status: 'pending' }]);
    expect(await balance()).toBe(pack.credits);
    holder = other;
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ minutes: 3 });
    await runJob('check-purchases');
    expect(await balance()).toBe(pack.credits);
  });
});

describe('nothing more is charged until its owner agrees anew', () => {
  test('when the card is declined', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    standIn.world.state.stripe.declinedMethods.push(cardOf().id);
    await runJob('top-up-wallets');
    expect(await topUps()).toMatchObject([{ status: 'failed' }]);
    service.clock.advance({ hours: 1 });
    await runJob('top-up-wallets');
    expect(await read()).toMatchObject({
      status: 'paused',
      reason: 'payment_failed',
      chargedThisMonthCents: 0,
    });
    standIn.world.state.stripe.declinedMethods.length = 0;
    service.clock.advance({ days: 1 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(1);
    expect((await agree()).body).toMatchObject({ status: 'active', reason: null });
    await runJob('top-up-wallets');
    expect(await balance()).toBe(pack.credits);
  });

  test('when there is no card any more', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    cardOf().customer = null;
    await runJob('top-up-wallets');
    expect(await topUps()).toMatchObject([{ status: 'failed', problem: 'no_saved_card' }]);
    service.clock.advance({ hours: 1 });
    await runJob('top-up-wallets');
    expect(await read()).toMatchObject({ status: 'paused', reason: 'payment_failed' });
  });

  test('when a top-up is disputed, which takes its credits and would bring about the next', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    await runJob('top-up-wallets');
    const [topUp] = await topUps();
    openDispute(standIn.world, await chargeOf(topUp.id));
    await standIn.deliver();
    expect(await balance()).toBe(0);
    service.clock.advance({ hours: 1 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(1);
    expect(await read()).toMatchObject({ status: 'paused', reason: 'payment_reversed' });
  });

  test('when a top-up is given back', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    await runJob('top-up-wallets');
    const [topUp] = await topUps();
    const charge = await chargeOf(topUp.id);
    const refund = await stripe.refund({
      refundRequestId: '0195f0a0-0000-7000-8000-0000000000aa',
      paymentId: String(charge.payment_intent),
      amountCents: pack.priceCents,
      currency: 'EUR',
      reason: 'asked for',
    });
    await service.ctx.payments.applyFacts(stripe, [refund]);
    service.clock.advance({ hours: 1 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(1);
    expect(await read()).toMatchObject({ status: 'paused', reason: 'payment_reversed' });
  });

  test.each([
    ['costs something else', 'price_changed', 'price_cents = 12345'],
    ['is not for sale any more', 'package_unavailable', 'is_active = false'],
    ['may not be bought that often', 'limit_reached', 'per_user_max = 1'],
  ])('when the package %s', async (_, reason, change) => {
    await agreeWithCard();
    await spendDownTo(0);
    await owner.query(`update credits.packages set ${change} where id = $1`, [pack.id]);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
    expect(await read()).toMatchObject({ status: 'paused', reason });
    await owner.query(
      'update credits.packages set price_cents = $2, is_active = true, per_user_max = null where id = $1',
      [pack.id, pack.priceCents],
    );
  });
});

describe('when nobody knows what came of a charge', () => {
  test('the same charge is asked for again, and there is one', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    stripe.chargeSavedCard = async (order) => {
      await chargeSavedCard(order);
      throw new AppError('payments.provider_unavailable');
    };
    await runJob('top-up-wallets');
    expect(await topUps()).toMatchObject([{ status: 'pending', checkout_id: null }]);
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ minutes: 20 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(1);
    await runJob('check-purchases');
    expect(await topUps()).toMatchObject([{ status: 'completed' }]);
    expect(await balance()).toBe(pack.credits);
    expect(intentsOf()).toBe(2);
  });

  test('the event about it is enough, and asking again changes nothing', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    stripe.chargeSavedCard = async (order) => {
      await chargeSavedCard(order);
      throw new AppError('payments.provider_unavailable');
    };
    await runJob('top-up-wallets');
    await standIn.deliver();
    expect(await balance()).toBe(pack.credits);
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ minutes: 3 });
    await runJob('check-purchases');
    expect(await balance()).toBe(pack.credits);
    expect(await topUps()).toMatchObject([{ status: 'completed' }]);
  });
});

test('a card is kept only when its owner wants that', async () => {
  await buyPack({ service, standIn }, holder);
  expect(() => cardOf()).toThrow('there is no card');
  expect((await agree()).status).toBe(200);
  await spendDownTo(0);
  await runJob('top-up-wallets');
  expect(await topUps()).toMatchObject([{ status: 'failed', problem: 'no_saved_card' }]);
  const again = await beginPurchase(service, holder, { saveCard: true });
  await pressOn(again, 'pay');
  expect(cardOf().type).toBe('card');
});

/** How many payments of the customer there are. */
function intentsOf(): number {
  const { customer } = cardOf();
  return Object.values(standIn.world.state.stripe.paymentIntents).filter(
    (intent) => intent.customer === customer && intent.status === 'succeeded',
  ).length;
}
