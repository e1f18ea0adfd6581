import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../../auth/index.ts';
import { accessRequests } from '../tables.ts';
import { assertOpen } from './decide-request.ts';
import { readOwnRequest } from './list-requests.ts';
import type { RequestObject } from './schemas.ts';

/**
 * Takes the caller's own request for access back. Throws `request.not_found`, `access.request_decided`.
 */
export async function withdrawRequest(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<RequestObject> {
  const { userId, sessionId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const isOwn = and(eq(accessRequests.id, id), eq(accessRequests.userId, userId));
    const [withdrawn] = await tx
      .update(accessRequests)
      .set({ status: 'withdrawn', decidedAt: ctx.clock.now() })
      .where(and(isOwn, eq(accessRequests.status, 'pending')))
      .returning({ applicationId: accessRequests.applicationId });
    if (!withdrawn) {
      const [found] = await tx.select({ status: accessRequests.status }).from(accessRequests).where(isOwn);
      if (!found) throw new AppError('request.not_found');
      assertOpen(found.status);
      throw new Error('An open request could not be withdrawn');
    }
    const { applicationId } = withdrawn;
    const target = { type: 'application', id: applicationId };
    const event = {
      action: 'access.withdrawn' as const,
      actor: { type: 'user' as const, id: userId },
      target,
    };
    await recordAuditEvent(ctx, tx, { ...event, details: { requestId: id } }, origin);
    const details = { applicationId, requestId: id };
    await recordSecurityEvent(ctx, tx, { type: 'access.withdrawn', userId, sessionId, details }, origin);
    return readOwnRequest(tx, id);
  });
}
