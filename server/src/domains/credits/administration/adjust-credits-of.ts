import type { Ctx } from '../../../ctx.ts';
import { grantCredits } from '../grants/grant-credits.ts';
import type { Asker } from '../grants/move-credits.ts';
import type { MovementAnswer } from '../grants/schemas.ts';
import { takeCredits } from '../grants/take-credits.ts';

export type Adjustment = {
  userId: string;
  /** More than 0 is given, less is taken. */
  amount: number;
  description: string;
  idempotencyKey?: string;
};

/**
 * Gives credits to somebody, or takes them away, on an administrator's word and through the ledger: given
 * ones are free credits without an expiry; what is taken and not there becomes debt. Once per key. Throws
 * what `grantCredits` and `takeCredits` do.
 */
export async function adjustCreditsOf(
  ctx: Ctx,
  asker: Asker,
  { amount, ...adjustment }: Adjustment,
): Promise<{ answer: MovementAnswer; isReplay: boolean }> {
  if (amount < 0) return takeCredits(ctx, asker, { ...adjustment, amount: -amount });
  const lot = { kind: 'free', source: 'adjustment', priority: 100 } as const;
  return grantCredits(ctx, asker, { ...adjustment, ...lot, amount });
}
