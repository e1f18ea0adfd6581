import type { Ctx } from '../../ctx.ts';
import { sendApiKeyMail } from './send-api-key-mail.ts';

/** Names who does the jobs of this domain. */
export function handleApiKeyJobs(ctx: Ctx): void {
  ctx.jobs.handle('send-api-key-mail', (data) => sendApiKeyMail(ctx, data));
}
