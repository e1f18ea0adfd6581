import { and, eq, lt, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { signIns } from './tables.ts';

const keptDays = 35;

/**
 * Counts that a person signed in to an application, for its statistics: per day in UTC, and for 35 days.
 * `tx` is the service's.
 */
export async function recordSignIn(
  ctx: Ctx,
  tx: Tx,
  { applicationId, userId }: { applicationId: string; userId: string },
): Promise<void> {
  const { userId: person, applicationId: application, day, count } = signIns;
  await tx
    .insert(signIns)
    .values({ applicationId, userId, day: dayOf(ctx, 0), count: 1 })
    .onConflictDoUpdate({ target: [application, day, person], set: { count: sql`${count} + 1` } });
  await tx
    .delete(signIns)
    .where(and(eq(application, applicationId), eq(person, userId), lt(day, dayOf(ctx, keptDays))));
}

/** The day in UTC that was so many days ago, as PostgreSQL writes it. */
export function dayOf({ clock }: Pick<Ctx, 'clock'>, daysAgo: number): string {
  return new Date(clock.now().getTime() - daysAgo * 86_400_000).toISOString().slice(0, 10);
}
