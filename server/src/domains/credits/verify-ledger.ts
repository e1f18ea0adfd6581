import type { Database } from '../../db/index.ts';

/** One row of the ledger that is not what the journal makes of it. */
export type LedgerFinding = { walletId: string; row: string; problem: string };

export type LedgerReport = {
  isSound: boolean;
  wallets: number;
  transactions: number;
  /** What is off, the cause before what follows from it; at most 100. */
  findings: LedgerFinding[];
};

const findingsMax = 100;

/**
 * Recomputes balances, lots, entries, sequences and hash chains from the journal, of all wallets or of one,
 * and names the rows that are off. Sees one snapshot and locks nothing, so it may run while the service
 * spends.
 */
export async function verifyLedger(
  db: Database,
  { walletId = null }: { walletId?: string | null } = {},
): Promise<LedgerReport> {
  const findings = await db.call<{ wallet_id: string; row_id: string; problem: string }>(
    'select * from credits.verify_ledger($1, $2)',
    [walletId, findingsMax],
  );
  const [counts] = await db.call<{ wallets: number; transactions: number }>(
    'select * from credits.count_ledger($1)',
    [walletId],
  );
  return {
    isSound: findings.length === 0,
    wallets: counts?.wallets ?? 0,
    transactions: counts?.transactions ?? 0,
    findings: findings.map(({ wallet_id, row_id, problem }) => ({
      walletId: wallet_id,
      row: row_id,
      problem,
    })),
  };
}
