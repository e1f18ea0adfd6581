import { total, type Kind } from './lot.ts';

export type Terms = {
  allowance: number;
  period: 'day' | 'week' | 'month' | 'total';
  kinds: Kind[];
  maxPerSpend: number | null;
  overrun: 'refuse' | 'spill' | 'debt';
  overrunMax: number;
  expiresAt: number | null;
};

export type Refusal = { code: string; details: Record<string, unknown> };

export const refuse = (code: string, details: Record<string, unknown> = {}): Refusal => ({ code, details });

const dayMs = 86_400_000;

/** When the period began that an instant is in, in UTC; weeks begin on Monday. */
function periodStart(period: Terms['period'], instant: number): number {
  if (period === 'total') return -Infinity;
  const date = new Date(instant);
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  if (period === 'day') return midnight;
  if (period === 'week') return midnight - ((date.getUTCDay() + 6) % 7) * dayMs;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function nextPeriodStart(period: Terms['period'], instant: number): string | null {
  if (period === 'total') return null;
  const start = periodStart(period, instant);
  const date = new Date(start);
  const next = { day: start + dayMs, week: start + 7 * dayMs }[period as 'day' | 'week'];
  return new Date(next ?? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)).toISOString();
}

/** A consent to spend, with everything that it was ever charged, at the instants at which it was. */
export class MandateModel {
  id: string | null = null;
  status: 'active' | 'paused' | 'revoked' = 'active';
  readonly charges: { at: number; amount: number }[] = [];
  readonly memberId: string | null;
  terms: Terms;

  constructor(terms: Terms, memberId: string | null = null) {
    this.terms = terms;
    this.memberId = memberId;
  }

  charge(at: number, amount: number): void {
    this.charges.push({ at, amount });
  }

  used(now: number): number {
    const start = periodStart(this.terms.period, now);
    return total(this.charges.filter(({ at }) => at >= start));
  }

  statusAt(now: number): string {
    return this.status !== 'revoked' && this.hasExpired(now) ? 'expired' : this.status;
  }

  /** As the API shows it. */
  view(now: number): Record<string, unknown> {
    const { allowance, period, kinds, maxPerSpend, overrun, overrunMax } = this.terms;
    const used = this.used(now);
    return {
      allowance,
      period,
      kinds,
      maxPerSpend,
      overrun,
      overrunMax,
      used,
      remaining: Math.max(0, allowance - used),
      status: this.statusAt(now),
      resetsAt: nextPeriodStart(period, now),
    };
  }

  /** Whether `amount` more may be charged, `amountInAll` for this spend or hold. */
  judge(amount: number, amountInAll: number, now: number): Refusal | null {
    if (this.status !== 'active') return refuse('mandate.required', { reason: this.status });
    if (this.hasExpired(now)) return refuse('mandate.required', { reason: 'expired' });
    const { allowance, maxPerSpend, period } = this.terms;
    if (maxPerSpend !== null && amountInAll > maxPerSpend) {
      return refuse('mandate.exceeded', {
        limit: 'maxPerSpend',
        required: amountInAll,
        remaining: maxPerSpend,
      });
    }
    const used = this.used(now);
    if (used + amount <= allowance) return null;
    return refuse('mandate.exceeded', {
      limit: 'allowance',
      required: amount,
      remaining: Math.max(0, allowance - used),
      resetsAt: nextPeriodStart(period, now),
    });
  }

  private hasExpired(now: number): boolean {
    return this.terms.expiresAt !== null && this.terms.expiresAt <= now;
  }
}
