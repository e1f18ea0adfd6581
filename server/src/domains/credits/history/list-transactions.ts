import { and, desc, eq, gt, lte, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { readWallet } from '../read-wallet.ts';
import type { TransactionView } from '../schemas.ts';
import { transactions, type TransactionType } from '../tables.ts';
import { sequenceRange } from './sequence-range.ts';

export type TransactionQuery = {
  limit: number;
  offset: number;
  /** From a page's `next`; wins over `offset`. */
  cursor?: string;
  appId?: string;
  type?: TransactionType;
  /** Inclusive. */
  from?: string;
  /** Exclusive. */
  to?: string;
};

export type TransactionPage = { items: TransactionView[]; total: number; nextCursor: string | undefined };

/**
 * A page of a wallet's transactions with their entries, newest first, and how many there are in all; of the
 * caller's own wallet unless another is named that they may read. A page costs the same however long the
 * history is; only the total of a list filtered by app or type is counted. Throws `auth.session_ended`,
 * `request.invalid`.
 */
export async function listTransactions(
  ctx: Ctx,
  caller: Caller,
  query: TransactionQuery,
  walletId = caller.userId,
): Promise<TransactionPage> {
  const before = query.cursor === undefined ? undefined : readCursor(query.cursor);
  return readWallet(ctx, caller, walletId, async (tx) => {
    const range = await sequenceRange(tx, walletId, query);
    const filters = [
      eq(transactions.walletId, walletId),
      gt(transactions.sequence, range.after),
      query.appId === undefined ? undefined : eq(transactions.appId, query.appId),
      query.type === undefined ? undefined : eq(transactions.type, query.type),
    ];
    const isFiltered = query.appId !== undefined || query.type !== undefined;
    const all = and(...filters, lte(transactions.sequence, range.upTo));
    const total = isFiltered ? await countTransactions(tx, all) : range.upTo - range.after;
    const upTo = Math.min(range.upTo, (before ?? Infinity) - 1);
    const rows = await selectTransactions(tx, and(...filters, lte(transactions.sequence, upTo)))
      .limit(query.limit + 1)
      .offset(before === undefined ? query.offset : 0);
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    return {
      items: items.map((item) => ({ ...item, createdAt: item.createdAt.toISOString() })),
      total,
      nextCursor: rows.length > items.length && last ? writeCursor(last.sequence) : undefined,
    };
  });
}

const entriesInOrder = sql<TransactionView['entries']>`(
  select jsonb_agg(
           jsonb_build_object('account', e.account, 'amount', e.amount, 'lotId', e.lot_id) order by e.ordinal)
    from credits.entries e where e.transaction_id = credits.transactions.id)`;

function selectTransactions(tx: Tx, where: SQL | undefined) {
  return tx
    .select({
      sequence: transactions.sequence,
      id: transactions.id,
      type: transactions.type,
      status: transactions.status,
      amount: transactions.amount,
      balanceBefore: transactions.balanceBefore,
      balanceAfter: transactions.balanceAfter,
      appId: transactions.appId,
      description: transactions.description,
      metadata: sql<Record<string, unknown> | null>`${transactions.metadata}`,
      idempotencyKey: transactions.idempotencyKey,
      createdAt: transactions.createdAt,
      hash: sql<string>`encode(${transactions.hash}, 'hex')`,
      reversesId: transactions.reversesId,
      entries: entriesInOrder,
    })
    .from(transactions)
    .where(where)
    .orderBy(desc(transactions.sequence))
    .$dynamic();
}

async function countTransactions(tx: Tx, where: SQL | undefined): Promise<number> {
  const [row] = await tx
    .select({ count: sql<number>`count(*)::integer` })
    .from(transactions)
    .where(where);
  return row?.count ?? 0;
}

function writeCursor(sequence: number): string {
  return Buffer.from(`s${sequence}`).toString('base64url');
}

function readCursor(cursor: string): number {
  const match = /^s(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match) return exactInteger(match[1]);
  throw new AppError('request.invalid', {
    errors: [{ path: '/query/cursor', message: 'must be the cursor of a page' }],
  });
}
