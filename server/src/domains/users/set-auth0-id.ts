import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { users } from './tables.ts';

/** Notes the `sub` by which Auth0 knows a person; the first one stays. `tx` is the service's. */
export async function setAuth0Id(
  ctx: Ctx,
  tx: Tx,
  { userId, auth0Id }: { userId: string; auth0Id: string },
): Promise<void> {
  await tx
    .update(users)
    .set({ auth0Id, updatedAt: ctx.clock.now() })
    .where(and(eq(users.id, userId), isNull(users.auth0Id)));
}

/** Forgets it, when Auth0 signs the person in no more. `tx` is the service's. */
export async function forgetAuth0Id(ctx: Ctx, tx: Tx, userId: string): Promise<void> {
  await tx
    .update(users)
    .set({ auth0Id: null, updatedAt: ctx.clock.now() })
    .where(and(eq(users.id, userId), isNotNull(users.auth0Id)));
}
