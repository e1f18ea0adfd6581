import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import type { FaultPoint } from '../../src/lib/fault-points.ts';
import { startTestService, type TestService } from '../harness/index.ts';
import { expectSound } from '../harness/movements.ts';
import { awaitValue } from './await-value.ts';
import { openPaymentStage } from './payment-stage.ts';
import { readReal, type RealPerson } from './people.ts';
import { repositoryDir } from './real-service.ts';

// The service dies behind each step of a payment: once it is back, what has been paid is granted, what has
// been refunded is taken back, and nothing twice.

vi.setConfig({ testTimeout: 400_000 });

const stage = await openPaymentStage();
const { owner, standIn, running, send, dieAt } = stage;
const { buy, buyPaid, deliver, startJob, recover, purchasesOf, untilPurchase, untilPosted } = stage;
const { newPerson, newAdministrator, expectAgreed } = stage;
const admin = await newAdministrator();
const providers = ['stripe', 'paypal'] as const;

/** Each kill costs a start: `npm run test:crash` takes every point, other runs the first of each path. */
const takesAll = process.env.CRASH_PAYMENTS === 'all';
const points = <Point extends FaultPoint>(...all: Point[]): Point[] => (takesAll ? all : all.slice(0, 1));

describe.each(providers)('a purchase with %s', (provider) => {
  test.each(points('purchase.opened', 'purchase.begun', 'purchase.attached'))(
    'killed at %s, is opened once, by the job and by the same key',
    async (point) => {
      const person = await newPerson();
      const order = { idempotencyKey: randomUUID() };
      await dieAt(point, () => buy(person, provider, order));
      await recover();
      const { checkout_url: url } = await untilPurchase(person, (one) => one.checkout_url !== null);
      expect(await buy(person, provider, order)).toMatchObject({ status: 200, body: { checkoutUrl: url } });
      await standIn.choose(url!, 'pay');
      await recover();
      await untilPosted(person, 1000);
      await deliver();
      await expectAgreed(person, 1000);
    },
  );

  test.each(points('purchase.read', 'purchase.applied'))('killed at %s, is paid for once', async (point) => {
    const person = await newPerson();
    const { body } = await buy(person, provider);
    await standIn.choose(body.checkoutUrl, 'pay');
    await dieAt(point, () => readReal(running.service.url, person, `purchase/${body.purchaseId}`));
    await recover();
    await untilPosted(person, 1000);
    await deliver();
    await expectAgreed(person, 1000);
  });

  test.each(points('webhook.stored', 'webhook.verified'))(
    'killed at %s, counts once when the event comes again, and so does a refund',
    async (point) => {
      const person = await newPerson();
      const { body } = await buy(person, provider);
      await deliver();
      await standIn.choose(body.checkoutUrl, 'pay');
      await dieAt(point, deliver);
      await deliver();
      const { provider_payment_id: payment } = await untilPosted(person, 1000);
      standIn.act('refund', { payment: payment!, amountCents: 400 });
      await dieAt(point, deliver);
      await deliver();
      await untilPosted(person, 600);
      await expectAgreed(person, 600);
    },
  );
});

test('an approved order of PayPal’s that nobody lived to capture is captured once', async () => {
  const person = await newPerson();
  const { body } = await buy(person, 'paypal');
  await standIn.choose(body.checkoutUrl, 'pay');
  await dieAt('paypal.approved', deliver);
  await expectAgreed(person, 0);
  await deliver();
  await recover();
  await untilPosted(person, 1000);
  await expectAgreed(person, 1000);
});

test.runIf(takesAll)('a purchase that the provider has refused has failed', async () => {
  const person = await newPerson();
  await owner.query(`update auth.users set stripe_customer_id = 'cus_gone' where id = $1`, [person.userId]);
  await dieAt('purchase.refused', () => buy(person, 'stripe'));
  await recover();
  await untilPurchase(person, ({ status }) => status === 'failed');
  await expectAgreed(person, 0);
});

