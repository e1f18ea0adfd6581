/** What the model of holds and mandates is made of. */
export type ModelLot = {
  kind: 'free' | 'paid';
  priority: number;
  expiresAt: number;
  remaining: number;
  held: number;
  isDaily: boolean;
};
export type ModelMandate = {
  allowance: number;
  period: 'day' | 'week' | 'month' | 'total';
  kinds: string[];
  maxPerSpend: number | null;
  overrun: 'refuse' | 'spill' | 'debt';
  overrunMax: number;
  status: 'active' | 'paused' | 'revoked';
  createdAt: number;
  charges: Charge[];
};
export type Charge = { at: number; amount: number };
export type Part = { lot: ModelLot; amount: number; at: number };
export type ModelHold = {
  parts: Part[];
  amount: number;
  captured: number;
  status: 'open' | 'captured' | 'voided' | 'expired';
  createdAt: number;
  expiresAt: number;
  mandate: ModelMandate | undefined;
};
export type ModelSpend = {
  parts: { lot: ModelLot | undefined; amount: number }[];
  charges: Charge[];
  mandate: ModelMandate | undefined;
  amount: number;
  givenBack: number;
};
export type ModelRules = { signupBonus: number; dailyFree: number; dailyCap: number };

export const dayMs = 86_400_000;
export const total = (items: { amount: number }[]): number =>
  items.reduce((sum, { amount }) => sum + amount, 0);

export function periodStart(period: ModelMandate['period'], now: number, createdAt: number): number {
  const date = new Date(now);
  if (period === 'total') return createdAt;
  if (period === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const midnight = now - (now % dayMs);
  return period === 'day' ? midnight : midnight - ((date.getUTCDay() + 6) % 7) * dayMs;
}

export type Taken = { parts: Part[]; debt: number };

export function newLot(
  gift: Pick<ModelLot, 'kind' | 'priority' | 'expiresAt'> & { amount: number },
): ModelLot {
  const { kind, priority, expiresAt, amount } = gift;
  return { kind, priority, expiresAt, remaining: amount, held: 0, isDaily: false };
}

/** The order of consumption; the sort is stable, so older lots come first. */
export const byConsumption = (left: ModelLot, right: ModelLot): number =>
  Number(left.kind === 'paid') - Number(right.kind === 'paid') ||
  left.priority - right.priority ||
  (left.expiresAt === right.expiresAt ? 0 : left.expiresAt - right.expiresAt);
