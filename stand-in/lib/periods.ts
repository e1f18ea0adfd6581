export type Interval = 'day' | 'week' | 'month' | 'year';

const daySeconds = 86_400;

/**
 * The end of the period that `start` lies in, of periods counted from `anchor`. Months end on the day of the
 * anchor, or on their last day when they are shorter. All times are seconds.
 */
export function periodEnd(anchor: number, start: number, interval: Interval, count: number): number {
  for (let step = 1; ; step++) {
    const end = shifted(anchor, interval, step * count);
    if (end > start) return end;
  }
}

function shifted(seconds: number, interval: Interval, steps: number): number {
  if (interval === 'day') return seconds + steps * daySeconds;
  if (interval === 'week') return seconds + steps * 7 * daySeconds;
  const date = new Date(seconds * 1000);
  const months = date.getUTCMonth() + (interval === 'year' ? 12 : 1) * steps;
  const first = new Date(date);
  first.setUTCDate(1);
  first.setUTCMonth(months);
  const days = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date.getUTCDate(), days));
  return first.getTime() / 1000;
}
