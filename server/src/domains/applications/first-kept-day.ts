import type { Ctx } from '../../ctx.ts';

/** For how long sign-ins to an application are counted by day, for its statistics. */
const keptDays = 35;

/** The oldest day of which they are kept, in UTC. */
export function firstKeptDay(ctx: Pick<Ctx, 'clock'>): string {
  return dayOf(ctx, keptDays);
}

/** The day in UTC that was so many days ago, as PostgreSQL writes it. */
export function dayOf({ clock }: Pick<Ctx, 'clock'>, daysAgo: number): string {
  return new Date(clock.now().getTime() - daysAgo * 86_400_000).toISOString().slice(0, 10);
}
