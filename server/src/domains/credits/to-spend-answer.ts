import type { SpendAnswer } from './schemas.ts';
import type { Spend } from './spend-credits.ts';
import type { SpendOutcome } from './spend-queue.ts';

/**
 * The answer to a spend that went through. A replay has the content of the first request, or it were a
 * mismatch; so the request tells what the journal holds.
 */
export function toSpendAnswer(spend: Spend, outcome: Omit<SpendOutcome, 'ordinal'>): SpendAnswer {
  const { amount, appId, description, metadata = null, idempotencyKey = null } = spend;
  const { free, paid, held } = outcome;
  return {
    success: true,
    transaction: {
      id: outcome.transaction_id,
      type: 'usage',
      status: 'completed',
      amount: -amount,
      balanceBefore: outcome.balance_before,
      balanceAfter: free + paid,
      appId,
      description,
      metadata,
      idempotencyKey,
      createdAt: outcome.created_at.toISOString(),
      sequence: outcome.sequence,
      hash: outcome.hash.toString('hex'),
    },
    newBalance: {
      balance: paid,
      freeCreditsRemaining: free,
      totalSpent: outcome.total_spent,
      available: free + paid - held,
    },
  };
}
