import type { Database } from '../../db/index.ts';
import { verifyStrays } from './verify-strays.ts';
import { defaultPartSize, nextWallets, verifyWallets } from './verify-wallets.ts';

/** One row of the ledger that is not what the journal makes of it. */
export type LedgerFinding = { walletId: string; row: string; problem: string };

export type LedgerReport = {
  isSound: boolean;
  wallets: number;
  /** Transactions whose seals have been recomputed. */
  transactions: number;
  /** What is off, by wallet, the cause before what follows from it; at most 100. */
  findings: LedgerFinding[];
};

export type LedgerProgress = {
  /** Wallets proved so far, and the last of them: where a run that was broken off goes on. */
  wallets: number;
  lastWalletId: string;
  transactions: number;
  /** The most that there is to verify. */
  transactionsMax: number;
};

export type VerifyOptions = {
  /** This wallet alone. */
  walletId?: string | undefined;
  /** Wallets behind this one only, in the order of their ids. */
  afterWalletId?: string | undefined;
  /**
   * Only what happened since this time, or in each wallet after this sequence, and the balances as they are;
   * totals need the whole history and are left out.
   */
  since?: Date | number | undefined;
  /** How many transactions one call of the database verifies; a longer journal is verified in parts. */
  partSize?: number;
  onProgress?: (progress: LedgerProgress) => void;
};

const findingsMax = 100;
const noId = '00000000-0000-0000-0000-000000000000';

/**
 * Recomputes balances, lots, entries, sequences and hash chains from the journal, a range of wallets at a
 * time, and names the rows that are off. Locks nothing, so it may run while the service spends; memory does
 * not depend on the size of the ledger or of a wallet.
 */
export async function verifyLedger(db: Database, options: VerifyOptions = {}): Promise<LedgerReport> {
  const { walletId, since, afterWalletId = noId, partSize = defaultPartSize, onProgress } = options;
  const transactionsMax = await countTransactions(db, walletId);
  const hasHistory = since === undefined;
  const findings: LedgerFinding[] = [];
  const room = () => findingsMax - findings.length;
  let [wallets, transactions, lastWalletId] = [0, 0, afterWalletId];
  while (room() > 0) {
    const range = await nextWallets(db, { walletId, since, partSize, afterWalletId: lastWalletId });
    const last = range.at(-1);
    if (!last) break;
    findings.push(
      ...(await verifyWallets(db, range, {
        hasHistory,
        partSize,
        findingsMax: room(),
        onTransactions: (count) => {
          transactions += count;
          onProgress?.({ wallets, transactions, lastWalletId, transactionsMax });
        },
      })),
    );
    wallets += range.length;
    lastWalletId = last.walletId;
    onProgress?.({ wallets, transactions, lastWalletId, transactionsMax });
  }
  if (hasHistory && room() > 0)
    findings.push(...(await verifyStrays(db, { walletId, afterWalletId, findingsMax: room() })));
  return { isSound: findings.length === 0, wallets, transactions, findings };
}

async function countTransactions(db: Database, walletId: string | undefined): Promise<number> {
  const [count] = await db.call<{ transactions: number }>('select * from credits.count_ledger($1)', [
    walletId ?? null,
  ]);
  return count?.transactions ?? 0;
}
