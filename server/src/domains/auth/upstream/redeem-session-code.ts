import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { findSession } from '../find-session.ts';
import { spendSessionCode } from './session-code.ts';

/**
 * Who has just signed in at a provider on the way to a page: the code must be for that page, and of the
 * session that this browser is signed in with. Spends it. Throws `auth.code_invalid`.
 */
export async function redeemSessionCode(
  ctx: Ctx,
  { code, path, cookie }: { code: string; path: string; cookie: string | undefined },
): Promise<Caller> {
  const session = await ctx.db.asService(async (tx) => {
    const sessionId = await spendSessionCode(ctx, tx, { code, boundTo: path, verifier: undefined });
    const own = cookie === undefined ? undefined : await findSession(ctx, tx, { cookie });
    return own?.id === sessionId ? own : undefined;
  });
  if (!session) throw new AppError('auth.code_invalid');
  return { userId: session.userId, sessionId: session.id };
}
