import type { LimitView } from './schemas.ts';

/** The limit that binds, of limits of which the smallest comes first. */
export function bindingLimit(limits: LimitView[]): { effective: number; binds: string } {
  const [first] = limits;
  if (!first) throw new Error('a spender without limits');
  return { effective: first.amount, binds: first.limit };
}
