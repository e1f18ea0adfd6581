import type { Fact, InvoiceFact } from '../fact.ts';
import { endOfPeriod } from './billing-plans.ts';
import { JsonError, readOptionalText, readText, readTime, toOwnId, type Json } from './json.ts';
import { readMoney } from './money.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

const statuses: Record<string, InvoiceFact['status']> = {
  PENDING: 'open',
  DENIED: 'failed',
  COMPLETED: 'paid',
  PARTIALLY_REFUNDED: 'paid',
  REFUNDED: 'paid',
  REVERSED: 'paid',
};

/**
 * The bill of one period, from the payment that PayPal tells of (a sale, Payments v1), and once it is paid
 * how its subscription stands; nothing when it is for none. PayPal writes no bills and names neither plan nor
 * period, so both are asked for: the period begins with the payment and is as long as the plan says. Throws
 * JsonError, and what reading subscription and plan throws.
 */
export async function readSaleFacts(connection: PaypalConnection, sale: Json): Promise<Fact[]> {
  const providerSubscriptionId = readOptionalText(sale, 'billing_agreement_id');
  if (providerSubscriptionId === null) return [];
  const status = statuses[readText(sale, 'state').toUpperCase()];
  if (status === undefined) throw new JsonError('state is unknown');
  const paymentId = readText(sale, 'id');
  const money = readMoney(sale, 'amount');
  const start = readTime(sale, 'create_time');
  const payment = { providerSubscriptionId, paymentId, status, money, start };
  const read = await readPeriod(connection, payment);
  if (read === null) return [];
  if (status !== 'paid') return [read.bill];
  // PayPal does not always tell that one goes on whose payment had failed.
  const toldAt = connection.clock.now();
  const { subscription } = read;
  const fact = await readAnswer(() => toSubscriptionFact(connection, { subscription, toldAt }));
  return fact === null ? [read.bill] : [fact, read.bill];
}

type Payment = {
  providerSubscriptionId: string;
  paymentId: string;
  status: InvoiceFact['status'];
  money: { amountCents: number; currency: string };
  start: Date;
};

/**
 * The bill of the period that a payment for a subscription begins. Throws what reading subscription and
 * plan throws.
 */
export async function billPeriod(
  connection: PaypalConnection,
  payment: Payment,
): Promise<InvoiceFact | null> {
  return (await readPeriod(connection, payment))?.bill ?? null;
}

/** The bill, and the subscription as PayPal answers with it; null when PayPal knows none such. */
async function readPeriod(
  connection: PaypalConnection,
  payment: Payment,
): Promise<{ bill: InvoiceFact; subscription: Json } | null> {
  const { providerSubscriptionId, paymentId, status, money, start } = payment;
  const path = `/v1/billing/subscriptions/${encodeURIComponent(providerSubscriptionId)}`;
  const answer = await connection.client.call('GET', path);
  // Billing agreements of the time before subscriptions have ids of the same kind, and are none of ours.
  if (answer.status === 404) return null;
  const { subscription, planId, customId } = await readAnswer(() => {
    const body = expectBody(answer);
    return {
      subscription: body,
      planId: readText(body, 'plan_id'),
      customId: readOptionalText(body, 'custom_id'),
    };
  });
  const bill: InvoiceFact = {
    kind: 'invoice',
    invoiceId: paymentId,
    providerSubscriptionId,
    subscriptionId: toOwnId(customId),
    paymentId,
    status,
    purpose: 'period',
    providerPriceId: planId,
    ...money,
    periodStart: start.toISOString(),
    periodEnd: endOfPeriod(start, await connection.plans.intervalOf(connection, planId)).toISOString(),
    invoiceUrl: null,
  };
  return { bill, subscription };
}
