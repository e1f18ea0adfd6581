/**
 * The rules of a wallet, in memory and as plainly as can be: what the ledger must agree with, result for
 * result.
 */
export type ModelLot = {
  source: string;
  kind: 'free' | 'paid';
  remaining: number;
  priority: number;
  expiresAt: number | null;
};

export type ModelRules = { signupBonus: number; dailyFree: number; dailyCap: number };

export type ModelOutcome = {
  code: string | null;
  isReplay: boolean;
  free: number;
  paid: number;
  /** What was taken of each lot, in order. */
  taken: number[];
};

const dayMs = 86_400_000;
const sum = (lots: ModelLot[]): number => lots.reduce((total, { remaining }) => total + remaining, 0);

export class WalletModel {
  private lots: ModelLot[] = [];
  private readonly answers = new Map<string, { content: string; outcome: ModelOutcome }>();
  private nextDailyAt: number;
  private readonly rules: ModelRules;
  totalSpent = 0;
  totalEarned = 0;

  constructor(rules: ModelRules, now: number) {
    this.rules = rules;
    this.nextDailyAt = now + dayMs;
    this.add({
      source: 'signup',
      kind: 'free',
      remaining: rules.signupBonus,
      priority: 100,
      expiresAt: null,
    });
  }

  /** Lots in the order in which they are spent; the sort is stable, so older ones come first. */
  open(now: number): ModelLot[] {
    this.refresh(now);
    return this.lots
      .filter(({ remaining }) => remaining > 0)
      .toSorted(
        (left, right) =>
          Number(left.kind === 'paid') - Number(right.kind === 'paid') ||
          left.priority - right.priority ||
          (left.expiresAt ?? Infinity) - (right.expiresAt ?? Infinity) ||
          0,
      );
  }

  balance(now: number): { free: number; paid: number } {
    const lots = this.open(now);
    return {
      free: sum(lots.filter(({ kind }) => kind === 'free')),
      paid: sum(lots.filter(({ kind }) => kind === 'paid')),
    };
  }

  addLot(lot: ModelLot, now: number): void {
    this.refresh(now);
    this.add(lot);
  }

  spend(spend: { amount: number; appId: string; key?: string | undefined }, now: number): ModelOutcome {
    const scope = spend.key === undefined ? undefined : `${spend.appId}/${spend.key}`;
    const known = scope === undefined ? undefined : this.answers.get(scope);
    this.refresh(now);
    if (known && known.content !== String(spend.amount)) {
      return { code: 'idempotency.mismatch', isReplay: false, free: 0, paid: 0, taken: [] };
    }
    if (known) return { ...known.outcome, isReplay: true };
    const outcome = this.take(spend.amount, now);
    if (scope !== undefined) this.answers.set(scope, { content: String(spend.amount), outcome });
    return outcome;
  }

  private take(amount: number, now: number): ModelOutcome {
    const lots = this.open(now);
    if (sum(lots) < amount) {
      return { code: 'credits.insufficient', isReplay: false, ...this.balance(now), taken: [] };
    }
    const taken: number[] = [];
    let rest = amount;
    for (const lot of lots) {
      const part = Math.min(rest, lot.remaining);
      if (part > 0) taken.push(part);
      lot.remaining -= part;
      rest -= part;
    }
    this.totalSpent += amount;
    return { code: null, isReplay: false, ...this.balance(now), taken };
  }

  private add(lot: ModelLot): void {
    this.lots.push({ ...lot });
    this.totalEarned += lot.remaining;
  }

  private refresh(now: number): void {
    for (const lot of this.lots) {
      if (lot.expiresAt !== null && lot.expiresAt <= now) lot.remaining = 0;
    }
    for (; this.nextDailyAt <= now; this.nextDailyAt += dayMs) {
      const unspent = sum(this.lots.filter(({ source }) => source === 'daily'));
      const remaining = Math.min(this.rules.dailyFree, this.rules.dailyCap - unspent);
      if (remaining > 0)
        this.add({ source: 'daily', kind: 'free', remaining, priority: 100, expiresAt: null });
    }
  }
}
