import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, readOwn, spend } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { signStripe, stripeEvent } from '../../../../test/harness/stripe-events.ts';
import { buyPack, sendToStripeWebhook } from '../../../../test/harness/stripe-purchases.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const standIn = await startPaymentStandIn();
const secret = standIn.settings.STRIPE_WEBHOOK_SECRET;
const env = { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
const recording = await startTestService({ env, clock: standIn.clock });
const owner = await connectAsOwner(recording);
const answering = (answer: string) =>
  startTestService({ env: { ...env, STRIPE_FRAUD_WARNINGS: answer }, shareDatabaseWith: recording });
const [freezing, refunding] = [await answering('freeze'), await answering('refund')];

afterEach(() => expectSound(recording));

async function buy(service: TestService) {
  standIn.deliverTo(service.url);
  const holder = await addWalletHolder(service);
  const { purchaseId } = await buyPack({ service, standIn }, holder);
  const { rows } = await owner.query(
    'select provider_payment_id as payment_id, credits, price_cents from credits.purchases where id = $1',
    [purchaseId],
  );
  return { holder, purchaseId, paymentId: rows[0].payment_id as string, credits: Number(rows[0].credits) };
}

async function warn(service: TestService, paymentId: string, actionable = true): Promise<string> {
  const object = {
    id: `issfr_${randomUUID()}`,
    object: 'radar.early_fraud_warning',
    actionable,
    fraud_type: 'made_with_stolen_card',
    payment_intent: paymentId,
    charge: 'ch_1',
  };
  const type = 'radar.early_fraud_warning.created';
  const at = service.clock.now();
  const body = stripeEvent({ id: `evt_${randomUUID()}`, type, object, at });
  const { status } = await sendToStripeWebhook(service, body, signStripe(body, { at, secret }));
  expect(status).toBe(200);
  return object.id;
}

async function runJob(
  service: TestService,
  name: 'answer-fraud-warnings' | 'send-refunds' = 'answer-fraud-warnings',
): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, name, {}));
  await service.ctx.jobs.runDue();
}

const answerTo = async (warningId: string) =>
  (await owner.query('select answer, reason from payments.fraud_warnings where warning_id = $1', [warningId]))
    .rows[0];
const requestsOf = async (purchaseId: string) =>
  (
    await owner.query('select status, amount_cents from payments.refund_requests where purchase_id = $1', [
      purchaseId,
    ])
  ).rows;

test('a warning is recorded, and nothing else happens unless the settings say so', async () => {
  const { holder, paymentId, credits } = await buy(recording);
  const warning = await warn(recording, paymentId);
  await runJob(recording);
  expect(await answerTo(warning)).toEqual({ answer: 'recorded', reason: 'made_with_stolen_card' });
  expect(await readOwn(recording, holder, 'balance')).toMatchObject({ balance: credits, status: 'active' });
});

test('a warning can freeze the wallet, once: who thaws it is not overruled', async () => {
  const { holder, paymentId } = await buy(freezing);
  const warning = await warn(freezing, paymentId);
  await runJob(freezing);
  expect(await answerTo(warning)).toMatchObject({ answer: 'frozen' });
  expect(await readOwn(freezing, holder, 'balance')).toMatchObject({ status: 'frozen' });
  const admin = await addAdministrator(freezing);
  const thaw = () =>
    freezing.send('POST', `/api/v1/users/${holder.userId}/credits/thaw`, {
      token: admin.token,
      body: { reason: 'It was their own card' },
    });
  expect(await thaw()).toMatchObject({ status: 200, body: { userId: holder.userId, status: 'active' } });
  await runJob(freezing);
  await spend(freezing, holder, 1);
});

