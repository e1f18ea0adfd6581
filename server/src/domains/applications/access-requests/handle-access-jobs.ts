import type { Ctx } from '../../../ctx.ts';
import { announceRequests } from './announce-requests.ts';
import { sendDecisionMail } from './send-decision-mail.ts';
import { sendRequestsMail } from './send-requests-mail.ts';

/** Names who does the mail jobs of requests for access. */
export function handleAccessJobs(ctx: Ctx): void {
  ctx.jobs.handle('announce-access-requests', (data) => announceRequests(ctx, data));
  ctx.jobs.handle('send-access-requests-mail', (data) => sendRequestsMail(ctx, data));
  ctx.jobs.handle('send-access-decision-mail', (data) => sendDecisionMail(ctx, data));
}
