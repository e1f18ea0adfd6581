import type { MandateChanges, MandateView } from './schemas.ts';

/** What a mandate, or the budget of a key, allows. */
type Terms = Pick<MandateView, 'allowance' | 'period' | 'kinds' | 'maxPerSpend'> &
  Partial<Pick<MandateView, 'overrun' | 'overrunMax' | 'expiresAt'>>;

/**
 * Whether changes allow more than the terms so far in anything. Another period does: what is left begins
 * anew with it. Pausing and resuming do not.
 */
export function raisesTerms(terms: Terms, changes: MandateChanges): boolean {
  const { allowance, period, kinds = [], maxPerSpend, overrun, overrunMax, expiresAt } = changes;
  const isSafe = overrun === undefined || overrun === 'refuse' || overrun === terms.overrun;
  return (
    (allowance ?? 0) > terms.allowance ||
    (period ?? terms.period) !== terms.period ||
    kinds.some((kind) => !terms.kinds.includes(kind)) ||
    liftsLimit(terms.maxPerSpend, maxPerSpend) ||
    !isSafe ||
    (overrunMax ?? 0) > (terms.overrunMax ?? 0) ||
    liftsLimit(toTime(terms.expiresAt ?? null), toTime(expiresAt))
  );
}

/** Whether a limit is given up (null), or is higher then. Without a limit, none can be lifted. */
function liftsLimit(limit: number | null | undefined, next: number | null | undefined): boolean {
  if (next === undefined || limit === undefined || limit === null) return false;
  return next === null || next > limit;
}

function toTime(instant: string | null | undefined): number | null | undefined {
  return instant === undefined || instant === null ? instant : new Date(instant).getTime();
}
