import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { changeEmailMail } from '../../../mail/templates.ts';
import { findUser, findUserByEmail } from '../../users/index.ts';
import { createLinkToken, linkTtlMinutes } from '../recovery/create-link-token.ts';

/**
 * Job: sends the link that gives an account another address, unless the address has an account by then.
 * Rejects when the mail was not taken.
 */
export async function sendChangeEmailMail(
  ctx: Ctx,
  { userId, newEmail: email }: JobData['send-change-email-mail'],
): Promise<void> {
  const token = await ctx.db.asService(async (tx) => {
    const user = await findUser(tx, userId);
    if (!user?.isActive || (await findUserByEmail(tx, email))) return undefined;
    return createLinkToken(ctx, tx, { userId, email, purpose: 'change_email' });
  });
  if (token === undefined) return;
  const url = `${ctx.config.appUrl}/change-email?token=${token}`;
  await ctx.mail.send(changeEmailMail({ to: email, url, validMinutes: linkTtlMinutes }));
}
