import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';

/** Notes that an application was given a token under this grant. `tx` is the service's. */
export async function touchGrant(ctx: Ctx, tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`select apps.touch_grant(${id}, ${ctx.clock.now()})`);
}
