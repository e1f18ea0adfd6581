import { holdOf, type TransactOutcome } from './transact-credits.ts';
import type { MovedHold, ToldHold } from './schemas.ts';

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

/** The same, without the wallet where the spender is not to know. */
export function toToldHold(outcome: TransactOutcome): ToldHold {
  return outcome.is_told ? toMovedHold(outcome) : holdOf(outcome);
}
