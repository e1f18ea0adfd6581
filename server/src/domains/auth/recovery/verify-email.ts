import type { Ctx } from '../../../ctx.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { markEmailVerified } from '../../users/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { consumeLinkToken } from './consume-link-token.ts';

/** Confirms the address that the token was sent to. Throws `auth.link_invalid`. */
export async function verifyEmail(
  ctx: Ctx,
  { token }: { token: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asService(async (tx) => {
    const { userId } = await consumeLinkToken(ctx, tx, { token, purpose: 'verify_email' });
    await markEmailVerified(ctx, tx, userId);
    await recordSecurityEvent(ctx, tx, { type: 'email.verified', userId }, origin);
  });
}