test.runIf(takesAll)('a checkout that is over its time is ended, and paid no more', async () => {
  const person = await newPerson();
  const { body } = await buy(person, 'stripe');
  await owner.query(`update credits.purchases set expires_at = created_at where id = $1`, [body.purchaseId]);
  await dieAt('purchase.expired', recover);
  await standIn.choose(body.checkoutUrl, 'pay');
  await recover();
  await untilPurchase(person, ({ status }) => status === 'failed');
  await deliver();
  await expectAgreed(person, 0);
});

describe.each(providers)('a refund with %s', (provider) => {
  test.each(points('refund.sent', 'refund.begun', 'refund.applied'))(
    'killed at %s, is sent once, and takes its credits once',
    async (point) => {
      const person = await newPerson();
      const { id } = await buyPaid(person, provider);
      const order = { amountCents: 400, reason: 'Goodwill', idempotencyKey: randomUUID() };
      const refund = () => send('POST', `payments/purchases/${id}/refunds`, admin, order);
      await dieAt(point, refund);
      await untilPosted(person, 600);
      await recover();
      await untilRefund(person, 'succeeded');
      expect(await refund()).toMatchObject({ status: 201, body: { amountCents: 400 } });
      await deliver();
      await expectAgreed(person, 600);
    },
  );
});

describe('a refund', () => {
  test.runIf(takesAll)('that was just approved is sent', async () => {
    const person = await newPerson();
    const { id } = await buyPaid(person, 'stripe');
    const asked = { purchaseId: id, reason: 'Bought by mistake' };
    const { body } = await send('POST', 'payments/refunds', person, asked);
    await dieAt('refund.begun', () => send('POST', `payments/refunds/${body.id}/approve`, admin, {}));
    await recover();
    await untilRefund(person, 'succeeded');
    await deliver();
    await expectAgreed(person, 0);
  });

  test('whose key is forgotten meanwhile is found in the list, and not sent again', async () => {
    const person = await newPerson();
    const { id } = await buyPaid(person, 'stripe');
    const order = { amountCents: 400, reason: 'Goodwill' };
    await dieAt('refund.sent', () => send('POST', `payments/purchases/${id}/refunds`, admin, order));
    await owner.query(
      `update payments.refund_requests set decided_at = decided_at - interval '6 hours' where purchase_id = $1`,
      [id],
    );
    standIn.world.state.stripe.answers = {};
    // The list goes by the time of the decision, and Stripe's is kept by whole seconds.
    await dieAt('refund.found', recover);
    await recover();
    await untilRefund(person, 'succeeded');
    await deliver();
    await expectAgreed(person, 600);
  });

  test.runIf(takesAll)('that the provider refuses gives the credits back', async () => {
    const person = await newPerson();
    const { id, provider_payment_id: payment } = await buyPaid(person, 'stripe');
    const dispute = standIn.act('dispute', { payment: payment! })!.id;
    const order = { amountCents: 400, reason: 'Goodwill' };
    await dieAt('refund.refused', () => send('POST', `payments/purchases/${id}/refunds`, admin, order));
    await untilPosted(person, 600);
    await recover();
    await untilRefund(person, 'failed');
    await untilPosted(person, 1000);
    standIn.act('close-dispute', { dispute, outcome: 'won' });
    await deliver();
    await expectAgreed(person, 1000);
  });

  test.each(points('refund.sent', 'warning.answered', 'refund.applied'))(
    'for a stolen card, killed at %s, is sent once',
    async (point) => {
      const person = await newPerson();
      const { provider_payment_id: payment } = await buyPaid(person, 'stripe');
      standIn.act('warn-of-fraud', { payment: payment! });
      await deliver();
      await dieAt(point, () => startJob('answer-fraud-warnings'));
      await startJob('answer-fraud-warnings');
      await recover();
      await untilRefund(person, 'succeeded');
      await deliver();
      await expectAgreed(person, 0);
    },
  );
});

test.each(points('top-up.charged', 'top-up.begun', 'top-up.attached'))(
  'a top-up that is killed at %s charges the card once',
  async (point) => {
    const person = await newPerson();
    await buyPaid(person, 'stripe', { saveCard: true });
    const terms = { packageId: 'standard', threshold: 100, monthlyCapCents: 3000 };
    expect(await send('PUT', 'payments/top-up', person, terms)).toMatchObject({ status: 200 });
    const spent = { amount: 950, appId: 'chat', description: 'Chat message' };
    expect(await send('POST', 'credits/use', person, spent)).toMatchObject({ status: 200 });
    await dieAt(point, () => startJob('top-up-wallets'));
    await startJob('top-up-wallets');
    await recover();
    await untilPurchase(person, (one) => one.kind === 'top_up' && one.posted_credits === 1000);
    await deliver();
    await expectAgreed(person, 2000);
  },
);

