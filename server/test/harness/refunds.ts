import type { Fact, PaymentProvider, ProviderName } from '../../src/domains/payments/index.ts';
import { AppError } from '../../src/errors.ts';
import type { TestService } from './index.ts';
import { addAdministrator, post, readOwn } from './movements.ts';
import { createTestProvider, deliver, pay, type TestProvider } from './payments.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from './wallets.ts';

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

/** A buyer and an administrator, and what they do about refunds. */
export async function openRefundDesk(service: TestService, provider: RefundingProvider) {
  const owner = await connectAsOwner(service);
  const admin = await addAdministrator(service);
  const desk = { holder: await addWalletHolder(service) };
  const send = (person: WalletHolder, method: string, path: string, body?: unknown, from = service) =>
    from.send(method, `/api/v1/payments/${path}`, { token: person.token, body });
  const tell = (...facts: Fact[]) => deliver(service, provider, provider.sign(facts));
  const balance = () => readOwn(service, desk.holder, 'balance');
  return Object.assign(desk, {
    owner,
    admin,
    send,
    tell,
    balance,
    /** A purchase of 1,000 credits for 1,000 cents that is paid. */
    buy: async (): Promise<{ id: string; paymentId: string }> => {
      const { body } = await post(service, desk.holder, 'purchase', { packageId: 'standard' });
      const paid = pay(provider, `cs_${body.purchaseId}`);
      await tell(paid);
      return { id: body.purchaseId, paymentId: paid.paymentId ?? '' };
    },
    ask: (purchaseId: string, more: Record<string, unknown> = {}, from = service) =>
      send(desk.holder, 'POST', 'refunds', { purchaseId, reason: 'Bought by mistake', ...more }, from),
    approve: (id: string, body: unknown = {}) => send(admin, 'POST', `refunds/${id}/approve`, body),
    deny: (id: string) => send(admin, 'POST', `refunds/${id}/deny`, { reason: 'Used for months' }),
    refundNow: (id: string, body: Record<string, unknown> = {}) =>
      send(admin, 'POST', `purchases/${id}/refunds`, { reason: 'Goodwill', ...body }),
    trySpend: (amount: number) =>
      post(service, desk.holder, 'use', { amount, appId: 'chat', description: 'Chat message' }),
    purchase: (id: string) => readOwn(service, desk.holder, `purchase/${id}`),
    available: async () => (await balance()).available as number,
    debt: async (): Promise<number> => {
      const text = 'select debt from credits.balances where wallet_id = $1';
      const { rows } = await owner.query(text, [desk.holder.userId]);
      return Number(rows[0].debt);
    },
    /** A wallet of somebody new, and a provider that does as it should. */
    reset: async (): Promise<void> => {
      desk.holder = await addWalletHolder(service);
      provider.calls.length = 0;
      provider.failures.clear();
      provider.losesAnswers = false;
      provider.refundStatus = 'succeeded';
    },
  });
}
