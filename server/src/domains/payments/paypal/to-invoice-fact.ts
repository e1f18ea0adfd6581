import type { InvoiceFact } from '../fact.ts';
import { endOfPeriod } from './billing-plans.ts';
import { JsonError, readOptionalText, readText, readTime, toOwnId, type Json } from './json.ts';
import { readMoney } from './money.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';

const statuses: Record<string, InvoiceFact['status']> = {
  PENDING: 'open',
  DENIED: 'failed',
  COMPLETED: 'paid',
  PARTIALLY_REFUNDED: 'paid',
  REFUNDED: 'paid',
  REVERSED: 'paid',
};

/**
 * The bill of one period, from the payment that PayPal tells of (a sale, Payments v1): null when it is for
 * no subscription. PayPal writes no bills and names neither plan nor period, so both are asked for: the
 * period begins with the payment and is as long as the plan says. Throws JsonError, and what reading
 * subscription and plan throws.
 */
export async function toInvoiceFact(connection: PaypalConnection, sale: Json): Promise<InvoiceFact | null> {
  const providerSubscriptionId = readOptionalText(sale, 'billing_agreement_id');
  if (providerSubscriptionId === null) return null;
  const status = statuses[readText(sale, 'state').toUpperCase()];
  if (status === undefined) throw new JsonError('state is unknown');
  const paymentId = readText(sale, 'id');
  const money = readMoney(sale, 'amount');
  const start = readTime(sale, 'create_time');
  return billPeriod(connection, { providerSubscriptionId, paymentId, status, money, start });
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
  const { providerSubscriptionId, paymentId, status, money, start } = payment;
  const path = `/v1/billing/subscriptions/${encodeURIComponent(providerSubscriptionId)}`;
  const answer = await connection.client.call('GET', path);
  // Billing agreements of the time before subscriptions have ids of the same kind, and are none of ours.
  if (answer.status === 404) return null;
  const { planId, customId } = await readAnswer(() => {
    const subscription = expectBody(answer);
    return {
      planId: readText(subscription, 'plan_id'),
      customId: readOptionalText(subscription, 'custom_id'),
    };
  });
  return {
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
}
