import type { KeyChanges, NewBudget } from './schemas.ts';

/** The terms of a budget, or changes of them, by the columns of a mandate. */
export function toTerms(budget: NewBudget | NonNullable<KeyChanges['budget']>): Record<string, unknown> {
  const { allowance, period, kinds, maxPerSpend } = budget;
  return {
    ...(allowance === undefined ? {} : { allowance }),
    ...(period === undefined ? {} : { period }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(maxPerSpend === undefined ? {} : { spend_max: maxPerSpend }),
  };
}
