import { afterEach, beforeEach, expect } from 'vitest';
import { startTestService } from './index.ts';
import { expectSound, post, readOwn } from './movements.ts';
import { createTestProvider, deliver } from './payments.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from './wallets.ts';

/** A service that sells credits through providers of tests. Each test has a holder of its own in `desk`. */
export async function openShop() {
  const provider = createTestProvider();
  const service = await startTestService({
    env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
    paymentProviders: [provider, createTestProvider('paypal')],
  });
  const owner = await connectAsOwner(service);
  const desk: { holder: WalletHolder } = { holder: await addWalletHolder(service) };
  beforeEach(async () => {
    desk.holder = await addWalletHolder(service);
    provider.calls.length = 0;
    provider.failures.clear();
  });
  afterEach(() => expectSound(service));

  const buy = (body: Record<string, unknown> = { packageId: 'standard' }) =>
    post(service, desk.holder, 'purchase', body);
  const begin = async (packageId = 'standard') => {
    const { status, body } = await buy({ packageId });
    expect(status).toBe(200);
    return {
      id: body.purchaseId as string,
      checkoutId: `cs_${body.purchaseId}`,
      paymentId: `pi_cs_${body.purchaseId}`,
    };
  };
  const balance = () => readOwn(service, desk.holder, 'balance');
  const purchase = (id: string) => readOwn(service, desk.holder, `purchase/${id}`);
  const tell = async (...facts: Parameters<typeof provider.sign>[0]) => {
    const answer = await deliver(service, provider, provider.sign(facts));
    expect(answer).toMatchObject({ status: 200, body: { received: true } });
  };
  return { provider, service, owner, desk, buy, begin, balance, purchase, tell };
}
