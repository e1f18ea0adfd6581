import { and, desc, eq, ne, sql } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { subscriptions } from '../plan-tables.ts';

export type Subscription = typeof subscriptions.$inferSelect;

/** Statuses in which a subscription is billed again by itself. */
export const liveStatuses: readonly Subscription['status'][] = ['incomplete', 'active', 'past_due'];

/**
 * The subscription of a person that matters: one that lives before one that waits in its checkout, that
 * before one that has ended; the newest of them.
 */
export async function findSubscription(tx: Tx, userId: string): Promise<Subscription | undefined> {
  const order = sql`array_position(array['active', 'past_due', 'incomplete', 'opening', 'ended'], ${subscriptions.status})`;
  const [row] = await tx
    .select()
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), ne(subscriptions.status, 'abandoned')))
    .orderBy(order, desc(subscriptions.createdAt), desc(subscriptions.id))
    .limit(1);
  return row;
}
