import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../../auth/index.ts';
import { findRole } from '../enter-application.ts';
import { requireAdmin } from '../require-admin.ts';
import { adminRole } from '../resolve-roles.ts';
import { accessRequests } from '../tables.ts';
import type { Application } from '../to-application-object.ts';
import { readReceivedRequest } from './list-requests.ts';
import type { ReceivedRequest } from './schemas.ts';

export type OpenRequest = { id: string; userId: string; application: Application };
export type Decision = { status: 'approved'; role: string } | { status: 'denied'; reason: string | null };

/**
 * An open request, for an administrator of its application, which is locked against every other change
 * until the transaction ends: of two who decide at once, the second finds it decided. Who made the request
 * decides nothing of it. Throws, in this order, `request.not_found`, `access.own_request`,
 * `access.request_decided`.
 */
export async function requireOpenRequest(tx: Tx, userId: string, id: string): Promise<OpenRequest> {
  const ofRequest = eq(accessRequests.id, id);
  const [found] = await tx
    .select({ applicationId: accessRequests.applicationId, userId: accessRequests.userId })
    .from(accessRequests)
    .where(ofRequest);
  if (!found) throw new AppError('request.not_found');
  if (found.userId === userId) throw new AppError('access.own_request');
  if ((await findRole(tx, found.applicationId, userId)) !== adminRole)
    throw new AppError('request.not_found');
  const application = await requireAdmin(tx, userId, found.applicationId);
  const [current] = await tx.select({ status: accessRequests.status }).from(accessRequests).where(ofRequest);
  assertOpen(current?.status);
  return { id, userId: found.userId, application };
}

/** Throws `access.request_decided` when a request has this status and is not open any more. */
export function assertOpen(status: string | undefined): void {
  if (status === 'pending') return;
  throw new AppError('access.request_decided', { extensions: { requestStatus: status } });
}

/**
 * Writes down a decision, tells whoever asked by mail, and leaves a trace of it in both trails. `tx` is
 * that of `requireOpenRequest`. Throws `access.request_decided` when the request was withdrawn meanwhile.
 */
export async function decideRequest(
  ctx: Ctx,
  tx: Tx,
  { caller, request, decision }: { caller: Caller; request: OpenRequest; decision: Decision },
  origin: RequestOrigin,
): Promise<ReceivedRequest> {
  const { id, userId, application } = request;
  const { status } = decision;
  const role = status === 'approved' ? decision.role : null;
  const reason = status === 'denied' ? decision.reason : null;
  const decided = await tx
    .update(accessRequests)
    .set({
      status,
      grantedRole: role,
      decidedReason: reason,
      decidedBy: caller.userId,
      decidedAt: ctx.clock.now(),
    })
    .where(and(eq(accessRequests.id, id), eq(accessRequests.status, 'pending')));
  if (decided.rowCount === 0) assertOpen((await readReceivedRequest(tx, id)).status);
  await ctx.jobs.enqueue(tx, 'send-access-decision-mail', { requestId: id });
  const details = {
    requestId: id,
    ...(role === null ? {} : { role }),
    ...(reason === null ? {} : { reason }),
  };
  await recordAuditEvent(
    ctx,
    tx,
    {
      action: `access.${status}`,
      actor: { type: 'user', id: caller.userId },
      target: { type: 'application', id: application.id },
      details: { ...details, userId },
    },
    origin,
  );
  const trail = { applicationId: application.id, ...details };
  await recordSecurityEvent(ctx, tx, { type: `access.${status}`, userId, details: trail }, null);
  return readReceivedRequest(tx, id);
}
