import { sql } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { readInstant } from '../../../http/read-instant.ts';

export type SequenceRange = { after: number; upTo: number };

/**
 * The transactions of a wallet within a span of time, as a range of their sequence: `from` inclusive, `to`
 * exclusive, either may be absent. Throws `request.invalid`.
 */
export async function sequenceRange(
  tx: Tx,
  walletId: string,
  span: { from?: string; to?: string },
): Promise<SequenceRange> {
  const from = span.from === undefined ? '-infinity' : readInstant(span.from, '/query/from');
  const to = span.to === undefined ? 'infinity' : readInstant(span.to, '/query/to');
  const { rows } = await tx.execute<{ after: string; up_to: string }>(sql`
    select credits.sequence_before(${walletId}, ${from}) as after,
           credits.sequence_before(${walletId}, ${to}) as up_to`);
  const after = exactInteger(rows[0]?.after);
  return { after, upTo: Math.max(after, exactInteger(rows[0]?.up_to)) };
}
