import { and, asc, eq, gt, inArray, lte, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { readWallet } from '../read-wallet.ts';
import { transactions } from '../tables.ts';
import type { ExportLane } from './export-lane.ts';
import type { Movement } from './schemas.ts';
import { sequenceRange, type SequenceRange } from './sequence-range.ts';

/** A month, or a span of time of which the end is now unless it is given. */
export type StatementQuery = { month?: string; from?: string; to?: string };

/** Where the chain of a wallet was; sequence 0 before its first transaction. */
export type Head = { sequence: number; hash: string };

/** A period of a wallet. `opening` plus the amounts of the movements is `closing`. */
export type Statement = {
  month: string | null;
  /** Inclusive. */
  from: string;
  /** Exclusive. */
  to: string;
  opening: number;
  closing: number;
  openingHead: Head;
  closingHead: Head;
  /** Oldest first, in pages, so that a long period is never held in memory. */
  movements: AsyncGenerator<Movement[]>;
};

const pageSize = 500;
const emptyHead = { balanceAfter: 0, hash: '0'.repeat(64) };

/**
 * The statement of a period, of the caller's own wallet unless another is named that they may read. Which
 * transactions belong to it is settled at once; as the journal never changes, pages read later still add
 * up. A page holds no connection while the reader takes it in, and further pages take their turn in `lane`.
 * Throws `auth.session_ended`, `request.invalid`.
 */
export async function readStatement(
  ctx: Ctx,
  lane: ExportLane,
  caller: Caller,
  query: StatementQuery,
  walletId = caller.userId,
): Promise<Statement> {
  const { from, to } = spanOf(query, ctx.clock.now());
  return readWallet(ctx, caller, walletId, async (tx) => {
    const range = await sequenceRange(tx, walletId, { from, to });
    const heads = await readHeads(tx, walletId, range);
    const opening = heads.get(range.after) ?? emptyHead;
    const closing = heads.get(range.upTo) ?? emptyHead;
    return {
      month: query.month ?? null,
      from,
      to,
      opening: opening.balanceAfter,
      closing: closing.balanceAfter,
      openingHead: { sequence: range.after, hash: opening.hash },
      closingHead: { sequence: range.upTo, hash: closing.hash },
      movements: readMovements(ctx, lane, caller, { ...range, walletId }),
    };
  });
}

function spanOf({ month, from, to }: StatementQuery, now: Date): { from: string; to: string } {
  if (month === undefined && from !== undefined)
    return {
      from: readInstant(from, '/query/from'),
      to: to === undefined ? now.toISOString() : readInstant(to, '/query/to'),
    };
  if (month === undefined || from !== undefined || to !== undefined) {
    const message = 'give a month, or the start of a period and perhaps its end';
    throw new AppError('request.invalid', { errors: [{ path: '/query/month', message }] });
  }
  const first = new Date(`${month}-01T00:00:00.000Z`);
  const next = new Date(first);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return { from: first.toISOString(), to: next.toISOString() };
}

const hash = sql<string>`encode(${transactions.hash}, 'hex')`;

async function readHeads(
  tx: Tx,
  walletId: string,
  { after, upTo }: SequenceRange,
): Promise<Map<number, { balanceAfter: number; hash: string }>> {
  const rows = await tx
    .select({ sequence: transactions.sequence, balanceAfter: transactions.balanceAfter, hash })
    .from(transactions)
    .where(and(eq(transactions.walletId, walletId), inArray(transactions.sequence, [after, upTo])));
  return new Map(rows.map((row) => [row.sequence, row]));
}

async function* readMovements(
  ctx: Ctx,
  lane: ExportLane,
  caller: Caller,
  { walletId, ...range }: SequenceRange & { walletId: string },
): AsyncGenerator<Movement[]> {
  let { after } = range;
  while (after < range.upTo) {
    const readPage = () =>
      ctx.db.asCaller(caller, (tx) => selectMovements(tx, walletId, { ...range, after }));
    const rows = after === range.after ? await readPage() : await lane(readPage);
    const last = rows.at(-1);
    // The balances promise these movements: without them the export must not look whole.
    if (!last) throw new Error(`the movements behind ${after} can no longer be read`);
    after = last.sequence;
    yield rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
  }
}

/** What a transaction changed of the balance; a hold and its end change nothing of it. */
const change = sql<number>`${transactions.balanceAfter} - ${transactions.balanceBefore}`.mapWith(
  exactInteger,
);
const setAside = sql<number>`${change} - ${transactions.amount}`.mapWith(exactInteger);

function selectMovements(tx: Tx, walletId: string, { after, upTo }: SequenceRange) {
  return tx
    .select({
      sequence: transactions.sequence,
      id: transactions.id,
      createdAt: transactions.createdAt,
      type: transactions.type,
      appId: transactions.appId,
      description: transactions.description,
      amount: change,
      balanceAfter: transactions.balanceAfter,
      hash,
      setAside,
    })
    .from(transactions)
    .where(
      and(
        eq(transactions.walletId, walletId),
        gt(transactions.sequence, after),
        lte(transactions.sequence, upTo),
      ),
    )
    .orderBy(asc(transactions.sequence))
    .limit(pageSize);
}
