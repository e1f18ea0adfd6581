import type { InvoiceFact } from '../fact.ts';
import { readOwnId, readReference, toIsoTime } from './metadata.ts';
import type { StripeInvoice, StripeInvoiceLine, StripeInvoicePayment, StripeReference } from './shapes.ts';
import { fromStripeAmount } from './stripe-amounts.ts';

const invoiceStatuses: Record<string, InvoiceFact['status']> = {
  draft: 'open',
  open: 'open',
  uncollectible: 'failed',
  void: 'void',
  paid: 'paid',
};

/**
 * A bill of a subscription; null for bills of anything else. The period is that of the line which bills a
 * whole one (the bounds of the invoice itself are those of the period before), or else of the line for the
 * rest of one. `hasFailed`: an attempt to collect it came to nothing, which the invoice itself does not
 * say.
 */
export function toInvoiceFact(invoice: StripeInvoice, hasFailed = false): InvoiceFact | null {
  const details = invoice.parent?.subscription_details;
  const status = invoiceStatuses[invoice.status ?? ''];
  const line = findLine(invoice.lines.data);
  const providerPriceId = priceOf(line);
  if (!details || status === undefined || line === undefined || providerPriceId === null) return null;
  return {
    kind: 'invoice',
    invoiceId: invoice.id,
    providerSubscriptionId: readReference(details.subscription) ?? '',
    subscriptionId: readOwnId(details.metadata, 'subscriptionId'),
    paymentId: findPaymentId(invoice.payments?.data ?? []),
    status: hasFailed && status === 'open' ? 'failed' : status,
    purpose: isProration(line) ? 'change' : 'period',
    providerPriceId,
    amountCents: fromStripeAmount(invoice.total - taxOnTop(invoice), invoice.currency),
    totalCents: fromStripeAmount(invoice.total, invoice.currency),
    currency: invoice.currency.toUpperCase(),
    periodStart: toIsoTime(line.period.start),
    periodEnd: toIsoTime(line.period.end),
    invoiceUrl: invoice.hosted_invoice_url ?? null,
  };
}

/** What paid a bill; null as long as nothing has, or when Stripe did not say it along with the bill. */
export function findPaymentId(payments: StripeInvoicePayment[]): string | null {
  const paid = payments.find(({ status }) => status === 'paid');
  return readReference(paid?.payment.payment_intent) ?? readReference(paid?.payment.charge);
}

/** The line that bills a whole period, else the one that bills the rest of one. */
function findLine(lines: StripeInvoiceLine[]): StripeInvoiceLine | undefined {
  const ofSubscription = lines.filter(
    ({ parent }) => parent?.subscription_item_details || parent?.invoice_item_details?.proration,
  );
  return (
    ofSubscription.find((line) => !isProration(line)) ?? ofSubscription.findLast(({ amount }) => amount > 0)
  );
}

function isProration({ parent }: StripeInvoiceLine): boolean {
  return parent?.subscription_item_details?.proration ?? parent?.invoice_item_details?.proration ?? false;
}

function priceOf(line: StripeInvoiceLine | undefined): string | null {
  const price: StripeReference | undefined = line?.pricing?.price_details?.price;
  return readReference(price);
}

function taxOnTop({ total_taxes: taxes }: StripeInvoice): number {
  return (taxes ?? [])
    .filter(({ tax_behavior: behavior }) => behavior === 'exclusive')
    .reduce((sum, { amount }) => sum + amount, 0);
}
