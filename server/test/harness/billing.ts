import { randomUUID } from 'node:crypto';
import type { InvoiceFact, SubscriptionFact } from '../../src/domains/payments/facts.ts';
import type { PaymentProvider, ProviderEvent } from '../../src/domains/payments/provider.ts';
import { AppError } from '../../src/errors.ts';
import type { Answer, TestClock, TestService } from './index.ts';

type Price = { priceCents: number; currency: string; interval: 'month' | 'year' };
type Billed = {
  fact: SubscriptionFact;
  startedAt: Date;
  turns: number;
  priceId: string;
  invoices: InvoiceFact[];
};

/** A provider of subscriptions that bills by the clock of a test and tells what it does as events. */
export type Billing = {
  provider: PaymentProvider;
  /** What it has told so far and nobody has delivered. */
  outbox: ProviderEvent[];
  /** The first payment in the checkout that was opened for a subscription of ours. */
  pay(subscriptionId: string): void;
  /** Turns to the next period and bills it; the clock should be there. */
  renew(subscriptionId: string, options?: { fails?: boolean }): InvoiceFact;
  /** The bill that failed last is paid after all. */
  recover(subscriptionId: string): void;
  end(subscriptionId: string): void;
  /** When the present period ends. */
  periodEnd(subscriptionId: string): Date;
  /** What the next change at once answers, in place of being billed. */
  refuseNextChange(code: 'payments.provider_refused' | 'payments.provider_unavailable'): void;
  /** Whether checkouts can no longer be closed, since they are being paid. */
  keepCheckoutsOpen: boolean;
  calls: string[];
};

