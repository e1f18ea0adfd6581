import { and, desc, eq, ne, sql } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { subscriptions } from '../plan-tables.ts';

export type Subscription = typeof subscriptions.$inferSelect;

/** Statuses in which a subscription is billed again by itself. */
export const liveStatuses: readonly Subscription['status'][] = ['incomplete', 'active', 'past_due'];

/**
 * The subscription of a person that matters: one that lives before one that waits in its checkout, that
 * before one that has ended; one that goes on before one that ends with its period; the newest of them. So
 * whoever ends one of several comes to the next.
 */
export async function findSubscription(tx: Tx, userId: string): Promise<Subscription | undefined> {
  const isNotBilled = sql`${subscriptions.status} not in ('active', 'past_due', 'incomplete')`;
  const order = sql`array_position(array['active', 'past_due', 'incomplete', 'opening', 'ended'], ${subscriptions.status})`;
  const [row] = await tx
    .select()
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), ne(subscriptions.status, 'abandoned')))
    .orderBy(
      isNotBilled,
      subscriptions.cancelsAtPeriodEnd,
      order,
      desc(subscriptions.createdAt),
      desc(subscriptions.id),
    )
    .limit(1);
  return row;
}

/** A subscription of which it is known that it is there. `tx` is the service's. */
export async function readRow(tx: Tx, id: string): Promise<Subscription> {
  const [row] = await tx.select().from(subscriptions).where(eq(subscriptions.id, id));
  if (!row) throw new Error(`subscription ${id} is not there`);
  return row;
}

/** Whether anything is left to end of a subscription, or of its checkout: at once, or with its period. */
export function goesOn({ status, cancelsAtPeriodEnd }: Subscription, isAtOnce: boolean): boolean {
  return status !== 'ended' && status !== 'abandoned' && (isAtOnce || !cancelsAtPeriodEnd);
}
