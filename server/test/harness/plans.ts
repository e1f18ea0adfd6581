import { expect } from 'vitest';
import { type Billing, createBilling, deliverAll, pay } from './billing.ts';
import { createTestClock, startTestService, type Answer, type TestService } from './index.ts';
import { addAdministrator, readOwn } from './movements.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

export const plansPath = '/api/v1/payments/plans';
const subscriptionPath = '/api/v1/payments/subscription';

/** A service whose wallets hold nothing but what is paid for, with a provider that bills by its clock. */
export async function startBilledService(
  startAt: string,
): Promise<{ service: TestService; billing: Billing; admin: WalletHolder }> {
  const clock = createTestClock(startAt);
  const billing = createBilling(clock);
  const service = await startTestService({
    clock,
    env: { CREDITS_SIGNUP_BONUS: '0', CREDITS_DAILY_FREE: '0', CREDITS_DAILY_CAP: '0' },
    paymentProviders: [billing.provider],
  });
  return { service, billing, admin: await addAdministrator(service) };
}

/** Makes a plan of 1000 credits a month for EUR 10.00, unless said otherwise. */
export async function makePlan(
  service: TestService,
  admin: WalletHolder,
  id: string,
  more: Record<string, unknown> = {},
): Promise<any> {
  const terms = { name: id, priceCents: 1000, currency: 'EUR', interval: 'month', credits: 1000, ...more };
  const answer = await service.send('POST', plansPath, { token: admin.token, body: { id, ...terms } });
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

export type Subscriber = WalletHolder & { subscriptionId: string };

/** Asks about the subscription of a person, or has something done to it. */
export function ask(
  service: TestService,
  holder: WalletHolder,
  method: string,
  body?: unknown,
  path = '',
): Promise<Answer> {
  return service.send(method, `${subscriptionPath}${path}`, {
    token: holder.token,
    ...(body === undefined ? {} : { body }),
  });
}

/** A person who has subscribed to a plan, and paid. */
export async function subscribe(
  service: TestService,
  billing: Billing,
  planId: string,
  holder?: WalletHolder,
): Promise<Subscriber> {
  const person = holder ?? (await addWalletHolder(service));
  const { status, body } = await ask(service, person, 'POST', { planId });
  expect(status).toBe(201);
  pay(billing, body.subscriptionId);
  await deliverAll(service, billing);
  return { ...person, subscriptionId: body.subscriptionId };
}

/** Credits that the person has paid for. */
export async function paidCredits(service: TestService, holder: WalletHolder): Promise<number> {
  return (await readOwn(service, holder, 'balance')).balance;
}

/** How many purchases of the person are completed, and the credits of all of them. */
export async function countPurchases(
  service: TestService,
  holder: WalletHolder,
): Promise<{ completed: number; credits: number }> {
  const purchases: any[] = await readOwn(service, holder, 'purchases');
  const completed = purchases.filter(({ status }) => status === 'completed');
  return { completed: completed.length, credits: completed.reduce((sum, { credits }) => sum + credits, 0) };
}
