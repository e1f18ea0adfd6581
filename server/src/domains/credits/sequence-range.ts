import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';

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
  const from = span.from === undefined ? '-infinity' : readInstant(span.from, 'from');
  const to = span.to === undefined ? 'infinity' : readInstant(span.to, 'to');
  const { rows } = await tx.execute<{ after: string; up_to: string }>(sql`
    select credits.sequence_before(${walletId}, ${from}) as after,
           credits.sequence_before(${walletId}, ${to}) as up_to`);
  const after = Number(rows[0]?.after);
  return { after, upTo: Math.max(after, Number(rows[0]?.up_to)) };
}

/** Beyond it, in UTC, years have more digits than PostgreSQL reads. */
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A date is its midnight in UTC. Times before 1970 are all the same to a ledger that did not exist then, and
 * so are those after the year 9999.
 */
function readInstant(text: string, name: string): string {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) {
    throw new AppError('request.invalid', {
      errors: [{ path: `/query/${name}`, message: 'must be a date or a date and time' }],
    });
  }
  return new Date(Math.min(Math.max(0, milliseconds), lastInstant)).toISOString();
}
