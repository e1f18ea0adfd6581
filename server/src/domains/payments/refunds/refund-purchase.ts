import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { beginRefund, type RefundOrder } from './begin-refund.ts';
import { toRefundDetail } from './to-refund-view.ts';
import type { RefundDetail } from './schemas.ts';

/**
 * Refunds any purchase, whole or in part, on an administrator's word, and notes it in the audit trail.
 * Credits of it that are spent become debt. When the provider does not answer, it is asked again until it
 * does. Throws `auth.session_ended`, `auth.admin_required`, `request.not_found`, `idempotency.mismatch`,
 * `payments.refund_open`, `payments.not_refundable`, `payments.refund_exceeds`.
 */
export async function refundPurchase(
  ctx: Ctx,
  caller: Caller,
  order: RefundOrder,
  origin: RequestOrigin,
): Promise<{ refund: RefundDetail; isReplay: boolean }> {
  const { refund, isReplay } = await beginRefund(ctx, caller, order, { isAdministrator: true, origin });
  return { refund: toRefundDetail(refund), isReplay };
}
