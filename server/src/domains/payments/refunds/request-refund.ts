import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { beginRefund, type RefundOrder } from './begin-refund.ts';
import { toRefundView } from './to-refund-view.ts';
import type { RefundView } from './schemas.ts';

/**
 * Asks for money of a purchase of the caller's back, up to what its own unspent credits are worth. They leave
 * the wallet in the same transaction, so nobody spends what they have asked to be refunded. An administrator
 * decides, unless REFUNDS_AUTOMATIC_WITHIN says that nobody need. Throws `auth.session_ended`,
 * `request.not_found`, `idempotency.mismatch`, `payments.refund_open`, `payments.not_refundable`,
 * `payments.refund_exceeds`.
 */
export async function requestRefund(
  ctx: Ctx,
  caller: Caller,
  order: RefundOrder,
): Promise<{ refund: RefundView; isReplay: boolean }> {
  const { refund, isReplay } = await beginRefund(ctx, caller, order, { isAdministrator: false });
  return { refund: toRefundView(refund), isReplay };
}
