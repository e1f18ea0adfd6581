import type { Database } from '../../db/index.ts';
import type { LedgerFinding } from './verify-ledger.ts';

/** A wallet to verify: its transactions behind `after`, of which the last has the sequence `upTo`. */
export type WalletSpan = { walletId: string; after: number; upTo: number };

export type FindingRow = { wallet_id: string; row_id: string; problem: string };

const walletsMax = 1000;
/** A call takes a second or so, and a wallet with a longer journal is verified in parts of this size. */
export const defaultPartSize = 50_000;

/** The next wallets in the order of their ids, as many as one call should verify; none at the end. */
export async function nextWallets(
  db: Database,
  options: {
    walletId: string | undefined;
    afterWalletId: string;
    since: Date | number | undefined;
    partSize: number;
  },
): Promise<WalletSpan[]> {
  const { walletId, afterWalletId, since, partSize } = options;
  const rows = await db.call<{ wallet_id: string; after: number; up_to: number }>(
    'select * from credits.wallets_to_verify($1, $2, $3, $4, $5, $6)',
    [
      afterWalletId,
      walletId ?? null,
      since instanceof Date ? since : null,
      typeof since === 'number' ? since : null,
      walletsMax,
      partSize,
    ],
  );
  return rows.map((row) => ({ walletId: row.wallet_id, after: row.after, upTo: row.up_to }));
}

/**
 * Everything that is off in these wallets. Without `hasHistory`, totals are left out, and the journal is
 * verified from where each span begins.
 */
export async function verifyWallets(
  db: Database,
  spans: WalletSpan[],
  options: {
    hasHistory: boolean;
    findingsMax: number;
    partSize?: number;
    onTransactions?: (count: number) => void;
  },
): Promise<LedgerFinding[]> {
  const { partSize = defaultPartSize } = options;
  const findings: LedgerFinding[] = [];
  const [first] = spans;
  let begin = spans;
  if (first && spans.length === 1 && first.upTo - first.after > partSize) {
    let { after } = first;
    for (; first.upTo - after > partSize; after += partSize) {
      findings.push(...(await verifyJournalPart(db, { ...first, after, upTo: after + partSize }, options)));
      options.onTransactions?.(partSize);
    }
    begin = [{ ...first, after }];
  }
  findings.push(...(await callVerify(db, begin, { upTo: null, ...options })));
  options.onTransactions?.(begin.reduce((sum, { after, upTo }) => sum + upTo - after, 0));
  return findings.slice(0, options.findingsMax);
}

/** What is off in the journal of a wallet within the span, its head left aside. */
export async function verifyJournalPart(
  db: Database,
  span: WalletSpan,
  options: { findingsMax: number },
): Promise<LedgerFinding[]> {
  return callVerify(db, [span], { upTo: span.upTo, hasHistory: false, ...options });
}

/** A part of a journal when `upTo` is given, else everything there is to say of the wallets. */
async function callVerify(
  db: Database,
  spans: WalletSpan[],
  options: { upTo: number | null; hasHistory: boolean; findingsMax: number },
): Promise<LedgerFinding[]> {
  const rows = await db.call<FindingRow>('select * from credits.verify_wallets($1, $2, $3, $4, $5, $6)', [
    spans.map(({ walletId }) => walletId),
    spans.map(({ after }) => after),
    options.upTo,
    options.upTo === null,
    options.hasHistory,
    options.findingsMax,
  ]);
  return rows.map(toFinding);
}

/** A row of a verifying function as a finding. */
export function toFinding({ wallet_id, row_id, problem }: FindingRow): LedgerFinding {
  return { walletId: wallet_id, row: row_id, problem };
}
