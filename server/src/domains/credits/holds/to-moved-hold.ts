import { holdOf, type TransactOutcome } from './transact-credits.ts';
import type { MovedHold } from './schemas.ts';

/** The hold that an outcome is about, with the wallet as it was then. */
export function toMovedHold(outcome: TransactOutcome): MovedHold {
  const { free, paid, held, total_spent: totalSpent } = outcome;
  return {
    ...holdOf(outcome),
    newBalance: {
      balance: paid,
      freeCreditsRemaining: free,
      totalSpent,
      available: free + paid - held,
      held,
    },
  };
}
