import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';

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
  const [today, oldest] = [dayOf(ctx, 0), dayOf(ctx, keptDays)];
  await tx.execute(sql`select apps.count_sign_in(${applicationId}, ${userId}, ${today}, ${oldest})`);
}

/** The day in UTC that was so many days ago, as PostgreSQL writes it. */
export function dayOf({ clock }: Pick<Ctx, 'clock'>, daysAgo: number): string {
  return new Date(clock.now().getTime() - daysAgo * 86_400_000).toISOString().slice(0, 10);
}
