import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openDispute } from '../../../../../stand-in/stripe/disputes.ts';
import { beginPurchase, buyPack, pressOn } from '../../../../test/harness/stripe-purchases.ts';
import { startTopUps } from '../../../../test/harness/top-ups.ts';
import { AppError } from '../../../errors.ts';

const {
  standIn,
  service,
  owner,
  stripe,
  chargeSavedCard,
  world,
  agree,
  read,
  balance,
  topUps,
  runJob,
  agreeWithCard,
  spendDownTo,
  cardOf,
  chargeOf,
  intentsOf,
} = await startTopUps();

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
    expect(await balance()).toBe(world.pack.credits);
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
      paymentId: typeof charge.payment_intent === 'string' ? charge.payment_intent : '',
      amountCents: world.pack.priceCents,
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
    ['brings fewer credits for it', 'price_changed', 'credits = credits - 1'],
    ['is not for sale any more', 'package_unavailable', 'is_active = false'],
    ['may not be bought that often', 'limit_reached', 'per_user_max = 1'],
  ])('when the package %s', async (_, reason, change) => {
    await agreeWithCard();
    await spendDownTo(0);
    await owner.query(`update credits.packages set ${change} where id = $1`, [world.pack.id]);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
    expect(await read()).toMatchObject({ status: 'paused', reason });
    await owner.query(
      `update credits.packages
          set price_cents = $2, credits = $3, is_active = true, per_user_max = null where id = $1`,
      [world.pack.id, world.pack.priceCents, world.pack.credits],
    );
  });
});

const purchase = async (): Promise<{ id: string; paymentId: string }> => {
  const { rows } = await owner.query(
    `select id, provider_payment_id as "paymentId" from credits.purchases where user_id = $1 order by id limit 1`,
    [world.holder.userId],
  );
  return rows[0];
};
const expectPaused = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) {
    service.clock.advance({ minutes: 20 });
    await runJob('top-up-wallets');
    await standIn.deliver();
  }
  expect(await topUps()).toEqual([]);
  expect(await read()).toMatchObject({ status: 'paused', reason: 'payment_reversed' });
};
const refund = async (amountCents = world.pack.priceCents): Promise<void> => {
  const { paymentId } = await purchase();
  const order = { paymentId, amountCents, currency: 'EUR', reason: 'asked for' };
  const fact = await stripe.refund({ refundRequestId: randomUUID(), ...order });
  await service.ctx.payments.applyFacts(stripe, [fact]);
};

describe('nothing is charged for credits that are missing because money went back', () => {
  test('of a pack that was bought before, whether or not its credits are owed', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    await refund();
    await expectPaused();
  });

  test('of which only a part was refunded', async () => {
    await agreeWithCard({ threshold: world.pack.credits });
    await refund(100);
    await expectPaused();
  });

  test('of which the bank calls a part back', async () => {
    await agreeWithCard({ threshold: world.pack.credits });
    const { id } = await purchase();
    openDispute(standIn.world, await chargeOf(id), 100);
    await standIn.deliver();
    await expectPaused();
  });

  test('while a refund that was asked for waits', async () => {
    await agreeWithCard({ threshold: world.pack.credits });
    await spendDownTo(world.pack.credits - 1);
    const { id } = await purchase();
    const asked = { purchaseId: id, reason: 'A mistake' };
    const { token } = world.holder;
    expect(
      (await service.send('POST', '/api/v1/payments/refunds', { token, body: asked })).status,
    ).toBeLessThan(300);
    await expectPaused();
  });

  test('also when they are owed since before it was agreed to; after a refund long ago it goes on', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    await refund();
    service.clock.advance({ hours: 1 });
    expect((await agree()).status).toBe(200);
    await expectPaused();
    // The next pack repays it.
    await buyPack({ service, standIn }, world.holder);
    expect(await balance()).toBe(0);
    service.clock.advance({ hours: 1 });
    expect((await agree()).body).toMatchObject({ status: 'active' });
    await runJob('top-up-wallets');
    expect(await topUps()).toMatchObject([{ status: 'completed' }]);
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
    expect(await balance()).toBe(world.pack.credits);
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
    expect(await balance()).toBe(world.pack.credits);
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ minutes: 3 });
    await runJob('check-purchases');
    expect(await balance()).toBe(world.pack.credits);
    expect(await topUps()).toMatchObject([{ status: 'completed' }]);
  });
});

test('a card is kept only when its owner wants that', async () => {
  await buyPack({ service, standIn }, world.holder);
  expect(() => cardOf()).toThrow('there is no card');
  expect((await agree()).status).toBe(200);
  await spendDownTo(0);
  await runJob('top-up-wallets');
  expect(await topUps()).toMatchObject([{ status: 'failed', problem: 'no_saved_card' }]);
  const again = await beginPurchase(service, world.holder, { saveCard: true });
  await pressOn(again, 'pay');
  expect(cardOf().type).toBe('card');
});
