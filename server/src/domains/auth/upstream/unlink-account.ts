import { and, asc, eq, isNull, ne, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { forgetAuth0Id, lockUser } from '../../users/index.ts';
import { announceChange } from '../factors/announce-change.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { accounts, sessions } from '../tables.ts';
import { isAuth0 } from './find-person.ts';

/**
 * Removes an account at another provider from the ways in of the caller, and ends the sessions that it opened
 * but this one. The last way in stays: whoever removes two at once keeps one. Throws `auth.step_up_required`,
 * `request.not_found`, `auth.last_way_in`.
 */
export async function unlinkAccount(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockUser(tx, userId);
    await assertRecentSignIn(ctx, caller, tx);
    const isOwn = and(eq(accounts.id, id), eq(accounts.userId, userId));
    const [account] = await tx.select().from(accounts).where(isOwn).for('update');
    if (!account) throw new AppError('request.not_found');
    const { rows } = await tx.execute<{ count: number }>(sql`select auth.count_ways_in(${userId}) as count`);
    if ((rows[0]?.count ?? 0) < 2) throw new AppError('auth.last_way_in');
    await endSessionsOf(ctx, tx, id, sessionId);
    await tx.delete(accounts).where(isOwn);
    if (isAuth0(ctx, account.provider)) await forgetAuth0Id(ctx, tx, userId);
    const change = { type: 'account.unlinked', notice: 'account_unlinked' } as const;
    const details = { provider: account.provider };
    await announceChange(ctx, tx, { user, sessionId, ...change, details }, origin);
  });
}

async function endSessionsOf(ctx: Ctx, tx: Tx, accountId: string, keptSessionId: string): Promise<void> {
  const isEnded = and(
    eq(sessions.accountId, accountId),
    isNull(sessions.revokedAt),
    ne(sessions.id, keptSessionId),
  );
  await tx.select({ id: sessions.id }).from(sessions).where(isEnded).orderBy(asc(sessions.id)).for('update');
  const changes = { revokedAt: ctx.clock.now(), revokedReason: 'unlinked' };
  await tx.update(sessions).set(changes).where(isEnded);
}
