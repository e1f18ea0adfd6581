import { and, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { passkeys } from '../factor-tables.ts';
import { announceChange } from '../factors/announce-change.ts';
import { endFactorsIfNone } from '../factors/end-factors.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';

/**
 * Removes a passkey of the caller. After the last second factor, backup codes and remembered devices go, too.
 * The last way in stays: whoever removes two at once keeps one. Throws `auth.step_up_required`,
 * `request.not_found`, `auth.last_way_in`.
 */
export async function removePasskey(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    await assertRecentSignIn(ctx, caller, tx);
    const rows = await tx
      .delete(passkeys)
      .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
      .returning({ id: passkeys.id });
    if (rows.length === 0) throw new AppError('request.not_found');
    const counted = await tx.execute<{ left: number }>(sql`select auth.count_ways_in(${userId}) as left`);
    if (counted.rows[0]?.left === 0) throw new AppError('auth.last_way_in');
    await endFactorsIfNone(tx, userId);
    const change = { user, sessionId, type: 'passkey.removed', details: { passkeyId: id } } as const;
    await announceChange(ctx, tx, { ...change, notice: 'passkey_removed' }, origin);
  });
}
