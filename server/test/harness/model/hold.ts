import { total, type Part } from './lot.ts';
import type { MandateModel } from './mandate.ts';
import type { WalletModel } from './wallet.ts';

/** A part of a lot that is set aside, and when the mandate was charged with it. */
export type HeldPart = Part & { chargedAt: number };

/** Credits set aside. */
export class HoldModel {
  /** Learned from the answer. */
  id: string | null = null;
  readonly wallet: WalletModel;
  readonly appId: string;
  readonly mandate: MandateModel | null;
  readonly model: string;
  status: 'open' | 'captured' | 'voided' | 'expired' = 'open';
  amount = 0;
  captured = 0;
  readonly createdAt: number;
  expiresAt: number;
  private parts: HeldPart[] = [];

  constructor(given: Pick<HoldModel, 'wallet' | 'appId' | 'mandate' | 'model' | 'expiresAt' | 'createdAt'>) {
    this.wallet = given.wallet;
    this.appId = given.appId;
    this.mandate = given.mandate;
    this.model = given.model;
    this.expiresAt = given.expiresAt;
    this.createdAt = given.createdAt;
  }

  get remaining(): number {
    return total(this.parts);
  }

  /** As the API shows it. */
  view(): Record<string, unknown> {
    const { amount, captured, remaining, status, appId } = this;
    return { amount, captured, remaining, status, appId, expiresAt: new Date(this.expiresAt).toISOString() };
  }

  setAside(parts: Part[], at: number): void {
    const amount = total(parts);
    for (const part of parts) part.lot.held += part.amount;
    this.parts.push(...parts.map((part) => ({ ...part, chargedAt: at })));
    this.amount += amount;
    this.mandate?.charge(at, amount);
    this.wallet.append({
      type: 'hold',
      amount: -amount,
      appId: this.appId,
      at,
      entries: parts.flatMap((part) => this.heldEntries(part, -1)),
    });
  }

  /** Takes the next `amount` of what is set aside. */
  drain(amount: number): HeldPart[] {
    let rest = amount;
    const drained: HeldPart[] = [];
    for (const part of this.parts) {
      const taken = Math.min(rest, part.amount);
      rest -= taken;
      part.amount -= taken;
      part.lot.held -= taken;
      if (taken > 0) drained.push({ ...part, amount: taken });
    }
    this.parts = this.parts.filter((part) => part.amount > 0);
    return drained;
  }

  /** Gives the rest back to its lots and its mandate; it repays what is owed, or goes where its lot went. */
  end(status: HoldModel['status'], at: number): void {
    this.status = status;
    const parts = this.drain(this.remaining);
    if (parts.length === 0) return;
    for (const { amount, chargedAt } of parts) this.mandate?.charge(chargedAt, -amount);
    this.wallet.append({
      type: 'void',
      amount: total(parts),
      appId: this.appId,
      at,
      entries: parts.flatMap((part) => this.heldEntries(part, 1)),
    });
    const lots = parts.map(({ lot }) => lot);
    this.wallet.repay(lots, at);
    if (lots.some(({ expiresAt }) => expiresAt !== null && expiresAt <= at)) this.wallet.expireLots(at);
  }

  private heldEntries({ lot, amount }: Part, direction: 1 | -1) {
    return [
      this.wallet.entry(lot, direction * amount),
      { account: this.wallet.account('held'), amount: -direction * amount, lot },
    ];
  }
}
