import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { endMandates } from '../credits/index.ts';
import { grants } from './tables.ts';

/**
 * Ends what a person consented to for an application: the grant, with it every token that was issued under
 * it, and the leave to spend. Returns whether there was anything to end. `tx` is the service's.
 */
export async function endAccess(
  ctx: Ctx,
  tx: Tx,
  { applicationId, clientId, userId }: { applicationId: string; clientId: string; userId: string },
): Promise<boolean> {
  const now = ctx.clock.now();
  const revoked = await tx
    .update(grants)
    .set({ revokedAt: now, updatedAt: now })
    .where(and(eq(grants.applicationId, applicationId), eq(grants.userId, userId), isNull(grants.revokedAt)));
  const ended = await endMandates(ctx, tx, { clientId, userId });
  return (revoked.rowCount ?? 0) + ended > 0;
}
