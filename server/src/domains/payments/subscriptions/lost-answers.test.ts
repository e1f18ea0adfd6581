import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { ask, countPurchases, makePlan } from '../../../../test/harness/plans.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const standIn = await startPaymentStandIn();
const env = { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', ...standIn.settings };
const service = await startTestService({ clock: standIn.clock, env });
standIn.deliverTo(service.url);
const stripe = service.ctx.payments.provider('stripe');
const openSubscription = stripe.openSubscription.bind(stripe);
await makePlan(service, await addAdministrator(service), 'pro');
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
  standIn.world.state.stripe.sessions = {};
});
afterEach(() => {
  stripe.openSubscription = openSubscription;
});

const begin = () => ask(service, holder, 'POST', { planId: 'pro' });

/** Stripe opens a checkout, and nobody hears of it. */
async function beginUnheard(): Promise<void> {
  stripe.openSubscription = async (order) => {
    await openSubscription(order);
    throw new AppError('payments.provider_unavailable');
  };
  expect(await begin()).toMatchObject({ status: 503, body: { code: 'payments.provider_unavailable' } });
  stripe.openSubscription = openSubscription;
}

const sessions = () => Object.values(standIn.world.state.stripe.sessions);

test('a checkout whose answer was lost is found again, and paid once', async () => {
  await beginUnheard();
  service.clock.advance({ minutes: 20 });
  const { status, body } = await begin();
  expect(status).toBe(201);
  expect(sessions()).toHaveLength(1);
  await standIn.choose(body.checkoutUrl, 'pay');
  await standIn.deliver();
  expect(await countPurchases(service, holder)).toEqual({ completed: 1, credits: 1000 });
});

test('and left behind once Stripe would not open it any more', async () => {
  await beginUnheard();
  service.clock.advance({ minutes: 40 });
  const { status, body } = await begin();
  expect(status).toBe(201);
  expect(sessions()).toHaveLength(2);
  await standIn.choose(body.checkoutUrl, 'pay');
  await standIn.deliver();
  expect(await countPurchases(service, holder)).toEqual({ completed: 1, credits: 1000 });
});
