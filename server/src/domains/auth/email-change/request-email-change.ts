import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { checkEmail } from '../../users/index.ts';
import { announceChange } from '../factors/announce-change.ts';
import { checkOwnPassword } from '../factors/check-own-password.ts';
import { mayMailLink } from '../recovery/may-mail-link.ts';
import { lockAccount } from '../sign-in/lock-account.ts';

const type = 'email.change_requested';

/**
 * Has a link sent to the address that the caller wants to have, and tells the one they have. The answer is
 * the same whether or not somebody has that address. Throws `request.invalid`, `auth.password_wrong`,
 * `request.rate_limited` after five links within an hour, or too many wrong passwords.
 */
export async function requestEmailChange(
  ctx: Ctx,
  caller: Caller,
  { newEmail, password }: { newEmail: string; password: string },
  origin: RequestOrigin,
): Promise<void> {
  const email = checkEmail(newEmail, '/body/newEmail');
  await checkOwnPassword(ctx, caller, password, origin);
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.session_ended');
    if (!(await mayMailLink(ctx, tx, { userId, type })))
      throw new AppError('request.rate_limited', { headers: { 'retry-after': '3600' } });
    await announceChange(ctx, tx, { user, sessionId, type, notice: 'email_change_asked' }, origin);
    await ctx.jobs.enqueue(tx, 'send-change-email-mail', { userId, newEmail: email, origin });
  });
}
