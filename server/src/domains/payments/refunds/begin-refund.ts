import { createHash } from 'node:crypto';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import type { RefundRow } from './to-refund-view.ts';
import { sendRefund } from './send-refund.ts';

export type RefundOrder = {
  purchaseId: string;
  amountCents?: number;
  reason: string;
  idempotencyKey?: string;
};

/**
 * Asks for money of a purchase back, as its buyer or as an administrator. The credits leave the wallet at
 * once; one that needs no decision goes to the provider at once. Throws `auth.session_ended`,
 * `auth.admin_required`, `request.not_found`, `idempotency.mismatch`, `payments.refund_open`,
 * `payments.not_refundable`, `payments.refund_exceeds`.
 */
export async function beginRefund(
  ctx: Ctx,
  caller: Caller,
  { idempotencyKey, ...order }: RefundOrder,
  options: { isAdministrator: boolean; origin?: RequestOrigin },
): Promise<{ refund: RefundRow; isReplay: boolean }> {
  const { refundsAutomaticSeconds, creditsDailyFree, creditsDailyCap } = ctx.config;
  const asked = {
    id: newId(ctx),
    user_id: caller.userId,
    session_id: caller.sessionId,
    purchase_id: order.purchaseId,
    amount_cents: order.amountCents,
    reason: order.reason,
    idempotency_key: idempotencyKey,
    request_hash: createHash('sha256').update(canonicalJson(order)).digest('hex'),
    is_administrator: options.isAdministrator,
    automatic_seconds: refundsAutomaticSeconds,
    ip_address: options.origin?.ipAddress,
  };
  const [row] = await ctx.db.call<{ refund: RefundRow & { is_replay: boolean } }>(
    'select payments.begin_refund($1, $2, $3, $4) as refund',
    [JSON.stringify(asked), ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  if (!row) throw new Error('payments.begin_refund returned no row');
  await reachFaultPoint('refund.begun');
  const { is_replay: isReplay, ...refund } = row.refund;
  return { refund: refund.state === 'approved' ? await sendRefund(ctx, refund) : refund, isReplay };
}