test('a warning can refund the payment: the credits are gone first, and it is asked for once', async () => {
  const { holder, purchaseId, paymentId, credits } = await buy(refunding);
  await spend(refunding, holder, 1);
  const stripe = refunding.ctx.payments.provider('stripe');
  const refund = stripe.refund.bind(stripe);
  stripe.refund = async (order) => {
    expect((await readOwn(refunding, holder, 'balance')).balance).toBe(0);
    await refund(order);
    throw new AppError('payments.provider_unavailable');
  };
  const warnings = [await warn(refunding, paymentId), await warn(refunding, paymentId)];
  await runJob(refunding);
  stripe.refund = refund;
  await runJob(refunding);
  await standIn.deliver();
  const [request, ...others] = await requestsOf(purchaseId);
  expect(others).toEqual([]);
  expect(request).toMatchObject({ status: 'sent' });
  const answers = await Promise.all(warnings.map(answerTo));
  expect(new Set(answers.map(({ answer }) => answer))).toEqual(new Set(['recorded', 'refunded']));
  const refunds = Object.values(standIn.world.state.stripe.refunds);
  expect(refunds.filter((one) => one.payment_intent === paymentId)).toHaveLength(1);
  expect(await readOwn(refunding, holder, 'balance')).toMatchObject({ balance: 0, debt: 1 });
  expect(await readOwn(refunding, holder, `purchase/${purchaseId}`)).toMatchObject({
    status: 'refunded',
    creditsReceived: 0,
  });
  expect(credits).toBeGreaterThan(1);
});

test('a refund whose answer was lost is not sent again once Stripe has forgotten its key: it is looked for', async () => {
  const { holder, purchaseId, paymentId, credits } = await buy(refunding);
  const stripe = refunding.ctx.payments.provider('stripe');
  const refund = stripe.refund.bind(stripe);
  const calls: string[] = [];
  stripe.refund = async (order) => {
    calls.push(order.paymentId);
    // A key that was forgotten makes another refund of it.
    await refund({ ...order, amountCents: 1 });
    throw new AppError('payments.provider_unavailable');
  };
  await warn(refunding, paymentId);
  await runJob(refunding);
  expect(calls).toEqual([paymentId]);
  await runJob(refunding);
  expect(calls).toHaveLength(1);
  standIn.clock.advance({ hours: 30 });
  await runJob(refunding);
  await runJob(refunding, 'send-refunds');
  stripe.refund = refund;
  expect(calls).toHaveLength(1);
  expect(await requestsOf(purchaseId)).toMatchObject([{ status: 'sent' }]);
  expect(await readOwn(refunding, holder, `purchase/${purchaseId}`)).toMatchObject({ refundedCents: 1 });
  expect((await readOwn(refunding, holder, 'balance')).balance).toBeLessThan(credits);
});

test('a refund that the provider refuses gives the credits back', async () => {
  const { holder, purchaseId, paymentId, credits } = await buy(refunding);
  const stripe = refunding.ctx.payments.provider('stripe');
  const refund = stripe.refund.bind(stripe);
  stripe.refund = () => Promise.reject(new AppError('payments.provider_refused'));
  await warn(refunding, paymentId);
  await runJob(refunding);
  stripe.refund = refund;
  expect(await requestsOf(purchaseId)).toMatchObject([{ status: 'failed' }]);
  expect((await readOwn(refunding, holder, 'balance')).balance).toBe(credits);
  await runJob(refunding);
  expect(await requestsOf(purchaseId)).toHaveLength(1);
});

test('a warning that comes too late for a refund is recorded', async () => {
  const { holder, paymentId, credits } = await buy(refunding);
  const warning = await warn(refunding, paymentId, false);
  await runJob(refunding);
  expect(await answerTo(warning)).toMatchObject({ answer: 'recorded' });
  expect((await readOwn(refunding, holder, 'balance')).balance).toBe(credits);
});

test('a warning about a payment that is not known yet waits for it', async () => {
  const warning = await warn(freezing, 'pi_of_tomorrow');
  await runJob(freezing);
  expect(await answerTo(warning)).toMatchObject({ answer: null });
});
