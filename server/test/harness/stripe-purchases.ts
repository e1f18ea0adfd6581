import { expect } from 'vitest';
import type { Answer, TestService } from './index.ts';
import { post } from './movements.ts';
import type { startPaymentStandIn } from './payment-stand-in.ts';
import type { WalletHolder } from './wallets.ts';

type StripeStandIn = Awaited<ReturnType<typeof startPaymentStandIn>>;
export type Opened = { purchaseId: string; checkoutUrl: string; checkoutId: string };

/** Begins a purchase with Stripe's stand-in. */
export async function beginPurchase(
  service: TestService,
  holder: WalletHolder,
  body: Record<string, unknown> = {},
): Promise<Opened> {
  const asked = { packageId: 'standard', provider: 'stripe', ...body };
  const { status, body: opened } = await post(service, holder, 'purchase', asked);
  expect(status).toBe(200);
  const checkoutId = new URL(opened.checkoutUrl).pathname.split('/').at(-1) ?? '';
  return { ...opened, checkoutId };
}

/** Presses a button on the page of a checkout. */
export async function pressOn({ checkoutUrl }: Opened, choice: string): Promise<void> {
  const body = new URLSearchParams({ choice });
  const { status } = await fetch(checkoutUrl, { method: 'POST', body, redirect: 'manual' });
  expect([303, 402]).toContain(status);
}

/** Buys a pack, and has Stripe tell of it. */
export async function buyPack(
  { service, standIn }: { service: TestService; standIn: StripeStandIn },
  holder: WalletHolder,
  body: Record<string, unknown> = {},
): Promise<Opened> {
  const opened = await beginPurchase(service, holder, body);
  await pressOn(opened, 'pay');
  await standIn.deliver();
  return opened;
}

/** Sends a body to the webhook of Stripe, as it is. */
export async function sendToStripeWebhook(
  service: TestService,
  body: string,
  signature?: string,
): Promise<Answer> {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    ...(signature === undefined ? {} : { 'stripe-signature': signature }),
  };
  const response = await fetch(`${service.url}/api/v1/webhooks/stripe`, { method: 'POST', body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
