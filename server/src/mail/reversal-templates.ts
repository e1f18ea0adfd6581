import type { DisputeNews } from '../jobs/queues.ts';
import { compose, productName } from './compose.ts';
import type { Mail } from './index.ts';

const providerNames: Record<string, string> = { stripe: 'Stripe', paypal: 'PayPal' };

const disputeTexts: Record<DisputeNews['status'], { subject: string; what: string }> = {
  open: {
    subject: 'A payment is disputed',
    what: 'has been disputed by the customer. Its credits were taken back; those already spent are a debt of the wallet.',
  },
  lost: { subject: 'A dispute was lost', what: 'has been lost. Its credits stay taken back.' },
  won: { subject: 'A dispute was won', what: 'is yours again. Its credits were given back to the wallet.' },
};

/** Tells an administrator that a payment is disputed, or what came of it. */
export function disputeMail(values: { to: string; dispute: DisputeNews }): Mail {
  const { dispute } = values;
  const { subject, what } = disputeTexts[dispute.status];
  const provider = providerNames[dispute.provider] ?? dispute.provider;
  const amount = `${dispute.amountCents} of the minor unit of ${dispute.currency}`;
  return compose(values.to, {
    subject: `${productName}: ${subject.toLowerCase()}`,
    paragraphs: [
      `A payment of ${amount} at ${provider} ${what}`,
      `Dispute ${dispute.disputeId}, purchase ${dispute.purchaseId ?? 'unknown to this service'}.`,
      ...(dispute.debt
        ? [`The wallet owes ${dispute.debt} credits now; what comes in next repays them.`]
        : []),
      ...(dispute.status === 'open'
        ? [`Answer it on the pages of ${provider}, which say until when that is possible.`]
        : []),
    ],
    closing: `You get this mail because you administer ${productName}.`,
  });
}

/** Tells an administrator that a provider and the ledger do not agree. */
export function reconciliationMail(values: {
  to: string;
  provider: string;
  since: Date;
  counts: { onlyTheirs: number; onlyOurs: number; differing: number; open: number };
}): Mail {
  const { counts } = values;
  const provider = providerNames[values.provider] ?? values.provider;
  return compose(values.to, {
    subject: `${productName}: ${provider} and the ledger do not agree`,
    paragraphs: [
      `The comparison of ${provider} with the ledger since ${values.since.toISOString()} found ${counts.open} ` +
        'differences that nobody but you can decide on.',
      `Only at ${provider}: ${counts.onlyTheirs}. Only here: ${counts.onlyOurs}. Differing: ${counts.differing}.`,
      'GET /api/v1/payments/reconciliations names them, and so does `obol payments reconcile` on the server. ' +
        'The guide to payments says what each means.',
    ],
    closing: `You get this mail because you administer ${productName}.`,
  });
}
