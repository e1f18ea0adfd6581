import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { readWallet } from '../read-wallet.ts';
import type { BalanceAtView } from './schemas.ts';

type Row = { sequence: string; hash: Buffer; free: string; paid: string; held: string };

/**
 * The caller's balance as it was at an instant: what `readBalance` answered then, recomputed from the journal
 * with everything that happened at that instant. Nothing before the wallet was opened. Throws
 * `auth.session_ended`, and `request.invalid` for an instant that has not come yet.
 */
export async function readBalanceAt(ctx: Ctx, caller: Caller, at: string): Promise<BalanceAtView> {
  const instant = readInstant(at, '/query/at');
  if (Date.parse(instant) > ctx.clock.now().getTime()) {
    throw new AppError('request.invalid', {
      errors: [{ path: '/query/at', message: 'must not lie in the future' }],
    });
  }
  return readWallet(ctx, caller, caller.userId, async (tx) => {
    const { rows } = await tx.execute<Row>(
      sql`select * from credits.balance_at(${caller.userId}, ${instant})`,
    );
    const [row] = rows;
    if (!row) throw new Error('credits.balance_at returned no row');
    const [free, paid] = [exactInteger(row.free), exactInteger(row.paid)];
    const held = exactInteger(row.held);
    return {
      at: instant,
      balance: paid,
      freeCreditsRemaining: free,
      held,
      available: free + paid - held,
      head: { sequence: exactInteger(row.sequence), hash: row.hash.toString('hex') },
    };
  });
}
