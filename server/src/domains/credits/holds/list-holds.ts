import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { readWallet } from '../read-wallet.ts';
import { resolveWallet } from '../resolve-wallet.ts';
import type { HoldsQuery, HoldView } from './schemas.ts';
import type { Spender } from './transact-credits.ts';

export type HoldPage = { items: HoldView[]; total: number; nextOffset: number | undefined };

/**
 * A page of the holds on a wallet, newest first; an app sees its own only, and so does a plain member of a
 * team. What has expired by now says so.
 * Throws `request.invalid`, `auth.session_ended`, `auth.application_invalid`.
 */
export async function listHolds(ctx: Ctx, spender: Spender, query: HoldsQuery): Promise<HoldPage> {
  const { limit, offset, status } = query;
  const walletId = resolveWallet(spender, query, '/query');
  const filters: SQL[] = [sql`h.wallet_id = ${walletId}`];
  if (status !== undefined) filters.push(sql`h.status = ${status}`);
  if (spender.clientId !== undefined) filters.push(sql`h.app_id = ${spender.clientId}`);
  const where = sql.join(filters, sql` and `);
  return readWallet(ctx, spender, walletId, async (tx) => {
    const counted = await tx.execute<{ total: number }>(
      sql`select count(*)::integer as total from credits.holds h where ${where}`,
    );
    const { rows } = await tx.execute<{ view: HoldView }>(sql`
      select credits.hold_view(h) as view from credits.holds h where ${where}
       order by h.created_at desc, h.id desc limit ${limit} offset ${offset}`);
    const total = counted.rows[0]?.total ?? 0;
    const items = rows.map(({ view }) => view);
    return { items, total, nextOffset: offset + items.length < total ? offset + items.length : undefined };
  });
}
