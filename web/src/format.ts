/** A number as people write it: 1,500. The same on the server and in every browser. */
export function countOf(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function creditsOf(amount: number): string {
  return amount === 1 ? '1 credit' : `${countOf(amount)} credits`;
}

/** What credits cost, rounded to whole cents: €5.00. */
export function eurosOf(credits: number, creditsPerEur: number): string {
  const cents = Math.round((credits * 100) / creditsPerEur);
  return `€${countOf(Math.trunc(cents / 100))}.${String(cents % 100).padStart(2, '0')}`;
}

const months = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** The day of a time, in UTC, as budgets begin: 1 April 2026. */
export function dayOf(time: string): string {
  const [year = '', month = '1', day = '1'] = time.slice(0, 10).split('-');
  return `${Number(day)}\u00a0${months[Number(month) - 1]} ${year}`;
}
