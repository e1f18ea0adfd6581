import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { VerifiedAccount } from '../sign-in/sign-in-person.ts';
import { accounts } from '../tables.ts';
import { personCodeTarget, spendSessionCode } from './session-code.ts';

/**
 * Who has just shown at a provider who they are, on the way to a page: the code must be for that page, at the
 * browser that went there. Spends it. Throws `auth.code_invalid`.
 */
export async function redeemPersonCode(
  ctx: Ctx,
  { code, path, browser = '' }: { code: string; path: string; browser: string | undefined },
): Promise<VerifiedAccount> {
  const account = await ctx.db.asService(async (tx) => {
    const boundTo = personCodeTarget(path, browser);
    const spent = await spendSessionCode(ctx, tx, { code, boundTo, verifier: undefined });
    if (!spent || !('accountId' in spent)) return undefined;
    const { accountId } = spent;
    const [found] = await tx
      .select({ userId: accounts.userId })
      .from(accounts)
      .where(eq(accounts.id, accountId));
    return found && { userId: found.userId, accountId, amr: ['fed' as const] };
  });
  if (!account) throw new AppError('auth.code_invalid');
  return account;
}
