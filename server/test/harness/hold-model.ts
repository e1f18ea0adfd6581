import {
  byConsumption,
  dayMs,
  newLot,
  periodStart,
  total,
  type ModelHold,
  type ModelLot,
  type ModelMandate,
  type ModelRules,
  type ModelSpend,
  type Part,
  type Taken,
} from './hold-model-parts.ts';

/**
 * Holds and mandates over a wallet, in memory and as plain as can be: every lot, hold and charge is an
 * object, and every sum is summed up when it is asked for. The ledger must agree with it, result for result.
 */
export class HoldModel {
  private lots: ModelLot[] = [];
  readonly holds: ModelHold[] = [];
  readonly spends: ModelSpend[] = [];
  mandate: ModelMandate | undefined;
  debt = 0;
  totalSpent = 0;
  private nextDailyAt: number;
  private readonly rules: ModelRules;

  constructor(rules: ModelRules, now: number) {
    this.rules = rules;
    this.nextDailyAt = now + dayMs;
    this.bringIn({ kind: 'free', amount: rules.signupBonus, priority: 100, expiresAt: Infinity });
  }

  open(now: number): ModelLot[] {
    this.refresh(now);
    return this.lots.filter(({ remaining }) => remaining > 0).toSorted(byConsumption);
  }

  /** What has been charged to the mandate in the period of this moment. */
  used(now: number): number {
    const { mandate } = this;
    if (!mandate) return 0;
    const start = periodStart(mandate.period, now, mandate.createdAt);
    return total(mandate.charges.filter(({ at }) => at >= start));
  }

  gift(gift: { kind: 'free' | 'paid'; amount: number; priority: number; expiresAt: number }, now: number) {
    this.refresh(now);
    this.bringIn(gift);
  }

  spend(amount: number, byApp: boolean, now: number): string | null {
    const taken = this.decide(amount, amount, byApp ? this.mandate : undefined, byApp, false, now);
    if (typeof taken === 'string') return taken;
    this.book(taken.parts, [], amount, 0, byApp ? this.mandate : undefined, now);
    return null;
  }

  place(amount: number, lifeMs: number, byApp: boolean, now: number): string | null {
    const mandate = byApp ? this.mandate : undefined;
    const taken = this.decide(amount, amount, mandate, byApp, false, now);
    if (typeof taken === 'string') return taken;
    const hold: ModelHold = {
      parts: [],
      amount: 0,
      captured: 0,
      status: 'open',
      createdAt: now,
      expiresAt: now + lifeMs,
      mandate,
    };
    this.holds.push(hold);
    this.setAside(hold, taken.parts, now);
    return null;
  }

  extend(hold: ModelHold, more: number, lifeMs: number, now: number): string | null {
    this.refresh(now);
    if (hold.status !== 'open') return 'hold.closed';
    if (now + lifeMs > hold.createdAt + 30 * dayMs) return 'hold.too_long';
    const { mandate } = hold;
    const taken = this.decide(more, hold.amount + more, mandate, mandate !== undefined, false, now);
    if (typeof taken === 'string') return taken;
    hold.expiresAt = Math.max(hold.expiresAt, now + lifeMs);
    this.setAside(hold, taken.parts, now);
    return null;
  }

  capture(
    hold: ModelHold,
    amount: number,
    { isFinal, spills }: { isFinal: boolean; spills: boolean },
    now: number,
  ): string | null {
    this.refresh(now);
    if (hold.status !== 'open') return 'hold.closed';
    const { mandate } = hold;
    const remaining = total(hold.parts);
    const above = Math.max(0, amount - remaining);
    const overrun = mandate ? mandate.overrun : spills ? 'spill' : 'refuse';
    let taken: Taken = { parts: [], debt: 0 };
    if (above > 0) {
      const all = hold.captured + amount;
      const decided = this.decide(above, all, mandate, mandate !== undefined, overrun === 'debt', now);
      if (decided === 'mandate.required') return decided;
      if (overrun === 'refuse') return 'hold.exceeded';
      if (typeof decided === 'string') return decided;
      taken = decided;
    }
    this.book(taken.parts, this.drain(hold, amount - above), amount, taken.debt, mandate, now);
    hold.captured += amount;
    if (isFinal) this.end(hold, 'captured', now);
    return null;
  }

  release(hold: ModelHold, now: number): string | null {
    this.refresh(now);
    if (hold.status !== 'open') return 'hold.closed';
    this.end(hold, 'voided', now);
    return null;
  }

  /** Gives back all of a spend that is left, or a part: what was taken and charged last first. */
  refund(spend: ModelSpend, amount: number, now: number): string | null {
    this.refresh(now);
    if (amount > spend.amount - spend.givenBack) return 'credits.refund_exceeds';
    let [skip, rest] = [spend.givenBack, amount];
    const touched: ModelLot[] = [];
    for (const { lot, amount: part } of spend.parts.toReversed()) {
      const back = Math.min(Math.max(0, part - skip), rest);
      skip = Math.max(0, skip - part);
      rest -= back;
      if (lot) {
        lot.remaining += back;
        if (back > 0) touched.push(lot);
      } else {
        const owed = Math.min(back, this.debt);
        this.debt -= owed;
        if (back > owed) {
          this.lots.push(newLot({ kind: 'free', amount: back - owed, priority: 100, expiresAt: Infinity }));
        }
      }
    }
    spend.givenBack += amount;
    this.totalSpent -= amount;
    this.giveBackCharges(spend, amount);
    this.repay(touched);
    this.expireLots(now);
    return null;
  }

