import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { toRefundDetail, toRefundView, type RefundRow } from './to-refund-view.ts';
import type { RefundDetail, RefundState, RefundView } from './schemas.ts';

type Page = { limit: number; offset: number };
type Listed<View> = { items: View[]; total: number };

/** A page of the refunds of the caller's purchases, the youngest first. Throws `auth.session_ended`. */
export async function listOwnRefunds(ctx: Ctx, caller: Caller, page: Page): Promise<Listed<RefundView>> {
  const { rows, total } = await ctx.db.asServiceFor(caller, (tx) =>
    readRefunds(tx, { ...page, owner: caller.userId, state: null }),
  );
  return { items: rows.map(toRefundView), total };
}

/**
 * A page of everybody's refunds, the youngest first, for administrators. Throws `auth.session_ended`,
 * `auth.admin_required`.
 */
export async function listRefunds(
  ctx: Ctx,
  caller: Caller,
  { state = null, ...page }: Page & { state?: RefundState | null },
): Promise<Listed<RefundDetail>> {
  const { rows, total } = await ctx.db.asAdministrator(caller, (tx) =>
    readRefunds(tx, { ...page, owner: null, state }),
  );
  return { items: rows.map(toRefundDetail), total };
}

async function readRefunds(
  tx: Tx,
  { owner, state, limit, offset }: Page & { owner: string | null; state: RefundState | null },
): Promise<{ rows: RefundRow[]; total: number }> {
  const { rows } = await tx.execute<{ refund: RefundRow; total: number }>(
    sql`select l.refund, l.total::integer as total from payments.list_refunds(${owner}, ${state}, ${limit}, ${offset}) l`,
  );
  return { rows: rows.map(({ refund }) => refund), total: rows[0]?.total ?? 0 };
}
