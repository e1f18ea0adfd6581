import { randomUUID } from 'node:crypto';
import type { Fact, PaymentProvider, ProviderEvent } from '../../src/domains/payments/index.ts';
import { AppError } from '../../src/errors.ts';
import type { Answer, TestClock, TestService } from './index.ts';

type SubscriptionFact = Extract<Fact, { kind: 'subscription' }>;
type InvoiceFact = Extract<Fact, { kind: 'invoice' }>;
type Price = { priceCents: number; currency: string; interval: 'month' | 'year' };
type Billed = {
  fact: SubscriptionFact;
  startedAt: Date;
  turns: number;
  priceId: string;
  invoices: InvoiceFact[];
};

/** What the provider knows. */
type Books = {
  isLive: boolean;
  clock: TestClock;
  prices: Map<string, Price>;
  checkouts: Map<string, { priceId: string; isOpen: boolean }>;
  billed: Billed[];
  /** What it has told so far and nobody has delivered. */
  outbox: ProviderEvent[];
  /** What it was asked for. */
  calls: string[];
  /** What the next change at once answers, in place of being billed. */
  refusal: 'payments.provider_refused' | 'payments.provider_unavailable' | null;
  /** Whether checkouts can no longer be closed, since they are being paid. */
  keepsCheckoutsOpen: boolean;
};

/** A provider of subscriptions that bills by the clock of a test and tells what it does as events. */
export type Billing = Books & { provider: PaymentProvider };

