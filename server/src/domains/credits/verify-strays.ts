import type { Database } from '../../db/index.ts';
import type { LedgerFinding } from './verify-ledger.ts';
import { toFinding, type FindingRow } from './verify-wallets.ts';

const noId = '00000000-0000-0000-0000-000000000000';
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const entriesMax = 200_000;

/**
 * Finds what no wallet leads to: journals of wallets that do not exist, and entries of transactions that do
 * not exist. Reads the index of every entry, a part at a time, even when only one wallet's are wanted.
 */
export async function verifyStrays(
  db: Database,
  options: { walletId: string | undefined; afterWalletId: string; findingsMax: number },
): Promise<LedgerFinding[]> {
  const { walletId, afterWalletId, findingsMax } = options;
  const findings: LedgerFinding[] = [];
  const keep = (rows: FindingRow[]) =>
    findings.push(...rows.map(toFinding).filter((found) => (walletId ?? found.walletId) === found.walletId));
  keep(await db.call<FindingRow>('select * from credits.verify_owners($1, $2)', [afterWalletId, lastId]));
  for (let after: string | null = noId; after !== null && findings.length < findingsMax;) {
    const upTo: string | null = await nextEntries(db, after);
    keep(await db.call<FindingRow>('select * from credits.verify_entries($1, $2)', [after, upTo ?? lastId]));
    after = upTo;
  }
  return findings.slice(0, findingsMax);
}

/** The transaction with which the next part of the entries ends; null for the last part. */
async function nextEntries(db: Database, after: string): Promise<string | null> {
  const [row] = await db.call<{ id: string | null }>('select credits.entries_to_verify($1, $2) as id', [
    after,
    entriesMax,
  ]);
  return row?.id ?? null;
}