  private giveBackCharges({ charges, mandate }: ModelSpend, amount: number): void {
    let rest = amount;
    for (const charge of charges.toSorted((left, right) => right.at - left.at)) {
      const part = Math.min(rest, charge.amount);
      charge.amount -= part;
      rest -= part;
      if (part > 0) mandate?.charges.push({ at: charge.at, amount: -part });
    }
  }

  private decide(
    amount: number,
    amountInAll: number,
    mandate: ModelMandate | undefined,
    isMandated: boolean,
    mayOwe: boolean,
    now: number,
  ): Taken | string {
    this.refresh(now);
    if (isMandated) {
      if (!mandate || mandate.status !== 'active') return 'mandate.required';
      if (amountInAll > (mandate.maxPerSpend ?? Infinity)) return 'mandate.exceeded';
      const start = periodStart(mandate.period, now, mandate.createdAt);
      const used = total(mandate.charges.filter(({ at }) => at >= start));
      if (used + amount > mandate.allowance) return 'mandate.exceeded';
    }
    const parts: Part[] = [];
    let rest = amount;
    for (const lot of this.open(now)) {
      if (isMandated && !mandate?.kinds.includes(lot.kind)) continue;
      const part = Math.min(rest, lot.remaining - lot.held);
      rest -= part;
      if (part > 0) parts.push({ lot, amount: part, at: now });
    }
    if (rest > 0 && !(mayOwe && this.debt + rest <= (mandate?.overrunMax ?? 0)))
      return 'credits.insufficient';
    return { parts, debt: rest };
  }

  private setAside(hold: ModelHold, parts: Part[], now: number): void {
    for (const { lot, amount } of parts) lot.held += amount;
    hold.parts.push(...parts);
    hold.amount += total(parts);
    if (parts.length > 0) hold.mandate?.charges.push({ at: now, amount: total(parts) });
  }

  /** The next credits of a hold, in the order in which they were set aside; they are held no more. */
  private drain(hold: ModelHold, amount: number): Part[] {
    let rest = amount;
    const drained: Part[] = [];
    for (const part of hold.parts) {
      const taken = Math.min(rest, part.amount);
      part.amount -= taken;
      part.lot.held -= taken;
      rest -= taken;
      if (taken > 0) drained.push({ ...part, amount: taken });
    }
    hold.parts = hold.parts.filter((part) => part.amount > 0);
    return drained;
  }

  private book(
    parts: Part[],
    fromHold: Part[],
    amount: number,
    debt: number,
    mandate: ModelMandate | undefined,
    now: number,
  ): void {
    for (const { lot, amount: part } of [...fromHold, ...parts]) lot.remaining -= part;
    this.debt += debt;
    this.totalSpent += amount;
    const fresh = { at: now, amount: total(parts) + debt };
    if (fresh.amount > 0) mandate?.charges.push({ ...fresh });
    const charges = [...fromHold.map(({ at, amount: part }) => ({ at, amount: part })), fresh];
    const owed = debt > 0 ? [{ lot: undefined, amount: debt }] : [];
    this.spends.push({ parts: [...fromHold, ...parts, ...owed], charges, mandate, amount, givenBack: 0 });
  }

  private end(hold: ModelHold, status: ModelHold['status'], at: number): void {
    const parts = this.drain(hold, Infinity);
    hold.status = status;
    for (const part of parts) hold.mandate?.charges.push({ at: part.at, amount: -part.amount });
    this.repay(parts.map(({ lot }) => lot));
    this.expireLots(at);
  }

  private repay(lots: ModelLot[]): void {
    for (const lot of this.order(lots)) {
      const part = Math.min(this.debt, lot.remaining - lot.held);
      lot.remaining -= part;
      this.debt -= part;
    }
  }

  private order(lots: ModelLot[]): ModelLot[] {
    return this.lots.filter((lot) => lots.includes(lot)).toSorted(byConsumption);
  }

  private bringIn(gift: Pick<ModelLot, 'kind' | 'priority' | 'expiresAt'> & { amount: number }): void {
    const lot = newLot(gift);
    this.lots.push(lot);
    this.repay([lot]);
  }

  private expireLots(at: number): void {
    for (const lot of this.lots) if (lot.expiresAt <= at) lot.remaining = lot.held;
  }

  /** What time does, instant by instant: holds end, then lots expire, then daily credits come. */
  private refresh(now: number): void {
    for (;;) {
      const openHolds = this.holds.filter(({ status }) => status === 'open');
      const at = Math.min(this.nextDailyAt, ...openHolds.map(({ expiresAt }) => expiresAt));
      if (at > now) break;
      this.expireLots(at - 1);
      for (const hold of openHolds) if (hold.expiresAt <= at) this.end(hold, 'expired', at);
      this.expireLots(at);
      if (this.nextDailyAt <= at) this.grantDaily();
    }
    this.expireLots(now);
  }

  private grantDaily(): void {
    this.nextDailyAt += dayMs;
    const unspent = this.lots.reduce((sum, lot) => sum + (lot.isDaily ? lot.remaining : 0), 0);
    const amount = Math.min(this.rules.dailyFree, this.rules.dailyCap - unspent);
    if (amount <= 0) return;
    const lot = newLot({ kind: 'free', amount, priority: 100, expiresAt: Infinity });
    lot.isDaily = true;
    this.lots.push(lot);
    this.repay([lot]);
  }
}
