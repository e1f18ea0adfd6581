import type { HoldModel } from './hold.ts';
import { inOrderOfConsumption, inOrderOfExpiry, makeLot, spendable, total } from './lot.ts';
import type { Kind, Lot, NewLot, Part } from './lot.ts';
import type { MandateModel } from './mandate.ts';

export type Rules = { signupBonus: number; dailyFree: number; dailyCap: number; debtMax: number };

export type Entry = { account: string; amount: number; lot: Lot | null };

/** A transaction, with the wallet as it was right after it. */
export type Row = {
  /** Learned from the journal. */
  id: string | null;
  type: string;
  amount: number;
  appId: string | null;
  at: number;
  entries: Entry[];
  free: number;
  paid: number;
  held: number;
};

export type NewRow = Pick<Row, 'type' | 'amount' | 'at' | 'entries'> & { appId?: string | undefined };

export type Totals = { free: number; paid: number; held: number; totalSpent: number };

/** What a request came to; null for a code is a success, of which `shown` is what the answer says. */
export type Outcome = {
  code: string | null;
  details: Record<string, unknown>;
  isReplay: boolean;
  totals: Totals;
  shown: Record<string, unknown>;
};

const dayMs = 86_400_000;

/**
 * A wallet, in memory and as plainly as can be: what the ledger must agree with, transaction for transaction.
 * Balances are sums of lots, never kept; time is a loop over what falls due.
 */
export class WalletModel {
  readonly id: string;
  readonly isTeam: boolean;
  readonly lots: Lot[] = [];
  readonly journal: Row[] = [];
  readonly holds: HoldModel[] = [];
  /** Of the app, in the order in which they were given. */
  readonly mandates: MandateModel[] = [];
  readonly members = new Map<string, MandateModel>();
  readonly answers = new Map<string, { content: string; outcome: Outcome }>();
  /** By day, app and model. */
  readonly usage = new Map<string, { count: number; amount: number }>();
  status: 'active' | 'frozen' | 'closed' = 'active';
  debt = 0;
  totalSpent = 0;
  totalEarned = 0;
  readonly rules: Rules;
  private nextDailyAt: number;

  constructor(id: string, kind: 'personal' | 'team', rules: Rules, now: number) {
    this.id = id;
    this.isTeam = kind === 'team';
    this.rules = rules;
    this.nextDailyAt = this.isTeam ? Infinity : now + dayMs;
    if (this.isTeam) return;
    const bonus = { source: 'signup', kind: 'free' as const, amount: rules.signupBonus };
    this.bringIn({ ...bonus, priority: 100, expiresAt: null }, 'bonus', 'issued:bonus', now);
  }

  account(kind: Kind | 'held'): string {
    return `wallet:${this.id}:${kind}`;
  }

  totals(): Totals {
    return { ...this.sums(), totalSpent: this.totalSpent };
  }

  /** Lots with anything left, in the order of consumption. */
  openLots(): Lot[] {
    return this.lots.filter(({ remaining }) => remaining > 0).toSorted(inOrderOfConsumption);
  }

  available(): number {
    const { free, paid, held } = this.sums();
    return free + paid - held;
  }

  /** What a spend of `amount` would take of lots of these kinds; less in all when there is not more. */
  choose(kinds: readonly Kind[], amount: number): Part[] {
    return this.chooseFrom(({ kind }) => kinds.includes(kind), amount);
  }

  chooseFrom(isEligible: (lot: Lot) => boolean, amount: number): Part[] {
    let rest = amount;
    return this.openLots()
      .filter(isEligible)
      .map((lot) => {
        const part = Math.min(rest, spendable(lot));
        rest -= part;
        return { lot, amount: part };
      })
      .filter((part) => part.amount > 0);
  }

  /** Takes parts of lots for good. */
  consume(parts: Part[]): Entry[] {
    for (const { lot, amount } of parts) lot.remaining -= amount;
    return parts.map(({ lot, amount }) => this.entry(lot, -amount));
  }

  entry(lot: Lot, amount: number): Entry {
    return { account: this.account(lot.kind), amount, lot };
  }

  /** Brings a lot in, which repays what is owed first. Returns the transaction. */
  bringIn(given: NewLot, type: string, from: string, at: number): { row: Row; lot: Lot } {
    const lot = makeLot(given, at);
    this.lots.push(lot);
    this.totalEarned += lot.amount;
    const entries = [this.entry(lot, lot.amount), side(from, -lot.amount)];
    const row = this.append({ type, amount: lot.amount, at, entries });
    this.repay([lot], at);
    return { row, lot };
  }

