import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { securityMail } from '../../../mail/templates.ts';

/** Job: tells an address of a sign-in or of an attack on its account. Rejects when the mail was not taken. */
export async function sendSecurityMail(
  ctx: Ctx,
  { email, at, ...rest }: JobData['send-security-mail'],
): Promise<void> {
  const resetUrl = `${ctx.config.appUrl}/forgot-password`;
  await ctx.mail.send(securityMail({ ...rest, to: email, at: new Date(at), resetUrl }));
}
