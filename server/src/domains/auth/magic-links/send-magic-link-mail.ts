import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { magicLinkMail } from '../../../mail/templates.ts';
import { findUserByEmail } from '../../users/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { createLinkToken } from '../recovery/create-link-token.ts';
import { mayMailLink } from '../recovery/may-mail-link.ts';

const type = 'magic_link.requested';
/** Shorter than other links, because it signs in by itself. */
const ttlMinutes = 15;

/**
 * Job: sends the link that signs in, if an active account has this address and has not been sent several just
 * now. Where nobody has confirmed the address, opening the link gives the account to who reads its mails.
 * Rejects when the mail was not taken.
 */
export async function sendMagicLinkMail(
  ctx: Ctx,
  { email, origin }: JobData['send-magic-link-mail'],
): Promise<void> {
  const link = await ctx.db.asService(async (tx) => {
    const user = await findUserByEmail(tx, email);
    if (!user?.isActive) return undefined;
    if (!(await mayMailLink(ctx, tx, { userId: user.id, type }))) return undefined;
    const token = { userId: user.id, email, purpose: 'magic_link' as const, ttlMinutes };
    return { userId: user.id, token: await createLinkToken(ctx, tx, token) };
  });
  if (!link) return;
  const url = `${ctx.config.appUrl}/magic-link?token=${link.token}`;
  await ctx.mail.send(magicLinkMail({ to: email, url, validMinutes: ttlMinutes }));
  await ctx.db.asService((tx) => recordSecurityEvent(ctx, tx, { type, userId: link.userId }, origin));
}