describe('a subscription', () => {
  const subscription = 'payments/subscription';
  const begin = (person: RealPerson, planId: string) => send('POST', subscription, person, { planId });
  async function subscribe(person: RealPerson, planId: string): Promise<void> {
    const { status, body } = await begin(person, planId);
    expect(status).toBe(201);
    await standIn.choose(body.checkoutUrl, 'pay');
    await deliver();
    await untilPosted(person, 1000);
  }

  test.each(
    points('subscription.opened', 'subscription.begun', 'subscription.priced', 'subscription.attached'),
  )('killed at %s, is begun by whoever asks again, and paid for once', async (point) => {
    const [person, planId] = [await newPerson(), await makePlan(1000)];
    await dieAt(point, () => begin(person, planId));
    await subscribe(person, planId);
    expect((await begin(person, planId)).body).toMatchObject({ code: 'payments.subscribed_already' });
    await expectAgreed(person, 1000);
  });

  test.each(points('subscription.changed', 'subscription.change-noted'))(
    'killed at %s, changes to a dearer plan once',
    async (point) => {
      const [person, small, large] = [await newPerson(), await makePlan(1000), await makePlan(3000)];
      await subscribe(person, small);
      const change = () => send('PATCH', subscription, person, { planId: large });
      await dieAt(point, change);
      expect((await change()).status).toBe(200);
      await deliver();
      const { body } = await send('GET', subscription, person);
      expect(body).toMatchObject({ status: 'active', plan: { id: large } });
      const bills = (await purchasesOf(person)).map(({ price_cents: cents }) => cents);
      expect(bills.length).toBe(2);
      expect(bills[1]).toBeGreaterThan(1900);
    },
  );

  test.runIf(takesAll)('that is cancelled ends with its period, though nobody lived to note it', async () => {
    const [person, planId] = [await newPerson(), await makePlan(1000)];
    await subscribe(person, planId);
    await dieAt('subscription.cancelled', () => send('DELETE', subscription, person));
    await deliver();
    const { body } = await send('GET', subscription, person);
    expect(body).toMatchObject({ status: 'active', cancelsAtPeriodEnd: true });
    await expectAgreed(person, 1000);
  });
});

test('after all that providers and ledger agree, and the ledger is sound', async () => {
  await deliver();
  const program = join(repositoryDir, 'server/src/cli/main.ts');
  const command = [program, 'payments', 'reconcile', '--since', '2020-01-01', '--json'];
  const env = { PATH: process.env.PATH, ...stage.env };
  const { stdout } = await promisify(execFile)(process.execPath, command, { env, cwd: stage.env.DATA_DIR });
  const reports: any[] = JSON.parse(stdout);
  expect(reports.map(({ provider, open }) => ({ provider, open }))).toEqual(
    providers.map((provider) => ({ provider, open: 0 })),
  );
  for (const { matched } of reports) expect(matched).toBeGreaterThan(0);
  const shareDatabaseWith = { ...stage.database, backendEnv: {} } as TestService;
  const service = await startTestService({ shareDatabaseWith, env: { CREDITS_DAILY_FREE: '0' } });
  await expectSound(service);
});

/** The one refund of a person has come to its end. */
async function untilRefund(person: RealPerson, state: string): Promise<void> {
  await awaitValue(async () => {
    const { body } = await send('GET', 'payments/refunds', person);
    expect(body).toHaveLength(1);
    return body[0].state === state ? true : undefined;
  });
}

/** A plan for a month, with as many credits as it costs cents. */
async function makePlan(priceCents: number): Promise<string> {
  const id = `plan-${randomUUID()}`;
  const terms = { name: id, priceCents, currency: 'EUR', interval: 'month', credits: priceCents };
  expect((await send('POST', 'payments/plans', admin, { id, ...terms })).status).toBe(201);
  return id;
}
