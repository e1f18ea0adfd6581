import type { Ctx } from '../../../ctx.ts';
import { sendPastDueMail } from './send-past-due-mail.ts';
import { sendPurchaseMail } from './send-purchase-mail.ts';
import { sendTopUpMail } from './send-top-up-mail.ts';

/** Names who sends the mails about payments. */
export function handlePaymentMailJobs(ctx: Ctx): void {
  ctx.jobs.handle('send-purchase-mail', (data) => sendPurchaseMail(ctx, data));
  ctx.jobs.handle('send-past-due-mail', (data) => sendPastDueMail(ctx, data));
  ctx.jobs.handle('send-top-up-mail', (data) => sendTopUpMail(ctx, data));
}
