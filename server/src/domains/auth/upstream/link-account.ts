import { and, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { violatedConstraint, type Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { lockUser } from '../../users/index.ts';
import { announceChange } from '../factors/announce-change.ts';
import { accounts } from '../tables.ts';
import { addAccount } from './find-person.ts';
import type { Identity } from './identity.ts';

/**
 * Adds an account at another provider to the ways in of the caller. Both sides must have confirmed their
 * addresses, which need not be the same; a mail tells of it. Adding one's own account again changes nothing.
 * Throws `auth.session_ended`, `auth.email_unverified`, `auth.account_linked_elsewhere`.
 */
export async function linkAccount(
  ctx: Ctx,
  caller: Caller,
  identity: Identity,
  origin: RequestOrigin,
): Promise<void> {
  const { issuer, subject, isEmailVerified } = identity;
  const { userId, sessionId } = caller;
  try {
    await ctx.db.asServiceFor(caller, async (tx) => {
      const user = await lockUser(tx, userId);
      const at = ctx.clock.now().toISOString();
      await tx.execute(sql`select auth.assert_session(${userId}, ${sessionId}, ${at})`);
      const [known] = await tx
        .select({ userId: accounts.userId })
        .from(accounts)
        .where(and(eq(accounts.provider, issuer), eq(accounts.providerAccountId, subject)));
      if (known?.userId === userId) return;
      if (known) throw new AppError('auth.account_linked_elsewhere');
      if (!isEmailVerified || user.emailVerifiedAt === null) throw new AppError('auth.email_unverified');
      await addAccount(ctx, tx, user, identity);
      const change = {
        type: 'account.linked',
        notice: 'account_linked',
        details: { provider: issuer },
      } as const;
      await announceChange(ctx, tx, { user, sessionId, ...change }, origin);
    });
  } catch (error) {
    if (violatedConstraint(error) !== 'accounts_provider_account_key') throw error;
    throw new AppError('auth.account_linked_elsewhere', { cause: error });
  }
}
