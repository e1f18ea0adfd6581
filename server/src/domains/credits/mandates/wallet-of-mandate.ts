import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { createBoundedMap } from '../../../lib/bounded-map.ts';
import type { Spender } from '../holds/transact-credits.ts';

/** The wallets of mandates, by app and mandate. A mandate never changes its wallet. */
const known = createBoundedMap<string>(10_000);

/**
 * The wallet in whose turn a question about a mandate belongs: a person asks about their own, an app about
 * one that it was given; the mandate's own id when it was given no such. Throws `auth.application_invalid`.
 */
export async function walletOfMandate(ctx: Ctx, spender: Spender, mandateId: string): Promise<string> {
  if ('userId' in spender) return spender.userId;
  const { clientId } = spender;
  const walletId = known.get(`${clientId} ${mandateId}`);
  if (walletId !== undefined) return walletId;
  const { rows } = await ctx.db.asServiceForApplication(spender, (tx) =>
    tx.execute<{ wallet_id: string }>(sql`
      select m.wallet_id from credits.mandates m
       where m.id = ${mandateId} and m.app_id = ${clientId} and m.wallet_id is not null`),
  );
  const found = rows[0]?.wallet_id;
  if (found !== undefined) known.set(`${clientId} ${mandateId}`, found);
  return found ?? mandateId;
}
