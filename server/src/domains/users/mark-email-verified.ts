import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { users } from './tables.ts';

/**
 * Notes that the person has shown the address to be theirs; the first time counts. Returns whether this was
 * it. `tx` is the service's.
 */
export async function markEmailVerified(ctx: Ctx, tx: Tx, userId: string): Promise<boolean> {
  const now = ctx.clock.now();
  const { rowCount } = await tx
    .update(users)
    .set({ emailVerifiedAt: now, updatedAt: now })
    .where(and(eq(users.id, userId), isNull(users.emailVerifiedAt)));
  return rowCount === 1;
}
