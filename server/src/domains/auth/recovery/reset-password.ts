import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { assertAcceptablePassword, type PasswordOwner } from '../assert-acceptable-password.ts';
import { assertUnbreachedPassword } from '../assert-unbreached-password.ts';
import { consumeLinkToken } from './consume-link-token.ts';
import { giveToMailbox } from './give-to-mailbox.ts';
import { replacePassword } from './replace-password.ts';

/**
 * Sets a new password by the token of a reset mail: spends the token, ends every session, tells the address.
 * Signs nobody in, so a second factor is asked for as ever. The address counts as confirmed, since the mail
 * was read there; if it was not before, see `giveToMailbox`. A refused password leaves the token as it is.
 * Throws `auth.link_invalid`, `auth.password_unacceptable`.
 */
export async function resetPassword(
  ctx: Ctx,
  { token, newPassword }: { token: string; newPassword: string },
  origin: RequestOrigin,
): Promise<void> {
  const owner = await findLinkOwner(ctx, token);
  if (!owner) throw new AppError('auth.link_invalid');
  assertAcceptablePassword(newPassword, owner, '/body/newPassword');
  await assertUnbreachedPassword(ctx, newPassword, '/body/newPassword');
  const newHash = await ctx.passwords.hash(newPassword);
  await ctx.db.asService(async (tx) => {
    const { userId, email } = await consumeLinkToken(ctx, tx, { token, purpose: 'reset_password' });
    await giveToMailbox(ctx, tx, { userId, by: 'password_reset' }, origin);
    await replacePassword(ctx, tx, { userId, email, newHash, notice: 'password_reset' }, origin);
  });
}

/** Whose reset link it is, without spending it: nobody has us hash passwords with an invented token. */
async function findLinkOwner(ctx: Ctx, token: string): Promise<PasswordOwner | undefined> {
  return ctx.db.asService(async (tx) => {
    const { rows } = await tx.execute<{ email: string; username: string | null; name: string | null }>(sql`
      select u.email, u.username, u.name
        from auth.verification_tokens t join auth.users u on u.id = t.user_id
       where t.token_hash = ${hashOpaqueToken(token)} and t.purpose = 'reset_password'
         and t.consumed_at is null and t.expires_at > ${ctx.clock.now().toISOString()}`);
    return rows[0];
  });
}
