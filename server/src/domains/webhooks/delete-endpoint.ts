import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { requireEndpoint } from './require-endpoint.ts';
import { endpoints } from './tables.ts';

/**
 * Deletes an endpoint with its log; nothing more is sent to it. Throws `request.not_found`,
 * `applications.admin_required`.
 */
export async function deleteEndpoint(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    const { applicationId, url } = await requireEndpoint(tx, caller.userId, id);
    await tx.delete(endpoints).where(eq(endpoints.id, id));
    const event = {
      action: 'endpoint.deleted' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'endpoint', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { applicationId, url } }, origin);
  });
}