/** The turn that lies so many periods behind the first, on the last day where a month is too short. */
export function turnOf(start: Date, interval: 'month' | 'year', turns: number): Date {
  const months = start.getUTCMonth() + turns * (interval === 'year' ? 12 : 1);
  const last = new Date(Date.UTC(start.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const turn = new Date(start);
  turn.setUTCFullYear(start.getUTCFullYear(), months, Math.min(start.getUTCDate(), last));
  return turn;
}

export function createBilling(clock: TestClock): Billing {
  const prices = new Map<string, Price>();
  const checkouts = new Map<string, { priceId: string; isOpen: boolean }>();
  const billed = new Map<string, Billed>();
  const calls: string[] = [];
  const outbox: ProviderEvent[] = [];
  let refusal: 'payments.provider_refused' | 'payments.provider_unavailable' | undefined;

  const tell = (type: string, facts: ProviderEvent['facts']) => {
    outbox.push({
      id: `evt_${randomUUID()}`,
      type,
      createdAt: clock.now(),
      isLive: false,
      payload: {},
      facts,
    });
  };
  const find = (id: string): Billed => {
    const found = [...billed.values()].find(
      ({ fact }) => fact.subscriptionId === id || fact.providerSubscriptionId === id,
    );
    if (!found) throw new Error(`nothing is billed for ${id}`);
    return found;
  };
  const priceOf = (id: string): Price => prices.get(id) as Price;
  const setFact = (one: Billed, changes: Partial<SubscriptionFact>) => {
    one.fact = { ...one.fact, ...changes, asOf: clock.now().toISOString() };
    tell('customer.subscription.updated', [one.fact]);
    return one.fact;
  };
  const bill = (one: Billed, status: 'paid' | 'failed', more: Partial<InvoiceFact> = {}): InvoiceFact => {
    const { priceCents, currency } = priceOf(one.priceId);
    const invoice: InvoiceFact = {
      kind: 'invoice',
      invoiceId: `in_${randomUUID()}`,
      providerSubscriptionId: one.fact.providerSubscriptionId,
      subscriptionId: one.fact.subscriptionId,
      paymentId: status === 'paid' ? `pi_${randomUUID()}` : null,
      status,
      purpose: 'period',
      providerPriceId: one.priceId,
      amountCents: priceCents,
      currency,
      periodStart: one.fact.periodStart as string,
      periodEnd: one.fact.periodEnd as string,
      invoiceUrl: null,
      ...more,
    };
    one.invoices.push(invoice);
    tell('invoice.created', [{ ...invoice, status: 'open', paymentId: null }]);
    tell(status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', [{ ...invoice }]);
    return invoice;
  };
  /** What a dearer price costs for the rest of the period: back and forth are rounded each for itself. */
  const billDifference = (one: Billed, from: Price, to: Price) => {
    const [start, end] = [
      Date.parse(one.fact.periodStart as string),
      Date.parse(one.fact.periodEnd as string),
    ];
    const part = (end - clock.now().getTime()) / (end - start);
    const amountCents = Math.round(to.priceCents * part) - Math.round(from.priceCents * part);
    bill(one, 'paid', { purpose: 'change', amountCents, periodStart: clock.now().toISOString() });
  };

  const provider = {
    name: 'stripe',
    isLive: false,
    async ensurePrice({ planId, version, priceCents, currency, interval }) {
      const id = `price_${planId}_${version}`;
      prices.set(id, { priceCents, currency, interval });
      return id;
    },
    async openSubscription({ subscriptionId, providerPriceId, expiresAt }) {
      calls.push(`open ${subscriptionId}`);
      checkouts.set(subscriptionId, { priceId: providerPriceId, isOpen: true });
      return {
        checkoutId: `cs_${subscriptionId}`,
        url: `https://pay.example.com/${subscriptionId}`,
        expiresAt,
      };
    },
    async expireCheckout(checkoutId) {
      calls.push(`expire ${checkoutId}`);
      const checkout = checkouts.get(checkoutId.slice(3));
      if (billing.keepCheckoutsOpen) throw new AppError('payments.provider_refused');
      if (checkout) checkout.isOpen = false;
    },
    async readSubscription(id) {
      calls.push(`read ${id}`);
      return { ...find(id).fact, asOf: clock.now().toISOString() };
    },
    async changeSubscription({ providerSubscriptionId, providerPriceId, changeId, isImmediate }) {
      calls.push(`change ${changeId} ${providerPriceId} ${isImmediate}`);
      const one = find(providerSubscriptionId);
      if (isImmediate && refusal !== undefined) {
        const code = refusal;
        refusal = undefined;
        throw new AppError(code);
      }
      const before = priceOf(one.priceId);
      one.priceId = providerPriceId;
      if (isImmediate) billDifference(one, before, priceOf(providerPriceId));
      return { fact: setFact(one, { providerPriceId }), approvalUrl: null };
    },
    async cancelSubscription({ providerSubscriptionId, cancels }) {
      return setFact(find(providerSubscriptionId), { cancelsAtPeriodEnd: cancels });
    },
    async readDelivery(body) {
      const event = JSON.parse(body.toString());
      return { ...event, createdAt: new Date(event.createdAt) };
    },
  } as Partial<PaymentProvider> as PaymentProvider;

  const billing: Billing = {
    provider,
    outbox,
    calls,
    keepCheckoutsOpen: false,
    pay(subscriptionId) {
      const checkout = checkouts.get(subscriptionId);
      if (!checkout?.isOpen) throw new Error('there is no such checkout');
      checkout.isOpen = false;
      const startedAt = clock.now();
      const { interval } = priceOf(checkout.priceId);
      const fact: SubscriptionFact = {
        kind: 'subscription',
        providerSubscriptionId: `sub_${subscriptionId}`,
        subscriptionId,
        status: 'incomplete',
        providerPriceId: checkout.priceId,
        periodStart: startedAt.toISOString(),
        periodEnd: turnOf(startedAt, interval, 1).toISOString(),
        cancelsAtPeriodEnd: false,
        customerId: `cus_${subscriptionId}`,
        asOf: startedAt.toISOString(),
      };
      const one: Billed = { fact, startedAt, turns: 1, priceId: checkout.priceId, invoices: [] };
      billed.set(subscriptionId, one);
      tell('customer.subscription.created', [fact]);
      setFact(one, { status: 'active' });
      bill(one, 'paid');
    },
    renew(subscriptionId, { fails = false } = {}) {
      const one = find(subscriptionId);
      const { interval } = priceOf(one.priceId);
      const [start, end] = [one.turns, one.turns + 1].map((turns) => turnOf(one.startedAt, interval, turns));
      one.turns++;
      setFact(one, { periodStart: start?.toISOString() ?? null, periodEnd: end?.toISOString() ?? null });
      const invoice = bill(one, fails ? 'failed' : 'paid');
      if (fails) setFact(one, { status: 'past_due' });
      return invoice;
    },
    recover(subscriptionId) {
      const one = find(subscriptionId);
      const invoice = one.invoices.findLast(({ status }) => status === 'failed');
      if (!invoice) throw new Error('nothing has failed');
      Object.assign(invoice, { status: 'paid', paymentId: `pi_${randomUUID()}` });
      setFact(one, { status: 'active' });
      tell('invoice.paid', [{ ...invoice }]);
    },
    end(subscriptionId) {
      setFact(find(subscriptionId), { status: 'ended', cancelsAtPeriodEnd: false });
    },
    periodEnd: (subscriptionId) => new Date(find(subscriptionId).fact.periodEnd as string),
    refuseNextChange(code) {
      refusal = code;
    },
  };
  return billing;
}

/** Delivers an event as the provider would. */
export function deliver(service: TestService, event: ProviderEvent): Promise<Answer> {
  return service.send('POST', '/api/v1/webhooks/stripe', { body: event });
}

/** Delivers all that has been told, in the order given by `arrange`; by default as told. Each must be taken. */
export async function deliverAll(
  service: TestService,
  billing: Billing,
  arrange: (events: ProviderEvent[]) => ProviderEvent[] = (events) => events,
): Promise<void> {
  for (const event of arrange(billing.outbox.splice(0))) {
    const { status } = await deliver(service, event);
    if (status >= 300) throw new Error(`event ${event.type} was answered with ${status}`);
  }
}

/** A shuffler of lists that gives the same orders again for the same seed; each is delivered up to thrice. */
export function createShuffler(seed: number): <Item>(items: Item[]) => Item[] {
  let state = seed;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  return (items) => {
    const many = items.flatMap((item) => Array.from({ length: 1 + next(3) }, () => item));
    for (let place = many.length - 1; place > 0; place--) {
      const other = next(place + 1);
      [many[place], many[other]] = [many[other] as (typeof many)[0], many[place] as (typeof many)[0]];
    }
    return many;
  };
}