/** The turn that lies so many periods behind the first, on the last day where a month is too short. */
export function turnOf(start: Date, interval: 'month' | 'year', turns: number): Date {
  const months = start.getUTCMonth() + turns * (interval === 'year' ? 12 : 1);
  const last = new Date(Date.UTC(start.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const turn = new Date(start);
  turn.setUTCFullYear(start.getUTCFullYear(), months, Math.min(start.getUTCDate(), last));
  return turn;
}

export function createBilling(clock: TestClock, isLive = false): Billing {
  const books: Books = {
    isLive,
    clock,
    prices: new Map(),
    checkouts: new Map(),
    billed: [],
    outbox: [],
    calls: [],
    refusal: null,
    keepsCheckoutsOpen: false,
  };
  return Object.assign(books, { provider: createProvider(books) });
}

/** The calls that subscriptions need; the others are left out. */
function createProvider(books: Books): PaymentProvider {
  const provider: Partial<PaymentProvider> = {
    name: 'stripe',
    isLive: books.isLive,
    changesAtOnce: true,
    async ensurePrice({ planId, version, priceCents, currency, interval }) {
      const id = `price_${books.isLive ? 'live_' : ''}${planId}_${version}`;
      books.prices.set(id, { priceCents, currency, interval });
      return id;
    },
    async openSubscription({ subscriptionId, providerPriceId, expiresAt }) {
      books.checkouts.set(subscriptionId, { priceId: providerPriceId, isOpen: true });
      return {
        checkoutId: `cs_${subscriptionId}`,
        url: `https://pay.example.com/${subscriptionId}`,
        expiresAt,
      };
    },
    async expireCheckout(checkoutId) {
      books.calls.push(`expire ${checkoutId}`);
      if (books.keepsCheckoutsOpen) throw new AppError('payments.provider_refused');
      const checkout = books.checkouts.get(checkoutId.slice(3));
      if (checkout) checkout.isOpen = false;
    },
    async readSubscriptionCheckout(checkoutId) {
      const id = checkoutId.slice(3);
      const one = books.billed.find(({ fact }) => fact.subscriptionId === id);
      if (one) return [one.fact, ...one.invoices];
      return books.checkouts.get(id)?.isOpen ? [] : null;
    },
    async readSubscription(id) {
      books.calls.push(`read ${id}`);
      const { fact } = find(books, id);
      return { ...fact, asOf: asOfAfter(books, fact.asOf) };
    },
    async changeSubscription(order) {
      books.calls.push(`change ${order.changeId} ${order.providerPriceId}`);
      return { fact: changePrice(books, order), approvalUrl: null };
    },
    async cancelSubscription({ providerSubscriptionId, cancels, isAtOnce = false }) {
      const one = find(books, providerSubscriptionId);
      if (isAtOnce) return one.fact.status === 'ended' ? one.fact : endNow(books, one);
      if (one.fact.status === 'ended') throw new AppError('payments.provider_refused');
      return setFact(books, one, { cancelsAtPeriodEnd: cancels });
    },
    async readDelivery(body) {
      const event = JSON.parse(body.toString());
      return { ...event, createdAt: new Date(event.createdAt) };
    },
  };
  return provider as PaymentProvider;
}

function changePrice(books: Books, order: Parameters<PaymentProvider['changeSubscription']>[0]) {
  const one = find(books, order.providerSubscriptionId);
  if (![order.expectedPriceId, order.providerPriceId].includes(one.priceId))
    throw new AppError('payments.subscription_state');
  if (order.isImmediate && books.refusal !== null) {
    const code = books.refusal;
    books.refusal = null;
    throw new AppError(code);
  }
  const before = priceOf(books, one.priceId);
  one.priceId = order.providerPriceId;
  if (order.isImmediate) billDifference(books, one, before);
  return setFact(books, one, { providerPriceId: order.providerPriceId });
}

function tell(books: Books, type: string, facts: Fact[]): void {
  const createdAt = books.clock.now();
  books.outbox.push({ id: `evt_${randomUUID()}`, type, createdAt, isLive: books.isLive, payload: {}, facts });
}

function find(books: Books, id: string): Billed {
  const found = books.billed.find(
    ({ fact }) => fact.subscriptionId === id || fact.providerSubscriptionId === id,
  );
  if (!found) throw new Error(`nothing is billed for ${id}`);
  return found;
}

function priceOf(books: Books, id: string): Price {
  const price = books.prices.get(id);
  if (!price) throw new Error(`there is no price ${id}`);
  return price;
}

/** No two states of a subscription are of one instant. */
function asOfAfter({ clock }: Books, before: string): string {
  return new Date(Math.max(clock.now().getTime(), Date.parse(before) + 1)).toISOString();
}

function setFact(books: Books, one: Billed, changes: Partial<SubscriptionFact>): SubscriptionFact {
  one.fact = { ...one.fact, ...changes, asOf: asOfAfter(books, one.fact.asOf) };
  tell(books, 'customer.subscription.updated', [one.fact]);
  return one.fact;
}

/** Bills the present period, or what `more` says. */
function bill(
  books: Books,
  one: Billed,
  status: 'paid' | 'failed',
  more: Partial<InvoiceFact> = {},
): InvoiceFact {
  const { priceCents, currency } = priceOf(books, one.priceId);
  const { providerSubscriptionId, subscriptionId, periodStart, periodEnd } = one.fact;
  if (periodStart === null || periodEnd === null) throw new Error('there is no period');
  const invoice: InvoiceFact = {
    kind: 'invoice',
    invoiceId: `in_${randomUUID()}`,
    providerSubscriptionId,
    subscriptionId,
    paymentId: status === 'paid' ? `pi_${randomUUID()}` : null,
    status,
    purpose: 'period',
    providerPriceId: one.priceId,
    amountCents: priceCents,
    currency,
    periodStart,
    periodEnd,
    invoiceUrl: null,
    ...more,
  };
  one.invoices.push(invoice);
  tell(books, 'invoice.created', [{ ...invoice, status: 'open', paymentId: null }]);
  tell(books, status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', [{ ...invoice }]);
  return invoice;
}

/** What a dearer price costs for the rest of the period: back and forth are rounded each for itself. */
function billDifference(books: Books, one: Billed, before: Price): void {
  const [start, end] = [one.fact.periodStart ?? '', one.fact.periodEnd ?? ''].map(Date.parse) as [
    number,
    number,
  ];
  const part = (end - books.clock.now().getTime()) / (end - start);
  const { priceCents } = priceOf(books, one.priceId);
  const amountCents = Math.round(priceCents * part) - Math.round(before.priceCents * part);
  const periodStart = books.clock.now().toISOString();
  bill(books, one, 'paid', { purpose: 'change', amountCents, periodStart });
}

/** The first payment, in the checkout that was opened for a subscription of ours. */
export function pay(books: Billing, subscriptionId: string): void {
  const checkout = books.checkouts.get(subscriptionId);
  if (!checkout?.isOpen) throw new Error('there is no such checkout');
  checkout.isOpen = false;
  const startedAt = books.clock.now();
  const { priceId } = checkout;
  const fact: SubscriptionFact = {
    kind: 'subscription',
    providerSubscriptionId: `sub_${subscriptionId}`,
    subscriptionId,
    status: 'incomplete',
    providerPriceId: priceId,
    periodStart: startedAt.toISOString(),
    periodEnd: turnOf(startedAt, priceOf(books, priceId).interval, 1).toISOString(),
    cancelsAtPeriodEnd: false,
    customerId: `cus_${subscriptionId}`,
    asOf: startedAt.toISOString(),
  };
  const one: Billed = { fact, startedAt, turns: 1, priceId, invoices: [] };
  books.billed.push(one);
  tell(books, 'customer.subscription.created', [fact]);
  setFact(books, one, { status: 'active' });
  bill(books, one, 'paid');
}

/** Turns to the next period and bills it; the clock should be there. */
export function renew(books: Billing, subscriptionId: string, { fails = false } = {}): InvoiceFact {
  const one = find(books, subscriptionId);
  const { interval } = priceOf(books, one.priceId);
  const periodStart = turnOf(one.startedAt, interval, one.turns).toISOString();
  one.turns++;
  setFact(books, one, { periodStart, periodEnd: turnOf(one.startedAt, interval, one.turns).toISOString() });
  const invoice = bill(books, one, fails ? 'failed' : 'paid');
  if (fails) setFact(books, one, { status: 'past_due' });
  return invoice;
}

/** The bill that failed last is paid after all. */
export function recover(books: Billing, subscriptionId: string): void {
  const one = find(books, subscriptionId);
  const invoice = one.invoices.findLast(({ status }) => status === 'failed');
  if (!invoice) throw new Error('nothing has failed');
  Object.assign(invoice, { status: 'paid', paymentId: `pi_${randomUUID()}` });
  setFact(books, one, { status: 'active' });
  tell(books, 'invoice.paid', [{ ...invoice }]);
}

/** The subscription ends now. */
export function end(books: Billing, subscriptionId: string): void {
  endNow(books, find(books, subscriptionId));
}

function endNow(books: Books, one: Billed): SubscriptionFact {
  return setFact(books, one, { status: 'ended', cancelsAtPeriodEnd: false });
}

/** Delivers an event as the provider would. */
export function deliver(service: TestService, event: ProviderEvent): Promise<Answer> {
  return service.send('POST', '/api/v1/webhooks/stripe', { body: event });
}

/** Delivers all that has been told, as `arrange` puts it; by default as told. Each must be taken. */
export async function deliverAll(
  service: TestService,
  billing: Billing,
  arrange: (events: ProviderEvent[]) => ProviderEvent[] = (events) => events,
): Promise<void> {
  for (const event of arrange(billing.outbox.splice(0))) {
    const { status } = await deliver(service, event);
    if (status >= 300) throw new Error(`event ${event.type} was answered ${status}`);
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
