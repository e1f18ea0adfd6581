import type { Fact, PaymentProvider, ProviderName } from '../../src/domains/payments/index.ts';
import { AppError } from '../../src/errors.ts';
import { createTestProvider, type TestProvider } from './payments.ts';

type RefundFact = Extract<Fact, { kind: 'refund' }>;

/** A provider that sends money back, keyed as the real ones do, and lists what it knows. */
export type RefundingProvider = TestProvider & {
  /** What it has sent back, by the key of the call. */
  sent: Map<string, RefundFact>;
  /** What it lists beside its checkouts and what it has sent back. */
  others: Fact[];
  /** What it does not list, by id. */
  hidden: Set<string>;
  /** The next answers about refunds are lost, after the money was sent. */
  losesAnswers: boolean;
  /** How new refunds stand. */
  refundStatus: RefundFact['status'];
};

/** Makes one; a second refund of more than was paid is refused. */
export function createRefundingProvider(name: ProviderName = 'stripe'): RefundingProvider {
  const base = createTestProvider(name);
  const sent = new Map<string, RefundFact>();
  const provider: RefundingProvider = {
    ...base,
    sent,
    others: [],
    hidden: new Set(),
    losesAnswers: false,
    refundStatus: 'succeeded',
    async refund(order) {
      base.calls.push('refund');
      const failure = base.failures.get('refund');
      if (failure) throw failure;
      const known = sent.get(order.refundRequestId) ?? refundNow(order);
      sent.set(order.refundRequestId, known);
      if (provider.losesAnswers) throw new AppError('payments.provider_unavailable');
      return known;
    },
    async *listFacts() {
      base.calls.push('listFacts');
      const facts = [...base.checkouts.values(), ...sent.values(), ...provider.others];
      for (const fact of facts) if (!provider.hidden.has(idOf(fact))) yield [fact];
    },
  };
  return provider;

  function refundNow(order: Parameters<PaymentProvider['refund']>[0]): RefundFact {
    const paid = [...base.checkouts.values()].find(({ paymentId }) => paymentId === order.paymentId);
    const before = [...sent.values()]
      .filter(({ paymentId, status }) => paymentId === order.paymentId && status !== 'failed')
      .reduce((sum, { amountCents }) => sum + amountCents, 0);
    if (!paid || before + order.amountCents > paid.amountCents)
      throw new AppError('payments.provider_refused');
    return {
      kind: 'refund',
      refundId: `re_${order.refundRequestId}`,
      paymentId: order.paymentId,
      refundRequestId: order.refundRequestId,
      status: provider.refundStatus,
      amountCents: order.amountCents,
      currency: order.currency,
    };
  }
}

function idOf(fact: Fact): string {
  if (fact.kind === 'checkout') return fact.checkoutId;
  if (fact.kind === 'refund') return fact.refundId;
  return fact.kind === 'dispute' ? fact.disputeId : '';
}
