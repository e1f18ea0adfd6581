import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { noticeMail } from '../../../mail/templates.ts';

/** Job: tells an address what was done to its account. Rejects when the mail was not taken. */
export async function sendNoticeMail(
  ctx: Ctx,
  { email, notice, at }: JobData['send-notice-mail'],
): Promise<void> {
  const resetUrl = `${ctx.config.appUrl}/forgot-password`;
  await ctx.mail.send(noticeMail({ to: email, notice, at: new Date(at), resetUrl }));
}
