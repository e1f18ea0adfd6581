import { and, asc, eq, gt, inArray, lte } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { refreshOwnWallets } from './refresh-own-wallets.ts';
import type { Movement } from './schemas.ts';
import { sequenceRange, type SequenceRange } from './sequence-range.ts';
import { transactions } from './tables.ts';

/** A month of a wallet. `opening` plus the amounts of the movements is `closing`. */
export type Statement = {
  month: string;
  /** Inclusive. */
  from: string;
  /** Exclusive. */
  to: string;
  opening: number;
  closing: number;
  /** Oldest first, in pages, so that a long month is never held in memory. */
  movements: AsyncGenerator<Movement[]>;
};

const pageSize = 500;

/**
 * The caller's statement of a month (`YYYY-MM`, UTC). Which transactions belong to it is settled at once; as
 * the journal never changes, pages read later still add up. Throws `auth.session_ended`.
 */
export async function readStatement(ctx: Ctx, caller: Caller, month: string): Promise<Statement> {
  const { from, to } = spanOfMonth(month);
  return ctx.db.asCaller(caller, async (tx) => {
    await refreshOwnWallets(ctx, tx);
    const range = await sequenceRange(tx, caller.userId, { from, to });
    const balances = await balancesAfter(tx, caller.userId, range);
    const opening = balances.get(range.after) ?? 0;
    const closing = balances.get(range.upTo) ?? 0;
    return { month, from, to, opening, closing, movements: readMovements(ctx, caller, range) };
  });
}

function spanOfMonth(month: string): { from: string; to: string } {
  const from = new Date(`${month}-01T00:00:00.000Z`);
  const to = new Date(from);
  to.setUTCMonth(to.getUTCMonth() + 1);
  return { from: from.toISOString(), to: to.toISOString() };
}

async function balancesAfter(
  tx: Tx,
  walletId: string,
  { after, upTo }: SequenceRange,
): Promise<Map<number, number>> {
  const rows = await tx
    .select({ sequence: transactions.sequence, balanceAfter: transactions.balanceAfter })
    .from(transactions)
    .where(and(eq(transactions.walletId, walletId), inArray(transactions.sequence, [after, upTo])));
  return new Map(rows.map((row) => [row.sequence, row.balanceAfter]));
}

async function* readMovements(ctx: Ctx, caller: Caller, range: SequenceRange): AsyncGenerator<Movement[]> {
  let { after } = range;
  while (after < range.upTo) {
    const rows = await ctx.db.asCaller(caller, (tx) =>
      selectMovements(tx, caller.userId, { ...range, after }),
    );
    const last = rows.at(-1);
    if (!last) return;
    after = last.sequence;
    yield rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
  }
}

function selectMovements(tx: Tx, walletId: string, { after, upTo }: SequenceRange) {
  return tx
    .select({
      sequence: transactions.sequence,
      id: transactions.id,
      createdAt: transactions.createdAt,
      type: transactions.type,
      appId: transactions.appId,
      description: transactions.description,
      amount: transactions.amount,
      balanceAfter: transactions.balanceAfter,
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
