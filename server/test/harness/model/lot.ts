export type Kind = 'free' | 'paid';

/** Credits that came in together, with what became of them. */
export type Lot = {
  /** Learned from the journal, by the transaction that brought the lot in. */
  id: string | null;
  source: string;
  kind: Kind;
  amount: number;
  remaining: number;
  held: number;
  priority: number;
  expiresAt: number | null;
  createdAt: number;
  expired: number;
  clawedBack: number;
  /** Whether it came by a transfer: then it grows by others like it. */
  isTransferred: boolean;
  /** Of what was clawed back, what had expired unused. */
  clawedBackUnused: number;
};

/** Some of a lot. */
export type Part = { lot: Lot; amount: number };

export type NewLot = Pick<Lot, 'source' | 'kind' | 'amount' | 'priority' | 'expiresAt'>;

export function makeLot(given: NewLot, createdAt: number): Lot {
  return {
    ...given,
    id: null,
    remaining: given.amount,
    held: 0,
    createdAt,
    expired: 0,
    clawedBack: 0,
    isTransferred: false,
    clawedBackUnused: 0,
  };
}

export const spendable = (lot: Lot): number => lot.remaining - lot.held;

export const total = (parts: { amount: number }[]): number =>
  parts.reduce((sum, { amount }) => sum + amount, 0);

/** Free before paid, then the lower priority, the earlier expiry, the older lot; ids settle what is left. */
export function inOrderOfConsumption(left: Lot, right: Lot): number {
  return (
    Number(left.kind === 'paid') - Number(right.kind === 'paid') ||
    left.priority - right.priority ||
    (left.expiresAt ?? Infinity) - (right.expiresAt ?? Infinity) ||
    left.createdAt - right.createdAt ||
    byId(left, right)
  );
}

export function inOrderOfExpiry(left: Lot, right: Lot): number {
  return (left.expiresAt ?? Infinity) - (right.expiresAt ?? Infinity) || byId(left, right);
}

/** `Infinity - Infinity` is not a number, which `||` passes over. */
export function byId(left: Lot, right: Lot): number {
  return (left.id ?? '') < (right.id ?? '') ? -1 : 1;
}
