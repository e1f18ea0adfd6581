import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { decideRequest, requireOpenRequest } from './decide-request.ts';
import type { ReceivedRequest } from './schemas.ts';

/**
 * Denies a request for access; whoever asked is told, with the reason if there is one, and may ask again.
 * Throws, in this order, `request.not_found`, `access.own_request`, `access.request_decided`.
 */
export async function denyRequest(
  ctx: Ctx,
  caller: Caller,
  { id, reason }: { id: string; reason?: string | null | undefined },
  origin: RequestOrigin,
): Promise<ReceivedRequest> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const request = await requireOpenRequest(tx, caller.userId, id);
    const decision = { status: 'denied' as const, reason: reason?.trim() || null };
    return decideRequest(ctx, tx, { caller, request, decision }, origin);
  });
}
