import { createHmac, randomUUID } from 'node:crypto';
import type { Fact, MayCapture, PaymentProvider, ProviderName } from '../../src/domains/payments/index.ts';
import { AppError } from '../../src/errors.ts';
import type { Answer, TestService } from './index.ts';

type CheckoutFact = Extract<Fact, { kind: 'checkout' }>;

/**
 * A payment provider whose checkouts a test settles by hand. It speaks facts: an event says them as they are,
 * signed by a header.
 */
export type TestProvider = PaymentProvider & {
  /** The checkouts that were opened, by id. */
  checkouts: Map<string, CheckoutFact>;
  /** Calls so far, by name. */
  calls: string[];
  /** What the next calls of this name throw instead of answering. */
  failures: Map<string, AppError>;
  /** A delivery of an event that says these facts, ready to be sent. */
  sign(facts: Fact[], event?: Partial<TestEvent>): SignedDelivery;
};

export type TestEvent = { id: string; type: string; createdAt: string; isLive: boolean; payload: unknown };
export type SignedDelivery = { body: string; headers: Record<string, string> };

const secret = 'a secret of the test provider';
const signatureOf = (body: string) => createHmac('sha256', secret).update(body).digest('hex');

const unused = () => Promise.reject(new AppError('payments.not_supported'));
const unsupported = {
  changesAtOnce: true,
  refund: unused,
  ensurePrice: unused,
  openSubscription: unused,
  readSubscription: unused,
  readSubscriptionCheckout: unused,
  changeSubscription: unused,
  cancelSubscription: unused,
  openPortal: unused,
  chargeSavedCard: unused,
  async *listFacts() {},
};

const always: MayCapture = async () => true;

/** A provider that captures whatever is approved, where a test does not say otherwise. */
export function capturingAll(provider: PaymentProvider) {
  return {
    ...provider,
    readCheckout: (checkoutId: string, mayCapture = always) => provider.readCheckout(checkoutId, mayCapture),
    readDelivery: (body: Buffer, headers: Record<string, string | undefined>, mayCapture = always) =>
      provider.readDelivery(body, headers, mayCapture),
  };
}

/** Makes one; it names itself like a real one. */
export function createTestProvider(name: ProviderName = 'stripe', isLive = false): TestProvider {
  const checkouts = new Map<string, CheckoutFact>();
  const calls: string[] = [];
  const failures = new Map<string, AppError>();
  const call = (which: string) => {
    calls.push(which);
    const failure = failures.get(which);
    if (failure) throw failure;
  };
  return {
    name,
    isLive,
    checkouts,
    calls,
    failures,
    sign(facts, event = {}) {
      const common = { type: 'test.event', createdAt: '2026-03-01T12:00:00.000Z', isLive };
      const body = JSON.stringify({ id: `evt_${randomUUID()}`, ...common, ...event, facts });
      return { body, headers: { 'content-type': 'application/json', 'x-signature': signatureOf(body) } };
    },
    async openCheckout({ purchaseId, amountCents, currency, expiresAt }) {
      const checkoutId = `cs_${purchaseId}`;
      checkouts.set(
        checkoutId,
        checkouts.get(checkoutId) ?? {
          kind: 'checkout',
          checkoutId,
          purchaseId,
          paymentId: null,
          status: 'open',
          amountCents,
          currency,
          customerId: null,
        },
      );
      call('openCheckout');
      return { checkoutId, url: `https://pay.example.com/${checkoutId}`, expiresAt };
    },
    async readCheckout(checkoutId) {
      call('readCheckout');
      return checkouts.get(checkoutId) ?? null;
    },
    async expireCheckout(checkoutId) {
      call('expireCheckout');
      const checkout = checkouts.get(checkoutId);
      if (checkout?.status !== 'open') throw new AppError('payments.provider_refused');
      checkouts.set(checkoutId, { ...checkout, status: 'expired' });
    },
    async readDelivery(body, headers) {
      const text = body.toString('utf8');
      if (headers['x-signature'] !== signatureOf(text)) throw new AppError('payments.signature_invalid');
      const { createdAt, payload, ...event } = JSON.parse(text);
      if (event.isLive !== isLive) throw new AppError('payments.wrong_mode');
      return { ...event, createdAt: new Date(createdAt), payload: payload ?? JSON.parse(text) };
    },
    ...unsupported,
  };
}

/** Sends a delivery as the provider would. */
export async function deliver(
  service: TestService,
  provider: TestProvider,
  { body, headers }: SignedDelivery,
): Promise<Answer> {
  const url = `${service.url}/api/v1/webhooks/${provider.name}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Pays a checkout at the provider; the fact says so. */
export function pay(
  provider: TestProvider,
  checkoutId: string,
  more: Partial<CheckoutFact> = {},
): CheckoutFact {
  const checkout = provider.checkouts.get(checkoutId);
  if (!checkout) throw new Error(`no checkout ${checkoutId}`);
  const paid: CheckoutFact = { ...checkout, status: 'paid', paymentId: `pi_${checkoutId}`, ...more };
  provider.checkouts.set(checkoutId, paid);
  return paid;
}

type Extra = { currency?: string; refundRequestId?: string | null };

/** What a provider says of a refund of a payment. */
export const refundOf = (
  paymentId: string,
  amountCents: number,
  status: 'pending' | 'succeeded' | 'failed' = 'succeeded',
  {
    currency = 'EUR',
    refundRequestId = null,
    refundId = `re_${paymentId}`,
  }: Extra & { refundId?: string } = {},
): Fact => ({ kind: 'refund', refundId, paymentId, refundRequestId, status, amountCents, currency });

/** What a provider says of a dispute about a payment. */
export const disputeOf = (
  paymentId: string,
  amountCents: number,
  status: 'open' | 'lost' | 'won' = 'open',
  { currency = 'EUR' }: Extra = {},
): Fact => ({ kind: 'dispute', disputeId: `dp_${paymentId}`, paymentId, status, amountCents, currency });
