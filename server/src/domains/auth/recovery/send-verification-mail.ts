import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { verificationMail } from '../../../mail/templates.ts';
import { findUserByEmail } from '../../users/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { createLinkToken, linkTtlMinutes } from './create-link-token.ts';
import { mayMailLink } from './may-mail-link.ts';

const type = 'email.verification_requested';

/**
 * Job: sends the link that confirms an address, if an active account has it unconfirmed and has not been sent
 * several just now; otherwise does nothing. Tried again, it sends a new token; earlier links keep working.
 * Rejects when the mail was not taken.
 */
export async function sendVerificationMail(
  ctx: Ctx,
  { email, origin }: JobData['send-verification-mail'],
): Promise<void> {
  const link = await ctx.db.asService(async (tx) => {
    const user = await findUserByEmail(tx, email);
    if (!user?.isActive || user.emailVerifiedAt) return undefined;
    if (!(await mayMailLink(ctx, tx, { userId: user.id, type }))) return undefined;
    return {
      userId: user.id,
      token: await createLinkToken(ctx, tx, { userId: user.id, email, purpose: 'verify_email' }),
    };
  });
  if (!link) return;
  const url = `${ctx.config.appUrl}/verify-email?token=${link.token}`;
  await ctx.mail.send(verificationMail({ to: email, url, validMinutes: linkTtlMinutes }));
  await ctx.db.asService((tx) => recordSecurityEvent(ctx, tx, { type, userId: link.userId }, origin));
}
