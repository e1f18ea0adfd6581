import type { Ctx } from '../../ctx.ts';
import type { JobData } from '../../jobs/index.ts';
import { apiKeyMail } from '../../mail/templates.ts';

/** Job: tells who made an API key that there is one. Rejects when the mail was not taken. */
export async function sendApiKeyMail(
  ctx: Ctx,
  { email, name, applicationName, at }: JobData['send-api-key-mail'],
): Promise<void> {
  const keysUrl = `${ctx.config.appUrl}/api-keys`;
  await ctx.mail.send(apiKeyMail({ to: email, name, applicationName, at: new Date(at), keysUrl }));
}
