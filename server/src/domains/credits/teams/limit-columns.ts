import type { LimitBody } from './schemas.ts';

/** A member's limit as columns of a mandate; null and absent stay what they are. */
export function limitColumns(limit: LimitBody | undefined): Record<string, unknown> | null | undefined {
  if (!limit) return limit;
  const { allowance, period, kinds, maxPerSpend } = limit;
  return { allowance, period, kinds, spend_max: maxPerSpend ?? null };
}
