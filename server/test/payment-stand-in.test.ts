import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { freePort } from '../src/db/embedded/server.ts';
import { startPaymentStandIn as startBesideService } from '../src/payment-stand-in.ts';
import { startTestService } from './harness/index.ts';
import { post, readOwn } from './harness/movements.ts';
import { startPaymentStandIn } from './harness/payment-stand-in.ts';
import { addWalletHolder, type WalletHolder } from './harness/wallets.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', ...standIn.settings },
});
standIn.deliverTo(service.url);
let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
});

async function openPurchase(provider: 'stripe' | 'paypal') {
  const { status, body } = await post(service, holder, 'purchase', { packageId: 'standard', provider });
  expect(status).toBe(200);
  expect(body.checkoutUrl.startsWith(`${standIn.url}/pay/`)).toBe(true);
  return { id: body.purchaseId as string, url: body.checkoutUrl as string };
}

const balance = async () => (await readOwn(service, holder, 'balance')).balance as number;
const purchase = (id: string) => readOwn(service, holder, `purchase/${id}`);

describe('credits bought at the stand-in', () => {
  test('of Stripe arrive by its webhooks alone, once', async () => {
    const { url } = await openPurchase('stripe');
    await standIn.choose(url, 'pay');
    expect(await balance()).toBe(0);
    await standIn.deliver();
    expect(await balance()).toBe(1000);
    for (const { id } of Object.values(standIn.world.state.stripe.events))
      standIn.act('resend', { event: id });
    await standIn.deliver();
    expect(await balance()).toBe(1000);
  });

  test('of PayPal arrive once, when what was approved is captured', async () => {
    const { id, url } = await openPurchase('paypal');
    await standIn.choose(url, 'pay');
    expect((await purchase(id)).status).toBe('completed');
    await standIn.deliver();
    expect(await balance()).toBe(1000);
  });

  test.each(['stripe', 'paypal'] as const)(
    'of %s do not arrive when a card is declined',
    async (provider) => {
      const { id, url } = await openPurchase(provider);
      await standIn.choose(url, 'decline');
      await standIn.deliver();
      expect((await purchase(id)).status).toBe('pending');
      expect(await balance()).toBe(0);
    },
  );

  test('arrive when the bank has paid, and go with a dispute', async () => {
    const { id, url } = await openPurchase('stripe');
    await standIn.choose(url, 'pay-later');
    await standIn.deliver();
    expect(await balance()).toBe(0);
    standIn.act('advance', { minutes: 2 });
    await standIn.deliver();
    expect((await purchase(id)).status).toBe('completed');
    expect(await balance()).toBe(1000);
    const intents = Object.values(standIn.world.state.stripe.paymentIntents);
    const dispute = standIn.act('dispute', { payment: intents.at(-1)?.id ?? '' })?.id ?? '';
    await standIn.deliver();
    expect(await balance()).toBe(0);
    standIn.act('close-dispute', { dispute, outcome: 'won' });
    await standIn.deliver();
    expect(await balance()).toBe(1000);
  });

  test('are right in the end however deliveries go wrong', async () => {
    standIn.act('chaos', {
      duplicatePercent: 60,
      resendUnderNewIdPercent: 60,
      dropPercent: 20,
      delaySecondsMax: 120,
      shuffle: 'yes',
    });
    onTestFinished(() => void standIn.act('chaos'));
    const ids: string[] = [];
    for (const provider of ['stripe', 'paypal', 'stripe', 'paypal'] as const) {
      const { id, url } = await openPurchase(provider);
      await standIn.choose(url, 'pay');
      ids.push(id);
    }
    await standIn.deliver();
    standIn.clock.advance({ minutes: 2 });
    await standIn.deliver();
    // What was lost is found by whoever asks.
    for (const id of ids) expect((await purchase(id)).status).toBe('completed');
    expect(await balance()).toBe(4000);
  });
});

describe('the stand-in beside the service', () => {
  const log = pino({ level: 'silent' });
  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://localhost/obol',
    OBOL_SECRET: 'a secret for tests, thirty-two characters',
    BASE_URL: 'https://obol.example.com',
  };

  test('starts where no provider is set up, keeps its state in DATA_DIR, and takes another port than one in use', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'obol-stand-in-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const config = loadConfig({ PORT: String((await freePort()) - 1), DATA_DIR: dataDir });
    const first = await startBesideService(config, log);
    const second = await startBesideService(config, log);
    expect(first?.url).toBe(`http://localhost:${config.port + 1}`);
    expect(second?.url).not.toBe(first?.url);
    expect(first?.config).toMatchObject({ stripeApiBase: first?.url, paypalApiBase: first?.url });
    await Promise.all([first?.stop(), second?.stop()]);
    expect(readFileSync(join(dataDir, 'payments-stand-in.json'), 'utf8')).toContain('BEGIN CERTIFICATE');
  });

  test('never starts in production, nor beside a provider that is set up', async () => {
    expect(await startBesideService(loadConfig(production), log)).toBeUndefined();
    const keys = { STRIPE_SECRET_KEY: 'sk_test_abc', STRIPE_WEBHOOK_SECRET: 'whsec_abc' };
    expect(await startBesideService(loadConfig(keys), log)).toBeUndefined();
  });
});
