import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { grants } from './tables.ts';

/** Notes that an application was given a token under this grant. `tx` is the service's. */
export async function touchGrant(ctx: Ctx, tx: Tx, id: string): Promise<void> {
  await tx.update(grants).set({ lastUsedAt: ctx.clock.now() }).where(eq(grants.id, id));
}
