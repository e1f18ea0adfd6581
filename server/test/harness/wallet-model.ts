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

/** A lot with what became of it: what expired, what was taken back, and of that what had expired unused. */
type Lot = ModelLot & { amount: number; expired: number; clawedBack: number; clawedBackUnused: number };

/** A spend with what it took of which lot, and how much of it has been given back. */
type Spend = { parts: { lot: Lot; part: number }[]; amount: number; givenBack: number };

export type ModelRules = { signupBonus: number; dailyFree: number; dailyCap: number };

export type ModelOutcome = {
  code: string | null;
  isReplay: boolean;
  free: number;
  paid: number;
  /** What was taken of each lot, in order. */
  taken: number[];
};

/** What an administrator's act comes to; `left` is what could still be undone when it is refused. */
export type ModelMove = { code: string | null; left: number };

const dayMs = 86_400_000;
const sum = (lots: ModelLot[]): number => lots.reduce((total, { remaining }) => total + remaining, 0);

export class WalletModel {
  private lots: Lot[] = [];
  private readonly spends: Spend[] = [];
  private readonly answers = new Map<string, { content: string; outcome: ModelOutcome }>();
  private nextDailyAt: number;
  private readonly rules: ModelRules;
  debt = 0;
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
  open(now: number): Lot[] {
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

  /** Returns the lot, by which it can be taken back. */
  addLot(lot: ModelLot, now: number): Lot {
    this.refresh(now);
    return this.add(lot);
  }

  /** Takes credits away; what is not there is owed. */
  takeAway(amount: number, now: number): void {
    let rest = amount;
    for (const lot of this.open(now)) {
      const part = Math.min(rest, lot.remaining);
      lot.remaining -= part;
      rest -= part;
    }
    this.debt += rest;
  }

  /** Gives the nth spend back, all that is left of it by default: what was taken last comes back first. */
  refund(nth: number, amount: number | undefined, now: number): ModelMove {
    this.refresh(now);
    const spend = this.spends[nth];
    if (!spend) throw new Error(`there is no spend ${nth}`);
    const left = spend.amount - spend.givenBack;
    const wanted = amount ?? left;
    if (wanted === 0 || wanted > left) return { code: 'credits.refund_exceeds', left };
    let skip = spend.givenBack;
    let rest = wanted;
    const lots: Lot[] = [];
    for (const { lot, part } of spend.parts.toReversed()) {
      const returned = Math.min(Math.max(0, part - skip), rest);
      skip = Math.max(0, skip - part);
      rest -= returned;
      lot.remaining += returned;
      if (returned > 0) lots.push(lot);
    }
    spend.givenBack += wanted;
    this.totalSpent -= wanted;
    for (const lot of lots) this.repayWith(lot);
    this.expire(now);
    return { code: null, left: left - wanted };
  }

  /** Takes a lot back: what it has is taken, what expired of it is not owed, the rest is. */
  clawBack(lot: Lot, amount: number | undefined, now: number): ModelMove {
    this.refresh(now);
    const left = lot.amount - lot.clawedBack;
    const wanted = amount ?? left;
    if (wanted === 0 || wanted > left) return { code: 'credits.clawback_exceeds', left };
    const taken = Math.min(wanted, lot.remaining);
    const unused = Math.min(wanted - taken, lot.expired - lot.clawedBackUnused);
    lot.remaining -= taken;
    lot.clawedBack += wanted;
    lot.clawedBackUnused += unused;
    this.debt += wanted - taken - unused;
    return { code: null, left: left - wanted };
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
    const parts: Spend['parts'] = [];
    let rest = amount;
    for (const lot of lots) {
      const part = Math.min(rest, lot.remaining);
      if (part > 0) parts.push({ lot, part });
      lot.remaining -= part;
      rest -= part;
    }
    this.totalSpent += amount;
    this.spends.push({ parts, amount, givenBack: 0 });
    return { code: null, isReplay: false, ...this.balance(now), taken: parts.map(({ part }) => part) };
  }

  private add(given: ModelLot): Lot {
    const lot = { ...given, amount: given.remaining, expired: 0, clawedBack: 0, clawedBackUnused: 0 };
    this.lots.push(lot);
    this.totalEarned += lot.amount;
    this.repayWith(lot);
    return lot;
  }

  private repayWith(lot: Lot): void {
    const part = Math.min(this.debt, lot.remaining);
    lot.remaining -= part;
    this.debt -= part;
  }

  private expire(now: number): void {
    for (const lot of this.lots) {
      if (lot.expiresAt === null || lot.expiresAt > now) continue;
      lot.expired += lot.remaining;
      lot.remaining = 0;
    }
  }

  private refresh(now: number): void {
    this.expire(now);
    for (; this.nextDailyAt <= now; this.nextDailyAt += dayMs) {
      const unspent = sum(this.lots.filter(({ source }) => source === 'daily'));
      const remaining = Math.min(this.rules.dailyFree, this.rules.dailyCap - unspent);
      if (remaining > 0)
        this.add({ source: 'daily', kind: 'free', remaining, priority: 100, expiresAt: null });
    }
  }
}
