import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { changeEmail } from '../../users/index.ts';
import { announceChange } from '../factors/announce-change.ts';
import { lockAccount } from '../sign-in/lock-account.ts';

/**
 * Gives an account the address that its link was sent to, and tells the one before. Links to the address
 * before are void. Throws `auth.link_invalid`, and `users.email_taken` when somebody registered the address
 * meanwhile.
 */
export async function confirmEmailChange(
  ctx: Ctx,
  { token }: { token: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asService(async (tx) => {
    const { userId, email } = await consumeToken(ctx, tx, token);
    const user = await lockAccount(tx, userId);
    if (!user) throw new AppError('auth.link_invalid');
    await changeEmail(ctx, tx, userId, email);
    await announceChange(ctx, tx, { user, type: 'email.changed', notice: 'email_changed' }, origin);
  });
}

/** Spends the token in one statement, and with it every other change that was asked for. */
async function consumeToken(ctx: Ctx, tx: Tx, token: string): Promise<{ userId: string; email: string }> {
  const now = ctx.clock.now().toISOString();
  const { rows } = await tx.execute<{ userId: string; email: string }>(sql`
    update auth.verification_tokens set consumed_at = ${now}
     where token_hash = ${hashOpaqueToken(token)} and purpose = 'change_email'
       and consumed_at is null and expires_at > ${now}
    returning user_id as "userId", email`);
  const [owner] = rows;
  if (!owner) throw new AppError('auth.link_invalid');
  await tx.execute(sql`
    update auth.verification_tokens set consumed_at = ${now}
     where user_id = ${owner.userId} and purpose = 'change_email' and consumed_at is null`);
  return owner;
}
