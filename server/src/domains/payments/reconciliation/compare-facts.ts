import type { Ctx } from '../../../ctx.ts';
import type { Fact } from '../facts.ts';
import type { PaymentProvider } from '../provider.ts';
import type { FindingList } from './count-open.ts';

/** What comparing a fact with what is known here says; see `payments.compare_facts`. */
export type Comparison = {
  fact: Fact;
  list: FindingList | 'matched' | 'unrelated';
  reason: string;
  isSafe: boolean;
  purchaseId: string | null;
  ours: unknown;
};

type ComparisonRow = {
  list: 'matched' | 'only_theirs' | 'differing' | 'unrelated';
  reason: string | null;
  is_safe: boolean;
  purchase_id: string | null;
  ours: unknown;
};

const lists = {
  matched: 'matched',
  only_theirs: 'onlyTheirs',
  differing: 'differing',
  unrelated: 'unrelated',
} as const;

/**
 * Compares facts of a provider with what is known here, and changes nothing. `newPayments` are payments of
 * which only facts before these have told.
 */
export async function compareFacts(
  ctx: Ctx,
  { name, isLive }: PaymentProvider,
  facts: Fact[],
  newPayments: Iterable<string>,
): Promise<Comparison[]> {
  if (facts.length === 0) return [];
  const rows = await ctx.db.call<ComparisonRow>('select * from payments.compare_facts($1, $2, $3, $4)', [
    name,
    isLive,
    JSON.stringify(facts),
    [...newPayments],
  ]);
  return rows.flatMap((row, index) => {
    const fact = facts[index];
    if (fact === undefined) return [];
    return {
      fact,
      list: lists[row.list],
      reason: row.reason ?? '',
      isSafe: row.is_safe,
      purchaseId: row.purchase_id,
      ours: row.ours,
    };
  });
}

/** By what a fact is known: a bill pays for a period by its own id. */
export function keyOf(fact: Fact): string {
  switch (fact.kind) {
    case 'checkout':
      return `checkout:${fact.checkoutId}`;
    case 'invoice':
      return `checkout:${fact.invoiceId}`;
    case 'refund':
      return `refund:${fact.refundId}`;
    case 'dispute':
      return `dispute:${fact.disputeId}`;
    case 'subscription':
      return `subscription:${fact.providerSubscriptionId}`;
    case 'fraud_warning':
      return `fraud_warning:${fact.warningId}`;
  }
}
