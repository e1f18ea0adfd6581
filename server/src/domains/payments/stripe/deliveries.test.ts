import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, readOwn } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { signStripe, stripeEvent, stripeSession } from '../../../../test/harness/stripe-events.ts';
import {
  beginPurchase,
  buyPack,
  pressOn,
  sendToStripeWebhook,
  type Opened,
} from '../../../../test/harness/stripe-purchases.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const standIn = await startPaymentStandIn();
const nextSecret = 'whsec_next_while_it_is_rotated';
const [secret = ''] = standIn.settings.STRIPE_WEBHOOK_SECRET.split(',');
const service = await startTestService({
  env: {
    ...standIn.settings,
    STRIPE_WEBHOOK_SECRET: `${secret},${nextSecret}`,
    CREDITS_DAILY_FREE: '0',
    CREDITS_SIGNUP_BONUS: '0',
  },
  clock: standIn.clock,
});
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
const administrator = await addAdministrator(service);

let holder: WalletHolder;
let bought: Opened;
let price: { priceCents: number; currency: string; credits: number };

beforeEach(async () => {
  service.clock.advance({ seconds: 1 });
  holder = await addWalletHolder(service);
  bought = await beginPurchase(service, holder);
  price = await readOwn(service, holder, `purchase/${bought.purchaseId}`);
});
afterEach(() => expectSound(service));

/** What Stripe would say of the checkout once it is paid. */
function paidSession(changes: Record<string, unknown> = {}) {
  const parts = { id: bought.checkoutId, purchaseId: bought.purchaseId, amountCents: price.priceCents };
  return { ...stripeSession({ ...parts, paymentId: `pi_${bought.purchaseId}` }), ...changes };
}

function paidEvent(changes: Record<string, unknown> = {}, event: { livemode?: boolean } = {}) {
  const id = `evt_${randomUUID()}`;
  const object = paidSession(changes);
  return {
    id,
    body: stripeEvent({ id, type: 'checkout.session.completed', object, at: service.clock.now(), ...event }),
  };
}

const sign = (body: string, stamp: { secret?: string; at?: Date } = {}) =>
  signStripe(body, { at: service.clock.now(), secret, ...stamp });
const later = (seconds: number) => new Date(service.clock.now().getTime() + seconds * 1000);
const balance = async () => (await readOwn(service, holder, 'balance')).balance as number;
const statusOf = async () =>
  (await owner.query('select status from credits.purchases where id = $1', [bought.purchaseId])).rows[0]
    ?.status;
const storedEvent = async (id: string) =>
  (await owner.query('select outcome, reason from payments.events where provider_event_id = $1', [id]))
    .rows[0];

async function readAsAdministrator(path: string) {
  const { status, body } = await service.send('GET', `/api/v1/payments/${path}`, {
    token: administrator.token,
  });
  expect(status).toBe(200);
  return body;
}

const rewrite = (body: string) => JSON.stringify(JSON.parse(body));

/** Nothing has come of it, and the payment itself still counts when it is told rightly. */
async function expectNothingHappened() {
  expect(await balance()).toBe(0);
  expect(await statusOf()).toBe('pending');
  const right = paidEvent();
  expect((await sendToStripeWebhook(service, right.body, sign(right.body))).status).toBe(200);
  expect(await balance()).toBe(price.credits);
}

describe('a delivery that is not from Stripe, or not as Stripe sent it, is refused and noted', () => {
  test.each<[string, string, (body: string) => [string, string | undefined]]>([
    ['a bad signature', 'signature_invalid', (body) => [body, sign(body, { secret: 'whsec_of_somebody' })]],
    ['no signature', 'signature_invalid', (body) => [body, undefined]],
    ['a body that was written anew', 'signature_invalid', (body) => [rewrite(body), sign(body)]],
    [
      'a body with another amount',
      'signature_invalid',
      (body) => [body.replace('"paid"', '"unpaid"'), sign(body)],
    ],
    ['an old timestamp', 'delivery_too_old', (body) => [body, sign(body, { at: later(-301) })]],
    ['a timestamp of the future', 'delivery_too_old', (body) => [body, sign(body, { at: later(301) })]],
  ])('%s', async (_, code, forge) => {
    const { id, body } = paidEvent();
    const [sent, signature] = forge(body);
    const answer = await sendToStripeWebhook(service, sent, signature);
    expect(answer).toMatchObject({ status: 400, body: { code: `payments.${code}` } });
    expect(await storedEvent(id)).toBeUndefined();
    const [refused] = await readAsAdministrator('refused-deliveries?limit=1');
    expect(refused).toMatchObject({ provider: 'stripe', code: `payments.${code}` });
    expect(refused.body).toContain(id);
    await expectNothingHappened();
  });

  test('the wrong mode', async () => {
    const { id, body } = paidEvent({}, { livemode: true });
    const answer = await sendToStripeWebhook(service, body, sign(body));
    expect(answer).toMatchObject({ status: 400, body: { code: 'payments.wrong_mode' } });
    expect(await storedEvent(id)).toBeUndefined();
    const [refused] = await readAsAdministrator('refused-deliveries?limit=1');
    expect(refused).toMatchObject({ code: 'payments.wrong_mode' });
    await expectNothingHappened();
  });

  test('what is signed and is not an event', async () => {
    for (const body of ['', 'null', '{}', '{"id":']) {
      const { status } = await sendToStripeWebhook(service, body, sign(body));
      expect(status).toBe(400);
    }
    await expectNothingHappened();
  });
});

