import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import type { Spender } from './holds/transact-credits.ts';
import { refreshWallet } from './refresh-wallet.ts';

/**
 * Reads what belongs to a wallet, after what time has done to it. A person reads under their own context; for
 * an app the work itself must name the app. Throws what `readWallets` does.
 */
export function readWallet<T>(
  ctx: Ctx,
  spender: Spender,
  walletId: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return readWallets(ctx, spender, { wallets: seenBy(spender, walletId), subject: walletId }, work);
}

/**
 * Reads what belongs to the wallets that `wallets` selects the ids of, as far as the reader sees their
 * balances. Only where something is due is a lock taken: in the wallet's turn, and by a transaction of its
 * own, so that nobody waits for what a long history takes to be read. Nobody has more than two connections
 * with one `subject`. Throws `auth.session_ended`, `auth.application_invalid`, `server.busy`.
 */
export async function readWallets<T>(
  ctx: Ctx,
  spender: Spender,
  { wallets, subject }: { wallets: SQL; subject: string },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const at = ctx.clock.now().toISOString();
  const reader = 'userId' in spender ? spender.userId : spender.applicationId;
  const read = <Found>(reading: (tx: Tx) => Promise<Found>): Promise<Found> =>
    ctx.turns.take(`${reader} reads ${subject}`, () => enter(ctx, spender, reading));
  const first = await read<{ due: string[] } | { due?: undefined; value: T }>(async (tx) => {
    const due = await selectDue(tx, wallets, at);
    return due.length > 0 ? { due } : { value: await work(tx) };
  });
  if (first.due === undefined) return first.value;
  for (const walletId of first.due) {
    await ctx.turns.take(walletId, () => enter(ctx, spender, (tx) => refreshWallet(ctx, tx, walletId)));
  }
  return read(work);
}

function enter<T>(ctx: Ctx, spender: Spender, work: (tx: Tx) => Promise<T>): Promise<T> {
  return 'userId' in spender ? ctx.db.asCaller(spender, work) : ctx.db.asServiceForApplication(spender, work);
}

/** The wallet, if the policies let the person see it, or the app has had to do with it. */
function seenBy(spender: Spender, walletId: string): SQL {
  if ('userId' in spender) return sql`${walletId}::uuid`;
  return sql`
    select ${walletId}::uuid
     where exists (select from credits.mandates m
                    where m.wallet_id = ${walletId} and m.app_id = ${spender.clientId})
        or exists (select from credits.holds h
                    where h.wallet_id = ${walletId} and h.app_id = ${spender.clientId})`;
}

async function selectDue(tx: Tx, wallets: SQL, at: string): Promise<string[]> {
  const { rows } = await tx.execute<{ wallet_id: string }>(sql`
    select b.wallet_id from credits.balances b
     where b.wallet_id in (${wallets}) and least(b.next_daily_at, b.next_expiry_at) <= ${at}`);
  return rows.map(({ wallet_id: walletId }) => walletId);
}
