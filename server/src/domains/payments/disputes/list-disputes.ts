import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { ProviderName } from '../facts.ts';
import type { DisputeView } from './schemas.ts';

/** A dispute as `payments.dispute_view` writes it. */
export type DisputeRow = {
  provider: ProviderName;
  dispute_id: string;
  payment_id: string;
  status: 'open' | 'lost' | 'won';
  amount_cents: number;
  currency: string;
  is_live: boolean;
  updated_at: string;
  purchase_id: string | null;
  title: string | null;
  user_id: string | null;
  email: string | null;
  credits: number | null;
  posted_credits: number | null;
  debt: number | null;
};

/**
 * A page of disputes, those that changed last first, for administrators. Throws `auth.session_ended`,
 * `auth.admin_required`.
 */
export async function listDisputes(
  ctx: Ctx,
  caller: Caller,
  { status = null, limit, offset }: { status?: DisputeView['status'] | null; limit: number; offset: number },
): Promise<{ items: DisputeView[]; total: number }> {
  const { rows } = await ctx.db.asAdministrator(caller, (tx) =>
    tx.execute<{ dispute: DisputeRow; total: number }>(
      sql`select l.dispute, l.total::integer as total from payments.list_disputes(${status}, ${limit}, ${offset}) l`,
    ),
  );
  return { items: rows.map(({ dispute }) => toDisputeView(dispute)), total: rows[0]?.total ?? 0 };
}

function toDisputeView(row: DisputeRow): DisputeView {
  return {
    disputeId: row.dispute_id,
    provider: row.provider,
    paymentId: row.payment_id,
    status: row.status,
    amountCents: row.amount_cents,
    currency: row.currency,
    isTest: !row.is_live,
    updatedAt: new Date(row.updated_at).toISOString(),
    purchaseId: row.purchase_id,
    title: row.title,
    userId: row.user_id,
    email: row.email,
    credits: row.credits,
    creditsLeft: row.posted_credits,
    walletDebt: row.debt,
  };
}
