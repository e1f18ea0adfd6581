import { afterEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { ask, makePlan, paidCredits } from '../../../../test/harness/plans.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
});
standIn.deliverTo(service.url);
const admin = await addAdministrator(service);
await makePlan(service, admin, 'small');
await makePlan(service, admin, 'large', { priceCents: 2500, credits: 3000 });
afterEach(() => expectSound(service));

async function press(url: string): Promise<void> {
  const body = new URLSearchParams({ choice: 'pay' });
  expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
  await standIn.deliver();
}

test('a dearer plan at PayPal counts from the next period on, once it is agreed to there', async () => {
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'small', provider: 'paypal' });
  await press(body.checkoutUrl);
  expect(await paidCredits(service, holder)).toBe(1000);
  service.clock.advance({ days: 10 });
  const changed = await ask(service, holder, 'PATCH', { planId: 'large' });
  expect(changed).toMatchObject({
    status: 200,
    body: { plan: { id: 'small' }, nextPlan: null, approvalUrl: expect.stringMatching(/^http/) },
  });
  await press(changed.body.approvalUrl);
  expect((await ask(service, holder, 'GET')).body).toMatchObject({
    plan: { id: 'small' },
    nextPlan: { id: 'large' },
  });
  expect(await paidCredits(service, holder)).toBe(1000);
  service.clock.advance({ days: 22 });
  await standIn.deliver();
  expect((await ask(service, holder, 'GET')).body).toMatchObject({ plan: { id: 'large' }, nextPlan: null });
  expect(await paidCredits(service, holder)).toBe(3000);
});
