import type { Ctx } from '../../ctx.ts';
import { forgetOldData } from './forget-old-data.ts';
import { sendErasureMail } from './send-erasure-mail.ts';

/** Names who does the jobs of this domain. */
export function handlePrivacyJobs(ctx: Ctx): void {
  ctx.jobs.handle('send-erasure-mail', (data) => sendErasureMail(ctx, data));
  ctx.jobs.handle('forget-old-data', () => forgetOldData(ctx));
}
