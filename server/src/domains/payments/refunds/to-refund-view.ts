import { toIso } from '../../../lib/to-iso.ts';
import type { ProviderName } from '../fact.ts';
import type { RefundDetail, RefundView } from './schemas.ts';

/** A refund as `payments.refund_view` writes it. */
export type RefundRow = {
  id: string;
  purchase_id: string;
  title: string;
  provider: ProviderName;
  amount_cents: number;
  currency: string;
  state: RefundView['state'];
  reason: string | null;
  decision: string | null;
  problem: string | null;
  user_id: string | null;
  email: string | null;
  requested_by: string | null;
  decided_by: string | null;
  decided_at: string | null;
  created_at: string;
};

/** A refund as its buyer sees it. */
export function toRefundView(row: RefundRow): RefundView {
  return {
    id: row.id,
    purchaseId: row.purchase_id,
    title: row.title,
    provider: row.provider,
    amountCents: row.amount_cents,
    currency: row.currency,
    state: row.state,
    reason: row.reason,
    decision: row.decision,
    createdAt: toIso(row.created_at),
    decidedAt: toIso(row.decided_at),
  };
}

/** A refund as administrators see it. */
export function toRefundDetail(row: RefundRow): RefundDetail {
  return {
    ...toRefundView(row),
    userId: row.user_id,
    email: row.email,
    requestedBy: row.requested_by,
    decidedBy: row.decided_by,
    problem: row.problem,
  };
}
