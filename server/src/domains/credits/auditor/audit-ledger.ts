import type { Ctx } from '../../../ctx.ts';
import type { LedgerFinding, LedgerReport } from '../verify-ledger.ts';
import { verifyJournalPart, verifyWallets, type WalletSpan } from '../verify-wallets.ts';
import { drawIds, drawInteger, firstIdOf } from './draw.ts';

/** How much one audit looks at: a few seconds of one connection, whatever the size of the ledger. */
const drawsMax = 20;
const walletsPerDraw = 10;
const changedMax = 200;
const transactionsMax = 2000;
const changedWithinMs = 20 * 60_000;
const findingsMax = 100;

/**
 * Proves a sample of the ledger: wallets drawn by lot, and those that changed within the last 20 minutes. Of
 * a history longer than 2000 transactions, one such part: the newest, or another one by lot. Locks nothing.
 */
export async function auditLedger(ctx: Ctx): Promise<LedgerReport> {
  const wallets = await chooseWallets(ctx);
  const short = wallets.filter(({ upTo }) => upTo <= transactionsMax);
  const long = wallets.filter(({ upTo }) => upTo > transactionsMax).map((wallet) => choosePart(ctx, wallet));
  const findings: LedgerFinding[] = [];
  for (let at = 0; at < short.length; at += walletsPerDraw) {
    const some = short.slice(at, at + walletsPerDraw);
    findings.push(...(await verifyWallets(ctx.db, some, { hasHistory: true, findingsMax })));
  }
  for (const { isNewest, ...span } of long) {
    const options = { hasHistory: false, findingsMax };
    const found = isNewest
      ? await verifyWallets(ctx.db, [span], options)
      : await verifyJournalPart(ctx.db, span, options);
    findings.push(...found);
  }
  const transactions = [...short, ...long].reduce((sum, { after, upTo }) => sum + upTo - after, 0);
  return { isSound: findings.length === 0, wallets: wallets.length, transactions, findings };
}

async function chooseWallets(ctx: Ctx): Promise<WalletSpan[]> {
  const [range] = await ctx.db.call<{ first_id: string | null; last_id: string | null }>(
    'select * from credits.wallet_id_range()',
    [],
  );
  if (!range?.first_id || !range.last_id) return [];
  const draws = drawIds(ctx, { first: range.first_id, last: range.last_id, count: drawsMax });
  const since = new Date(ctx.clock.now().getTime() - changedWithinMs);
  const rows = await ctx.db.call<{ wallet_id: string; sequence: number }>(
    'select * from credits.wallets_to_audit($1, $2, $3, $4)',
    [draws, walletsPerDraw, firstIdOf(since), changedMax],
  );
  return rows.map(({ wallet_id, sequence }) => ({ walletId: wallet_id, after: 0, upTo: sequence }));
}

/** The newest part every other time, otherwise any part. */
function choosePart(ctx: Ctx, { walletId, upTo }: WalletSpan): WalletSpan & { isNewest: boolean } {
  const isNewest = drawInteger(ctx, 2) === 0;
  const after = isNewest ? upTo - transactionsMax : drawInteger(ctx, upTo - transactionsMax);
  return { walletId, after, upTo: after + transactionsMax, isNewest };
}
