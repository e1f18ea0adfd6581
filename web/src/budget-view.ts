/** Up to how much an application may spend, in units of which a credit has 10^scale. */
export type BudgetTerms = {
  allowance: number;
  period: 'day' | 'week' | 'month' | 'total';
  maxPerSpend: number | null;
  kinds: ('free' | 'paid')[];
};

/** A budget that holds, or would if it were not paused or had not run out. */
export type CurrentBudget = BudgetTerms & { status: 'active' | 'paused' | 'expired' };

/** A budget that is asked for. */
export type BudgetView = BudgetTerms & {
  /** What has been granted before, as it is; this takes its place. */
  current: CurrentBudget | null;
  /** Decimal places of a credit. */
  scale: number;
  /** Units for one euro, to say what the budget is worth. */
  creditsPerEur: number;
  /** What the fields held in the try before, in credits; null at first. */
  typed: { allowance: string; maxPerSpend: string } | null;
};
