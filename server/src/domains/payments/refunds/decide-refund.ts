import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { toRefundDetail, type RefundRow } from './to-refund-view.ts';
import type { RefundDetail } from './schemas.ts';
import { sendRefund } from './send-refund.ts';

/**
 * Approves a refund that was asked for, which then goes to the provider, or denies it, whose credits then
 * come back. Of two who decide at once one does. Throws `auth.session_ended`, `auth.admin_required`,
 * `request.not_found`, `payments.refund_decided`, `payments.not_refundable`, `payments.refund_exceeds`.
 */
export async function decideRefund(
  ctx: Ctx,
  caller: Caller,
  decision: { refundId: string; isApproved: boolean; reason?: string | undefined },
  origin: RequestOrigin,
): Promise<RefundDetail> {
  const asked = {
    id: decision.refundId,
    user_id: caller.userId,
    session_id: caller.sessionId,
    is_approved: decision.isApproved,
    reason: decision.reason,
    ip_address: origin.ipAddress,
  };
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const [row] = await ctx.db.call<{ refund: RefundRow }>(
    'select payments.decide_refund($1, $2, $3, $4) as refund',
    [JSON.stringify(asked), ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  if (!row) throw new Error('payments.decide_refund returned no row');
  await reachFaultPoint('refund.begun');
  return toRefundDetail(decision.isApproved ? await sendRefund(ctx, row.refund) : row.refund);
}