test('either secret counts while it is rotated, and two signatures at once', async () => {
  const [one, other, both] = [paidEvent(), paidEvent(), paidEvent()];
  const signatures = [
    [one, sign(one.body)],
    [other, sign(other.body, { secret: nextSecret })],
    [both, `${sign(both.body, { secret: nextSecret })},${sign(both.body).split(',')[1]}`],
  ] as const;
  for (const [{ id, body }, signature] of signatures) {
    expect((await sendToStripeWebhook(service, body, signature)).status).toBe(200);
    expect(await storedEvent(id)).toMatchObject({ outcome: 'applied' });
  }
  expect(await balance()).toBe(price.credits);
});

describe('an event of Stripe that does not fit the purchase is stored, shown and has no effect', () => {
  test.each<[string, string, () => Record<string, unknown>]>([
    ['the wrong currency', 'wrong_currency', () => ({ currency: 'jpy' })],
    ['less than the price', 'wrong_amount', () => ({ amount_subtotal: price.priceCents - 1 })],
    ['more than the price', 'wrong_amount', () => ({ amount_subtotal: price.priceCents + 1 })],
    [
      'a discount that nobody gave',
      'wrong_amount',
      () => ({ total_details: { amount_discount: 1, amount_shipping: 0, amount_tax: 0 } }),
    ],
    ['nothing to pay', 'wrong_amount', () => ({ amount_subtotal: 0, payment_status: 'no_payment_required' })],
  ])('%s', async (_, reason, changes) => {
    const { id, body } = paidEvent(changes());
    expect((await sendToStripeWebhook(service, body, sign(body))).status).toBe(200);
    expect(await storedEvent(id)).toEqual({ outcome: 'refused', reason });
    const [shown] = await readAsAdministrator('events?outcome=refused&limit=1');
    expect(shown).toMatchObject({ providerEventId: id, provider: 'stripe', outcome: 'refused', reason });
    await expectNothingHappened();
  });

  test('metadata that names the purchase of somebody else', async () => {
    const victim = await addWalletHolder(service);
    const theirs = await beginPurchase(service, victim);
    const { id, body } = paidEvent({ metadata: { obol_purchase_id: theirs.purchaseId } });
    expect((await sendToStripeWebhook(service, body, sign(body))).status).toBe(200);
    expect(await storedEvent(id)).toEqual({ outcome: 'refused', reason: 'wrong_purchase' });
    expect((await readOwn(service, victim, 'balance')).balance).toBe(0);
    await expectNothingHappened();
  });

  test('another checkout, cheaper, that claims the purchase', async () => {
    const changes = { id: `cs_${randomUUID()}`, amount_subtotal: 1, payment_intent: 'pi_cheap' };
    const { id, body } = paidEvent(changes);
    expect((await sendToStripeWebhook(service, body, sign(body))).status).toBe(200);
    expect(await storedEvent(id)).toEqual({ outcome: 'refused', reason: 'wrong_amount' });
    await expectNothingHappened();
  });

  test('the same of an account that is merely connected to ours', async () => {
    const id = `evt_${randomUUID()}`;
    const event = { id, type: 'checkout.session.completed', object: paidSession(), account: 'acct_other' };
    const body = stripeEvent({ ...event, at: service.clock.now() });
    expect((await sendToStripeWebhook(service, body, sign(body))).status).toBe(200);
    expect(await storedEvent(id)).toMatchObject({ outcome: 'ignored' });
    await expectNothingHappened();
  });
});

describe('what the stand-in for Stripe tells, through the real SDK', () => {
  test('brings the credits once, however often it is told', async () => {
    await pressOn(bought, 'pay');
    await standIn.deliver();
    expect(await balance()).toBe(price.credits);
    for (const delivery of standIn.world.state.webhooks.deliveries) delivery.outcome = 'waiting';
    await standIn.deliver();
    expect(await balance()).toBe(price.credits);
  });

  test('a payment through the banks brings them when it arrives, or never', async () => {
    await pressOn(bought, 'pay-later');
    await standIn.deliver();
    expect([await balance(), await statusOf()]).toEqual([0, 'pending']);
    service.clock.advance({ minutes: 2 });
    await standIn.deliver();
    expect(await balance()).toBe(price.credits);
    const failing = await beginPurchase(service, holder);
    await pressOn(failing, 'fail-later');
    service.clock.advance({ minutes: 2 });
    await standIn.deliver();
    expect(await readOwn(service, holder, `purchase/${failing.purchaseId}`)).toMatchObject({
      status: 'failed',
    });
  });

  test('the customer is remembered, and has a page for cards and bills', async () => {
    const portal = (token: string) =>
      service.send('POST', '/api/v1/payments/portal', { token, body: { provider: 'stripe' } });
    expect(await portal(holder.token)).toMatchObject({ status: 409, body: { code: 'payments.no_customer' } });
    await buyPack({ service, standIn }, holder);
    const { status, body } = await portal(holder.token);
    expect(status).toBe(200);
    expect(body.url).toMatch(/^http/);
    const second = await beginPurchase(service, holder);
    await pressOn(second, 'pay');
    const { customers } = standIn.world.state.stripe;
    const email = `${holder.userId}@example.com`;
    expect(Object.values(customers).filter((customer) => customer.email === email)).toHaveLength(1);
    expect((await service.send('POST', '/api/v1/payments/portal', { body: {} })).status).toBe(401);
  });
});