  /** The lots have changed already. */
  append({ appId, at, entries, ...given }: NewRow): Row {
    const row = {
      ...given,
      // Nothing that was taken is 0, not -0.
      amount: given.amount || 0,
      id: null,
      at: Math.max(at, this.journal.at(-1)?.at ?? 0),
      entries: entries.filter(({ amount }) => amount !== 0),
      appId: appId ?? null,
      ...this.sums(),
    };
    this.journal.push(row);
    return row;
  }

  /** Repays the debt with what these lots have that is not held, in this order. */
  repay(lots: Lot[], at: number): void {
    const parts: Part[] = [];
    for (const lot of new Set(lots)) {
      const amount = Math.min(this.debt, spendable(lot));
      this.debt -= amount;
      if (amount > 0) parts.push({ lot, amount });
    }
    const amount = total(parts);
    if (amount === 0) return;
    const entries = [...this.consume(parts), side(`receivable:${this.id}`, amount)];
    this.append({ type: 'repayment', amount: -amount, at, entries });
  }

  /** Lets go of everything that expires at or before an instant, but what is held. */
  expireLots(at: number): void {
    const due = this.lots.filter(
      (lot) => lot.expiresAt !== null && lot.expiresAt <= at && spendable(lot) > 0,
    );
    for (const lot of due.toSorted(inOrderOfExpiry)) {
      const amount = spendable(lot);
      lot.expired += amount;
      const entries = [...this.consume([{ lot, amount }]), side('expired', amount)];
      this.append({ type: 'expire', amount: -amount, at: lot.expiresAt ?? at, entries });
    }
  }

  /** Does everything that has fallen due, in the order of time; at one instant holds go before lots. */
  refresh(now: number): void {
    for (;;) {
      const expiryAt = this.nextExpiryAt();
      if (Math.min(expiryAt, this.nextDailyAt) > now) return;
      if (expiryAt <= this.nextDailyAt) {
        for (const hold of this.holdsDue(expiryAt)) hold.end('expired', hold.expiresAt);
        this.expireLots(expiryAt);
      } else this.grantDaily();
    }
  }

  /** When something will happen by itself next. */
  nextEventAt(): number {
    return Math.min(this.nextExpiryAt(), this.nextDailyAt);
  }

  countUsage(key: { at: number; appId: string; model: string }, amount: number, count: number): void {
    const name = [new Date(key.at).toISOString().slice(0, 10), key.appId, key.model].join('\n');
    const known = this.usage.get(name) ?? { count: 0, amount: 0 };
    this.usage.set(name, { count: known.count + count, amount: known.amount + amount });
  }

  private sums(): { free: number; paid: number; held: number } {
    const remaining = (kind: Kind) =>
      this.lots.reduce((sum, lot) => sum + (lot.kind === kind ? lot.remaining : 0), 0);
    return {
      free: remaining('free'),
      paid: remaining('paid'),
      held: this.lots.reduce((sum, { held }) => sum + held, 0),
    };
  }

  private nextExpiryAt(): number {
    return Math.min(
      ...this.lots.filter((lot) => spendable(lot) > 0).map(({ expiresAt }) => expiresAt ?? Infinity),
      ...this.holds.filter(({ status }) => status === 'open').map(({ expiresAt }) => expiresAt),
    );
  }

  private holdsDue(at: number): HoldModel[] {
    return this.holds
      .filter(({ status, expiresAt }) => status === 'open' && expiresAt <= at)
      .toSorted((left, right) => left.expiresAt - right.expiresAt);
  }

  private grantDaily(): void {
    const { dailyFree, dailyCap } = this.rules;
    const at = this.nextDailyAt;
    this.nextDailyAt += dayMs;
    const unspent = this.lots.reduce(
      (sum, { source, remaining }) => sum + (source === 'daily' ? remaining : 0),
      0,
    );
    const amount = Math.min(dailyFree, dailyCap - unspent);
    if (amount <= 0) return;
    const lot = { source: 'daily', kind: 'free' as const, amount, priority: 100, expiresAt: null };
    this.bringIn(lot, 'daily', 'issued:bonus', at);
  }
}

/** An entry without a lot. */
export const side = (account: string, amount: number): Entry => ({ account, amount, lot: null });
