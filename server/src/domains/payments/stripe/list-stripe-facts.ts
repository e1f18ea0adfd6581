import type { Stripe } from 'stripe';
import type { Clock } from '../../../ctx.ts';
import { epochSeconds } from '../../../lib/exact.ts';
import type { Fact } from '../fact.ts';
import { askStripe } from './ask-stripe.ts';
import { toCheckoutFact, toSavedCardFact } from './to-checkout-fact.ts';
import { toDisputeFact } from './to-dispute-fact.ts';
import { toFraudWarningFact } from './to-fraud-warning-fact.ts';
import { toRefundFact } from './to-refund-fact.ts';
import { toInvoiceFact } from './to-invoice-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

const daySeconds = 86_400;
const pageSize = 100;

/**
 * Stripe lists things by when they were made, while what counts is when they changed last: a payment by
 * bank transfer may take two weeks, a bill is collected for as long, a dispute is open for months. So each
 * list begins earlier.
 */
const lookBackDays = { payments: 15, invoices: 45, refunds: 60, disputes: 180, warnings: 1 };

type PageParams = { limit: number; starting_after?: string; created?: { gte: number } };
type Page<T> = { data: T[]; has_more: boolean };

/**
 * How everything about money stands at Stripe that may have changed since then: list by list, each newest
 * first, a page at a time. Subscriptions are listed whole.
 */
export async function* listStripeFacts(
  stripe: Stripe,
  clock: Clock,
  since: Date,
): AsyncGenerator<Fact[], void, undefined> {
  const from = (days: number) => ({ gte: Math.max(0, epochSeconds(since) - days * daySeconds) });
  const payments = from(lookBackDays.payments);
  yield* pages((page) => stripe.checkout.sessions.list({ ...page, created: payments, expand }), toSession);
  yield* pages((page) => stripe.paymentIntents.list({ ...page, created: payments }), toSavedCardFact);
  yield* pages(
    (page) => stripe.subscriptions.list({ ...page, status: 'all' }),
    (subscription) => toSubscriptionFact(subscription, clock.now()),
  );
  yield* pages(
    (page) =>
      stripe.invoices.list({ ...page, created: from(lookBackDays.invoices), expand: ['data.payments'] }),
    (invoice) => toInvoiceFact(invoice),
  );
  yield* pages((page) => stripe.refunds.list({ ...page, created: from(lookBackDays.refunds) }), toRefundFact);
  yield* pages(
    (page) => stripe.disputes.list({ ...page, created: from(lookBackDays.disputes) }),
    toDisputeFact,
  );
  yield* pages(
    (page) => stripe.radar.earlyFraudWarnings.list({ ...page, created: from(lookBackDays.warnings) }),
    toFraudWarningFact,
  );
}

/** The payment says whether a delayed one has failed. */
const expand = ['data.payment_intent'];

const toSession = (session: Stripe.Checkout.Session): Fact | null => toCheckoutFact(session);

async function* pages<T extends { id: string }>(
  list: (page: PageParams) => Promise<Page<T>>,
  read: (object: T) => Fact | null,
): AsyncGenerator<Fact[], void, undefined> {
  let after: string | undefined;
  do {
    const page = await askStripe(() =>
      list({ limit: pageSize, ...(after === undefined ? {} : { starting_after: after }) }),
    );
    const facts = page.data.map(read).filter((fact) => fact !== null);
    if (facts.length > 0) yield facts;
    after = page.has_more ? page.data.at(-1)?.id : undefined;
  } while (after !== undefined);
}
