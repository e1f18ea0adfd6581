import { sql } from 'drizzle-orm';
import type { Database } from '../../db/index.ts';

/**
 * The sum of all entries of an account, of whatever size: each wallet stays within 2^53, all together need
 * not. Wallets are summed up: `wallets:free`, `wallets:paid`, `wallets:held`.
 */
export type AccountBalance = { account: string; amount: bigint };

/**
 * The balance of every account, from the entries. They sum to zero: what people hold, have spent and have let
 * expire is what was issued and sold.
 */
export async function readTrialBalance(db: Database): Promise<AccountBalance[]> {
  return db.asService(async (tx) => {
    const { rows } = await tx.execute<{ account: string; amount: string }>(sql`
      select regexp_replace(e.account, '^wallet:[0-9a-f-]{36}:', 'wallets:') as account,
             sum(e.amount)::text as amount
        from credits.entries e
       group by 1 order by 1`);
    return rows.map(({ account, amount }) => ({ account, amount: BigInt(amount) }));
  });
}
